"""``ods metadata get`` and ``set`` against the local portal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shell import on_a_terminal, plain

from ods_provider import OdsClient
from ods_provider.testing.portal import LocalPortal


@pytest.fixture(autouse=True)
def _trees(ods: Callable[..., Any], ods_portal: LocalPortal) -> None:
    ods_portal.add_dataset("trees", {"planted": "date"}, [{"planted": "2019-05-01"}, {"planted": "2024-10-30"}])
    ods_portal.requests.clear()


@pytest.fixture
def gardens(ods_portal: LocalPortal) -> None:
    """A harvested dataset of which somebody pinned the title."""
    ods_portal.office.harvesters.start(ods_portal.office.harvesters.find("town-gardens"))
    ods_portal.office.settle()
    with OdsClient(ods_portal.url, api_key=ods_portal.api_key) as client:
        client.automation.metadata.set("town-gardens", {"default.title": "Our gardens"})
    ods_portal.requests.clear()


def title(portal: LocalPortal) -> Any:
    with OdsClient(portal.url, api_key=portal.api_key) as client:
        return client.automation.metadata.get("town-gardens", "default.title")["value"]


def sent(portal: LocalPortal) -> list[str]:
    return [call.path.rsplit("/", 2)[1] for call in portal.requests if call.method in ("PUT", "POST", "DELETE")]


def test_values_are_set_shown_and_not_again(ods: Callable[..., Any], ods_portal: LocalPortal) -> None:
    words = ("metadata", "set", "trees", "default.title=Trees", 'default.keyword=["a, b", "c"]')
    done = ods(*words, "--coverage-of", "planted")
    assert (done.code, "4 fields changed, publish_metadata: idle" in done.out) == (0, True), done.err
    assert ods(*words).out.startswith("unchanged")
    shown = ods("metadata", "get", "trees", "default.title", "dcat")
    assert [line.split() for line in shown.out.splitlines() if "." in line] == [
        ["default.title", "Trees"],
        ["dcat.temporal_coverage_start", "2019-05-01T00:00:00Z"],
        ["dcat.temporal_coverage_end", "2024-10-30T00:00:00Z"],
    ]
    assert ods("metadata", "get", "trees", "asset.keyword", "--json").json == {
        "default.keyword": {"value": ["a, b", "c"]}
    }
    assert sent(ods_portal).count("publish_metadata") == 1


def test_a_dry_run_shows_the_plan(ods: Callable[..., Any], ods_portal: LocalPortal) -> None:
    told = ods("metadata", "set", "trees", "default.title=Trees", "--dry-run")
    assert ["default.title", "trees", "Trees"] in [line.split() for line in told.out.splitlines()], told.err
    assert "nothing was changed" in told.err
    nothing = ods("metadata", "set", "trees", "default.title=trees", "--dry-run")
    assert (nothing.code, "nothing differs" in nothing.err) == (0, True)
    assert sent(ods_portal) == []


def test_values_come_from_a_file_and_those_typed_stand_above(
    ods: Callable[..., Any], ods_portal: LocalPortal, tmp_path: Path
) -> None:
    given = {"default": {"title": "From a file", "keyword": ["a"]}, "dcat.issued": "2024-01-31"}
    (tmp_path / "here" / "values.json").write_text(json.dumps(given))
    words = ("metadata", "set", "trees", "default.title=Typed", "--publish", "none", "--json")
    done = ods(*words, "--from", "values.json").json
    assert {each["field"]: each["new"] for each in done["changed_fields"]} == {
        "default.title": "Typed",
        "default.keyword": ["a"],
        "dcat.issued": "2024-01-31",
    }
    assert "publish_metadata" not in sent(ods_portal)
    piped = ods(*words, "--from", "-", input='{"default.publisher": "Parks"}').json
    assert [each["field"] for each in piped["changed_fields"]] == ["default.publisher"]


REFUSED = [
    (("set", "trees", "title=x"), "'title' names no value"),
    (("set", "trees", "default.title"), "is not TEMPLATE.FIELD=VALUE"),
    (("set", "trees", "default.title=x", "default.title=y"), "default.title is given twice"),
    (("set", "trees"), "there is nothing to set"),
    (("set", "trees", "default.titel=x"), "(TEMPLATE.FIELD=VALUE). Did you mean 'title'?"),
    (("set", "trees", "--coverage-of", "plantd"), "(--coverage-of)"),
    (("set", "trees", "default.title=x", "--publish", "all"), "--publish='all' is not known"),
    (("get", "trees", "default.titel"), "Did you mean 'default.title'"),
    (
        ("set", "trees", "internal.license_id=5sylls5"),
        "(TEMPLATE.FIELD=VALUE). There is ccby40 (CC BY 4.0), cc0",
    ),
    (("set", "trees", "internal.license_id=CC BY 4.0"), "Did you mean 'ccby40'?\n"),
    (("set", "trees", "--from", "-"), "- is no JSON (--from). Write an object"),
]
# What a file may hold that is no value.
NO_VALUES = [
    ("[]", "- holds a list (--from). Write an object"),
    ('"default.title"', "- holds a str (--from). Write an object"),
    ('{"default.keyword": {"a": 1}}', "default.keyword holds a dict in place of a text"),
    ('{"default": {"keyword": ["a", null]}}', "default.keyword holds null in place of a text"),
    ('{"default.title": ["a"]}', "default.title=['a'] is no text"),
    ('{"title": "a"}', "'title' names no value"),
]


@pytest.mark.at_length
def test_what_is_wrong_is_said_in_words_of_the_command_line(ods: Callable[..., Any], ods_portal: LocalPortal) -> None:
    for words, said in REFUSED:
        refused = ods("metadata", *words)
        assert refused.code in (1, 2) and said in refused.err, refused.err
    for text, said in NO_VALUES:
        refused = ods("metadata", "set", "trees", "--from", "-", input=text)
        assert refused.code in (1, 2) and said in refused.err, refused.err
    assert sent(ods_portal) == []


@pytest.mark.usefixtures("gardens")
def test_what_people_pinned_is_kept_and_where_nobody_can_be_asked_changed_with_yes_only(
    ods: Callable[..., Any], ods_portal: LocalPortal
) -> None:
    words = ("metadata", "set", "town-gardens", "default.title=Theirs")
    kept = ods(*words)
    assert (kept.code, "kept what people pinned: default.title" in kept.out) == (0, True)
    refused = ods(*words, "--override")
    assert (refused.code, "1 value that people pinned would be changed" in refused.err) == (2, True), refused.err
    assert title(ods_portal) == "Our gardens"
    assert ods(*words, "--override", "--yes").code == 0
    assert title(ods_portal) == "Theirs"


@pytest.mark.usefixtures("gardens")
@pytest.mark.parametrize(
    ("word", "code", "left"), [("y", 0, "Theirs"), pytest.param("n", 1, "Our gardens", marks=pytest.mark.at_length)]
)
def test_on_a_terminal_the_plan_is_shown_and_an_override_asked_for(
    ods_portal: LocalPortal, surroundings: dict[str, str], tmp_path: Path, word: str, code: int, left: str
) -> None:
    keys = [(b"Change 1 value that people pinned? [y/N]:", f"{word}\n".encode())]
    words = ["metadata", "set", "town-gardens", "default.title=Theirs", "--override"]
    ended, got = on_a_terminal(words, surroundings, tmp_path, keys=keys)
    shown = plain(got)
    assert ended == code, shown
    assert "Our gardens" in shown and "Theirs" in shown
    assert title(ods_portal) == left


def test_without_waiting_the_same_command_goes_on(ods: Callable[..., Any], ods_portal: LocalPortal) -> None:
    ods_portal.office.switch(processing_s=None)
    words = ("metadata", "set", "trees", "default.title=Trees", "--no-wait")
    waiting = ods(*words)
    assert (waiting.code, "publish_metadata of trees" in waiting.err) == (75, True), waiting.err
    ods_portal.office.settle()
    assert ods(*words).code == 0
    assert sent(ods_portal) == ["title", "publish_metadata"]


@pytest.mark.at_length
def test_the_loop_of_the_recipe_puts_all_datasets_under_one_licence(
    ods_portal: LocalPortal, surroundings: dict[str, str], tmp_path: Path
) -> None:
    script = Path(__file__).parents[2] / "docs" / "examples" / "licence.sh"
    env = os.environ | surroundings | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for _ in range(2):
        subprocess.run(["bash", str(script)], cwd=tmp_path, env=env, check=True, capture_output=True, timeout=300)
    with OdsClient(ods_portal.url, api_key=ods_portal.api_key) as client:
        licences = {row["dataset_id"]: row["license"] for row in client.datasets(select="dataset_id, license")}
    assert len(licences) > 3
    assert set(licences.values()) == {"ODbL"}, licences
    assert sent(ods_portal).count("publish_metadata") == len(licences)
    assert not (tmp_path / "failed.txt").exists()
