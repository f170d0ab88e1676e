"""A key never shows: not in a repr, not in what Dagster's UI is sent."""

from __future__ import annotations

import json

import pytest
from dagster import Definitions, EnvVar, asset, job, materialize, op
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster_shared.serdes import serialize_value
from dagster_stack import API_KEY, PUSH_KEY
from shaken import keys_in

from ods_provider.core.connection import EXTRAS
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.schema import Dataset
from ods_provider.schedulers.dagster import OdsResource
from ods_provider.schedulers.dagster.metadata import of_dataset, of_result
from ods_provider.schedulers.dagster.resource import SECRETS


def literal() -> OdsResource:
    return OdsResource(host="data.example.org", api_key=API_KEY, push_api_key=json.dumps({"a/b": PUSH_KEY}))


def test_neither_repr_nor_str_shows_a_key_even_one_given_as_text():
    shown = f"{literal()!r} {literal()} {literal().model_dump()} {literal().connection()!r} {literal().client()!r}"
    assert API_KEY not in shown and PUSH_KEY not in shown
    assert "data.example.org" in shown and "***" in repr(literal())


def test_a_key_given_as_text_still_reaches_the_connection():
    connection = literal().connection()
    assert connection.api_key.reveal() == API_KEY
    assert connection.push_key("a", "b").reveal() == PUSH_KEY


def test_the_resource_in_a_run_shows_no_key_either(monkeypatch, capfd):
    monkeypatch.setenv("A_KEY", API_KEY)
    seen = {}

    @asset
    def printed(context, text: OdsResource, variable: OdsResource) -> None:
        for resource in (text, variable):
            context.log.info("%r %s", resource, resource)
            seen[resource.host] = (repr(resource), resource.connection().api_key.reveal())

    variable = OdsResource(host="other.example.org", api_key=EnvVar("A_KEY"))
    result = materialize([printed], resources={"text": literal(), "variable": variable})
    assert result.success
    assert [key for _, key in seen.values()] == [API_KEY, API_KEY]
    written = "".join(capfd.readouterr())
    assert "other.example.org" in written
    assert API_KEY not in written and PUSH_KEY not in written and API_KEY not in str(seen.keys())
    assert all(API_KEY not in shown for shown, _ in seen.values())


@pytest.mark.parametrize("late", [False, True])
def test_what_the_ui_is_sent_of_a_repository_holds_no_key(late):
    resource = OdsResource.configure_at_launch(api_key=API_KEY) if late else literal()

    @op(required_resource_keys={"ods"})
    def nothing() -> None: ...

    @job
    def work() -> None:
        nothing()

    repository = Definitions(jobs=[work], resources={"ods": resource}).get_repository_def()
    sent = serialize_value(RepositorySnap.from_def(repository)) + serialize_value(
        repository.get_job("work").get_job_snapshot()
    )
    assert "OdsResource" in sent
    assert API_KEY not in sent and PUSH_KEY not in sent


def test_a_variable_that_is_not_set_is_named():
    resource = OdsResource(host="data.example.org", api_key=EnvVar("NOT_SET_ANYWHERE"))
    with pytest.raises(OdsConfigError, match="NOT_SET_ANYWHERE is not set"):
        resource.connection()


def test_every_setting_of_a_connection_is_a_field():
    settings = set(OdsResource.model_fields) - {"host", "login", "api_key"}
    assert settings == set(EXTRAS)
    secret = {name for name in settings if any(word in name for word in ("key", "secret", "token", "proxy"))}
    assert secret | {"api_key"} == SECRETS


@pytest.mark.parametrize("make", [OdsResource, OdsResource.configure_at_launch])
def test_a_field_that_there_is_not_is_named_with_the_one_that_is_meant(make):
    with pytest.raises(OdsConfigError, match=r"unknown field timeout \(OdsResource\)\. Perhaps 'timeout_s' is meant"):
        make(host="data.example.org", timeout=3)
    with pytest.raises(OdsConfigError, match=r"unknown fields colour, apikey .*Perhaps 'api_key' is meant") as caught:
        make(host="data.example.org", colour="red", apikey=API_KEY)
    assert API_KEY not in str(caught.value)
    assert keys_in(caught.value, [API_KEY], ours=__file__) == []


def test_settings_reach_the_connection():
    resource = OdsResource(host="data.example.org", max_wait_s=7, verify="false", allowed_hosts="a.org, b.org")
    connection = resource.connection()
    assert (connection.max_wait_s, connection.verify, connection.allowed_hosts) == (7.0, False, ("a.org", "b.org"))


def test_an_error_of_the_resource_keeps_no_key():
    with pytest.raises(OdsConfigError, match="private_files") as caught:
        OdsResource(host="h", api_key=API_KEY, private_files="perhaps").connection()
    assert keys_in(caught.value, [API_KEY], ours=__file__) == []
    assert OdsResource(host="h", min_bytes_s=0, private_files="refuse").connection().private_files == "refuse"


def test_what_a_portal_writes_is_text_in_metadata():
    found = Dataset.from_json(
        {
            "dataset_id": "a/../b?x",
            "fields": [{"name": "a\x1b[2J", "type": "text", "label": "l\u202e", "annotations": {}}],
        }
    )
    shown = of_dataset(found, "https://h", columns=True)
    assert shown["portal"].value == "https://h/explore/dataset/a%2F..%2Fb%3Fx/"
    column = shown["dagster/column_schema"].columns[0]
    assert (column.name, column.description) == (r"a\x1b[2J", r"l\u202e")
    assert of_result({"rows": 1, "note": "n\n\x9b"})["note"] == r"n \x9b"
