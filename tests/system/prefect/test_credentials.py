"""The block: what people save, what Prefect shows of it, and the connection that it becomes."""

import json

import pytest
from shaken import keys_in

from ods_provider.core.errors import OdsConfigError
from ods_provider.schedulers.prefect import OdsCredentials, ods_await_update, ods_search

SECRETS = ["the-api-key", "the-push-key", "the-other-key", "http://user:proxy-word@proxy:3128"]


def block(**more):
    return OdsCredentials(
        host="data.example.org",
        api_key=SECRETS[0],
        push_api_key=SECRETS[1],
        push_api_keys={"a/b": SECRETS[2]},
        secret_settings={"proxy": SECRETS[3]},
        settings={"max_wait_s": 5, "verify": "false"},
        **more,
    )


def shown(text: str) -> list[str]:
    return [secret for secret in (*SECRETS, "proxy-word") if secret in text]


def test_no_secret_shows_in_a_repr_or_a_dump():
    made = block()
    assert shown(repr(made) + str(made) + repr(made.model_dump()) + made.model_dump_json()) == []


def test_it_becomes_a_connection_with_every_setting():
    connection = block().connection()
    assert connection.base_url == "https://data.example.org"
    assert connection.api_key.reveal() == SECRETS[0]
    assert connection.push_key("a", "b").reveal() == SECRETS[2]
    assert connection.push_key("c", "d").reveal() == SECRETS[1]
    assert connection.proxy.reveal() == SECRETS[3]
    assert (connection.max_wait_s, connection.verify) == (5.0, False)
    assert shown(repr(connection)) == []
    assert "key=sent" in repr(block().client())


def test_a_bad_setting_is_named_and_its_value_is_not():
    with pytest.raises(
        OdsConfigError, match=r"unknown setting api_kex \(OdsCredentials\)\. Perhaps the block's api_key is meant"
    ) as caught:
        OdsCredentials(host="data.example.org", settings={"api_kex": SECRETS[0]}).connection()
    assert shown(str(caught.value)) == []


def test_it_is_saved_and_loaded_with_its_secrets_and_prefects_api_shows_none(server, client):
    block().save("city", overwrite=True)
    loaded = OdsCredentials.named("city")
    assert loaded.connection().secrets() == block().connection().secrets()
    assert loaded.ref == "city"
    documents = client.request("POST", "/block_documents/filter", json={}).json()
    assert "data.example.org" in json.dumps(documents)
    assert shown(json.dumps(documents)) == []


def test_a_block_that_is_not_there_is_named_with_how_to_save_it(server):
    with pytest.raises(OdsConfigError, match=r"no block 'nobody' of type ods-credentials.*\.save\('nobody'\)"):
        OdsCredentials.named("nobody")


def test_an_error_names_a_block_by_its_name_once_it_has_one(server):
    OdsCredentials(host="data.example.org", settings={"timeout": 3}).save("hasty", overwrite=True)
    with pytest.raises(OdsConfigError, match=r"unknown setting timeout \(OdsCredentials hasty\)"):
        OdsCredentials.named("hasty").connection()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("timeout_s", "timeout_s in the block's settings"),
        ("max_wait", "max_wait_s in the block's settings"),
        ("apikey", "the block's api_key"),
        ("proxy", "proxy in the block's secret_settings"),
    ],
)
def test_a_field_that_there_is_not_is_named_with_the_one_that_is_meant(name, meant):
    with pytest.raises(OdsConfigError, match=f"unknown field {name} .*Perhaps {meant} is meant") as caught:
        OdsCredentials(host="data.example.org", **{name: SECRETS[0]})
    assert shown(str(caught.value)) == []


@pytest.mark.parametrize("given", [{"host": "data.example.org", "api_key": SECRETS[0]}, None, 7])
def test_what_is_no_block_is_refused_and_not_shown(given):
    for task in (ods_search, ods_await_update):
        with pytest.raises(OdsConfigError, match="neither a block nor the name of one") as caught:
            task.fn("a-dataset", credentials=given)
        assert shown(str(caught.value)) == []


def test_prefect_finds_the_block_by_its_entry_point():
    from prefect.plugins import load_prefect_collections

    found = load_prefect_collections()["ods_provider"]
    assert found.OdsCredentials is OdsCredentials


def test_the_server_offers_the_block_in_its_ui(server, client):
    types = client.request("POST", "/block_types/filter", json={}).json()
    assert "ods-credentials" in {each["slug"] for each in types}


def test_an_error_of_the_block_keeps_no_key():
    with pytest.raises(OdsConfigError, match="timeout_s") as caught:
        OdsCredentials(
            host="h", api_key=SECRETS[0], secret_settings={"proxy": SECRETS[3]}, settings={"timeout_s": "soon"}
        ).connection()
    assert keys_in(caught.value, [SECRETS[0], SECRETS[3]], ours=__file__) == []


def test_the_settings_of_the_block_take_every_extra():
    made = OdsCredentials(host="h", settings={"min_bytes_s": 0, "private_files": "refuse"}).connection()
    assert (made.min_bytes_s, made.private_files) == (0, "refuse")
