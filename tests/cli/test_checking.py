"""``ods check``: what is wrong is named, one line each, and ends the command with 1."""

from __future__ import annotations

import pytest


def found(ended, check):
    return [(line["ok"], line["said"]) for line in ended.rows if line["check"] == check]


def test_all_is_looked_at_and_the_portal_asked_once(ods, ods_portal):
    done = ods("check", "--json")
    assert done.code == 0, done.out
    assert [line["check"] for line in done.rows if line["check"] != "not installed"] == [
        *("version", "packages", "environment", "configuration", "plugins", "state", "connection", "portal")
    ]
    assert all(line["ok"] for line in done.rows)
    ((_, said),) = found(done, "connection")
    assert said == f"{ods_portal.url} from environment ODS_HOST, signs calls (auto), with a push key"
    ((_, said),) = found(done, "portal")
    assert said.startswith("The portal answers: the API key was sent and not refused, 7 datasets are visible")
    assert len(ods_portal.requests) == 1


def test_people_are_told_that_nothing_is_wrong(ods):
    done = ods("check")
    assert done.code == 0 and "Nothing is wrong." in done.err
    assert ods("check", "--quiet").out == ""


@pytest.mark.parametrize(
    ("env", "check", "told"),
    [
        ({"ODS_HOTS": "x"}, "environment", "ODS_HOTS is not read: perhaps ODS_HOST is meant"),
        ({"ODS_API_KEY": "no-such-key"}, "portal", "key"),
        ({"ODS_HOST": "http://127.0.0.1:1"}, "portal", "127.0.0.1:1"),
        ({"ODS_HOST": ""}, "connection", "no portal is named"),
        ({"ODS_MAX_WAIT_S": "soon"}, "connection", "ODS_MAX_WAIT_S is not a number"),
        ({"ODS_PLUGINS": "no_such_plugin"}, "plugins", "no_such_plugin: ModuleNotFoundError"),
    ],
)
def test_what_is_wrong_is_named_and_the_rest_looked_at_all_the_same(ods, env, check, told):
    done = ods("check", "--json", **env, secrets=("no-such-key",))
    assert done.code == 1
    wrong = [(line["check"], line["said"]) for line in done.rows if not line["ok"]]
    assert len(wrong) == 1 and wrong[0][0] == check and told in wrong[0][1], wrong
    assert found(done, "version")


def test_a_configuration_file_is_told_with_its_profiles(ods, tmp_path):
    file = tmp_path / "config.toml"
    file.write_text('default = "city"\n[profiles.city]\nhost = "a"\n[profiles.county]\nhost = "b"\n')
    ((ok, said),) = found(ods("check", "--json", ODS_CONFIG=str(file)), "configuration")
    assert ok and said == f"{file}: profiles city, county, of which city is the default"
    file.write_text("profiles = [")
    ((ok, said),) = found(ods("check", "--json", ODS_CONFIG=str(file)), "configuration")
    assert not ok and "cannot be read" in said


def test_values_of_the_environment_are_not_told(ods):
    done = ods(
        "check", "--json", ODS_CLIENT_ID="an-app", ODS_REFRESH_TOKEN="a-refresh-token", secrets=("a-refresh-token",)
    )
    assert "an-app" not in done.out


def test_a_state_folder_below_a_file_is_refused(ods, tmp_path):
    (tmp_path / "file").write_text("")
    ((ok, said),) = found(ods("check", "--json", XDG_STATE_HOME=str(tmp_path / "file")), "state")
    assert not ok and "XDG_STATE_HOME" in said


def test_dag_files_want_airflow_and_a_folder_that_is_there(ods, tmp_path):
    assert ods("check", str(tmp_path / "nowhere")).code == 2
    assert not (tmp_path / "nowhere").exists()
