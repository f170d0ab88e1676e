"""Which portal a command talks to, and as whom; a key is read from where it belongs and goes nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from shaken import keys_in

from ods_provider.cli.connecting import connect
from ods_provider.cli.settings import Settings
from ods_provider.core.errors import OdsConfigError
from ods_provider.plugins.manager import Plugins

SECRET = "s3cret-0f-a-file"


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    for name in ("ODS_HOST", "ODS_API_KEY", "ODS_PUSH_API_KEY", "ODS_CONFIG", "ODS_MAX_WAIT_S"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "key"
    path.write_text(f"{SECRET}\n")
    path.chmod(0o600)
    return path


def connected(warn=lambda text: None, **settings):
    return connect(Settings(**settings), Plugins(entry_points=False), warn)


def configure(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "config" / "ods-provider"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(text)


def test_host_and_key_file(key_file):
    made = connected(host="data.example.org", key_file=str(key_file))
    assert made.base_url == "https://data.example.org"
    assert made.api_key.reveal() == SECRET
    assert SECRET not in repr(made)


def test_a_key_of_the_environment_goes_to_the_environment_s_host_only(monkeypatch):
    monkeypatch.setenv("ODS_HOST", "one.example.org")
    monkeypatch.setenv("ODS_API_KEY", SECRET)
    monkeypatch.setenv("ODS_PUSH_API_KEY", SECRET)
    other = connected(host="two.example.org")
    assert other.api_key is None and not other.push_keys
    assert connected(host="one.example.org").api_key.reveal() == SECRET
    assert connected().api_key.reveal() == SECRET
    monkeypatch.delenv("ODS_HOST")
    assert connected(host="two.example.org").api_key.reveal() == SECRET


def test_every_extra_has_its_variable(monkeypatch):
    monkeypatch.setenv("ODS_HOST", "one.example.org")
    monkeypatch.setenv("ODS_MAX_WAIT_S", "7.5")
    monkeypatch.setenv("ODS_VERIFY", "false")
    made = connected()
    assert (made.max_wait_s, made.verify) == (7.5, False)


def test_a_profile_is_a_connection_with_its_secrets_in_files(tmp_path, key_file):
    configure(
        tmp_path,
        f"""
        default = "city"
        [profiles.city]
        host = "city.example.org"
        key_file = "{key_file}"
        push_api_key_file = "{key_file}"
        max_wait_s = 30
        allowed_hosts = ["other.example.org"]
        [profiles.county]
        host = "http://county.example.org:8080"
        """,
    )
    city = connected(profile="city")
    assert (city.host, city.max_wait_s, city.allowed_hosts) == ("city.example.org", 30.0, ("other.example.org",))
    assert city.api_key.reveal() == city.push_keys[""].reveal() == SECRET
    assert connected().host == "city.example.org"
    assert connected(profile="county").base_url == "http://county.example.org:8080"


def test_the_only_profile_is_the_default_and_the_environment_wins_over_it(tmp_path, monkeypatch):
    configure(tmp_path, '[profiles.one]\nhost = "one.example.org"\n')
    assert connected().host == "one.example.org"
    monkeypatch.setenv("ODS_HOST", "two.example.org")
    assert connected().host == "two.example.org"


@pytest.mark.parametrize("name", ["api_key", "password", "push_api_key", "client_secret"])
def test_a_secret_in_the_configuration_file_itself_is_refused_and_not_shown(tmp_path, name):
    configure(tmp_path, f'[profiles.one]\nhost = "one.example.org"\n{name} = "{SECRET}"\n')
    with pytest.raises(OdsConfigError, match="stands in the configuration file itself") as refused:
        connected(profile="one")
    assert SECRET not in str(refused.value)
    assert "_file" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "cannot be read"),
        ('[profiles.two]\nhost = "x"\n', "no such profile"),
        ('[profiles.one]\nhost = "x"\nspeed = 1\n', "unknown key speed"),
        ('[profiles.one]\nhost = "x"\nkey_file = "/nowhere"\n', "there is no file /nowhere"),
        ('[profiles.one]\nhost = "x"\nmax_wait_s = "soon"\n', "max_wait_s of the profile one is not a number"),
        ("[profiles.one]\nhost = 3\n", "host is no text"),
        ('[profiles.one]\nhost = "x"\nkey_file = 3\n', "key_file is no text"),
        ('[profiles.one]\nhost = "x"\nschema = ["https"]\n', "schema is no text"),
        ('[profiles.one]\nhost = "x"\nlogin = 3\n', "login is no text"),
        ('[profiles.one]\nhost = "x"\nport = true\n', "port is no port"),
        ('[profiles.one]\nhost = "x"\nport = 99999999\n', "port is no port"),
    ],
)
def test_what_is_wrong_with_a_profile_is_said_with_the_file_s_name(tmp_path, text, said):
    configure(tmp_path, text)
    with pytest.raises(OdsConfigError, match=said):
        connected(profile="one")


@pytest.mark.parametrize("value", ["3", '["one"]', "true", "{ a = 1 }", "1979-05-27"])
def test_no_value_of_a_profile_is_more_than_a_sentence(tmp_path, value):
    from ods_provider.core.connection import EXTRAS

    for key in ("host", "schema", "port", "login", "key_file", "push_api_key_file", *EXTRAS):
        named = "" if key == "host" else 'host = "x.example.org"\n'
        configure(tmp_path, f"[profiles.one]\n{named}{key} = {value}\n")
        try:
            connected(profile="one")
        except OdsConfigError as refused:
            assert "profile one" in str(refused)
    configure(tmp_path, f"default = {value}\n[profiles.one]\nhost = 'x.example.org'\n")
    with pytest.raises(OdsConfigError, match="default is no text"):
        connected()


def test_two_connections_at_once_are_refused():
    with pytest.raises(OdsConfigError, match="--host and --profile name two connections"):
        connected(host="a", profile="b")


def test_a_key_file_without_a_host_is_refused(key_file):
    with pytest.raises(OdsConfigError, match="--key-file goes with --host"):
        connected(key_file=str(key_file))


def test_a_key_that_everybody_can_read_is_warned_of(key_file):
    said: list[str] = []
    connected(said.append, host="a.example.org", key_file=str(key_file))
    assert said == []
    key_file.chmod(0o644)
    connected(said.append, host="a.example.org", key_file=str(key_file))
    assert said == [f"{key_file} can be read by everybody on this machine: chmod 600 {key_file}"]


def test_an_empty_key_file_is_an_error_and_not_an_anonymous_call(tmp_path):
    (tmp_path / "key").write_text("\n")
    with pytest.raises(OdsConfigError, match="is empty"):
        connected(host="a.example.org", key_file=str(tmp_path / "key"))


def test_the_push_key_may_be_given_beside_any_connection(tmp_path, key_file):
    configure(tmp_path, '[profiles.one]\nhost = "one.example.org"\n')
    made = connected(profile="one", push_key_file=str(key_file))
    assert made.push_keys[""].reveal() == SECRET


def test_options_stand_before_or_after_the_command(ods, ods_portal, key_file):
    key_file.write_text("demo-key")
    url = ods_portal.url
    assert ods("--host", url, "--key-file", str(key_file), "--json", "quota", ODS_HOST="").json["limit"]
    assert ods("quota", "--json", "--host", url, "--key-file", str(key_file), ODS_HOST="").json["limit"]
    assert {entry.auth for entry in ods_portal.requests} == {"apikey"}


def test_a_key_can_be_piped_in(ods, ods_portal):
    assert ods("quota", "--host", ods_portal.url, "--key-file", "-", input="demo-key\n", ODS_HOST="").code == 0
    assert ods_portal.requests[-1].auth == "apikey"


def test_no_option_takes_a_key_itself():
    from click.testing import CliRunner

    from ods_provider.cli import COMMANDS, main

    for name in COMMANDS:
        if name == "portal":  # its keys are made up on the spot, for a portal on this machine
            continue
        command = main.get_command(None, name)
        # The key of a table is a name of fields.
        named = [parameter for parameter in command.params if getattr(parameter, "metavar", None) != "FIELD"]
        options = [option for parameter in named for option in parameter.opts]
        assert not [option for option in options if "key" in option and not option.endswith("-file")], name
        assert not [option for option in options if "secret" in option and not option.endswith("-file")], name
    assert CliRunner().invoke(main, ["--api-key", "x", "quota"]).exit_code == 2


@pytest.mark.parametrize(
    "profile",
    [
        'host = "[::1"\nkey_file = "{key}"',
        'host = "h"\nkey_file = "{key}"\ntimeout_s = "soon"',
        'host = "h"\nproxy = "http://user:{secret}@[::1"',
        'host = "h"\nauth = "oauth2"\nclient_secret_file = "{key}"',
    ],
)
def test_an_error_of_a_profile_keeps_no_key(profile, tmp_path, key_file):
    configure(tmp_path, "[profiles.city]\n" + profile.format(key=key_file, secret=SECRET))
    with pytest.raises(OdsConfigError) as caught:
        connected(profile="city")
    assert keys_in(caught.value, [SECRET], ours=__file__) == []


def test_an_error_of_the_environment_s_connection_keeps_no_key(monkeypatch, key_file):
    monkeypatch.setenv("ODS_API_KEY", SECRET)
    monkeypatch.setenv("ODS_MAX_WAIT_S", "soon")
    for settings in ({"host": "h"}, {"host": "h", "key_file": str(key_file)}):
        with pytest.raises(OdsConfigError, match="ODS_MAX_WAIT_S") as caught:
            connected(**settings)
        # The environment itself is everybody's; what stands in frames is not.
        monkeypatch.delenv("ODS_API_KEY", raising=False)
        assert keys_in(caught.value, [SECRET], ours=__file__) == []


def test_a_key_file_that_is_no_text_keeps_no_key(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(SECRET.encode() + b"\xff")
    with pytest.raises(OdsConfigError, match="not text") as caught:
        connected(host="h", key_file=str(path))
    assert keys_in(caught.value, [SECRET], ours=__file__) == []


def test_a_configuration_nested_too_deep_is_named(tmp_path):
    configure(tmp_path, "a = " + "[" * 100_000)
    with pytest.raises(OdsConfigError, match=r"config\.toml"):
        connected(profile="city")


def test_every_extra_has_its_place_in_a_profile(tmp_path):
    configure(tmp_path, '[profiles.city]\nhost = "h"\nmin_bytes_s = 0\nprivate_files = "refuse"')
    made = connected(profile="city")
    assert (made.min_bytes_s, made.private_files) == (0, "refuse")
