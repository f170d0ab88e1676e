"""The builders: what people type becomes the job that they mean, or an error that names the argument."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from faces import Ran, SameEverywhere, counted, faced, pytest_generate_tests
from lab import Lab

from ods_provider.core.faces import in_words
from ods_provider.errors import OdsConfigError
from ods_provider.jobs import arguments
from ods_provider.testing.portal import LocalPortal

__all__ = ["faced", "pytest_generate_tests"]


class TestBuilders(SameEverywhere):
    """The builders themselves."""

    def run(self, job: str, given: dict[str, Any], portal: LocalPortal, folder: Path) -> Ran:
        made = getattr(arguments, f"{job}_job")(**given)
        return counted(Lab(portal.url, folder, api_key=portal.api_key, push_api_key=portal.push_key).done(made))


def test_an_id_that_native_rendering_made_a_number_is_an_id() -> None:
    job = arguments.search_job(dataset_id=2024, record_id=7)  # type: ignore[arg-type]
    assert (job.dataset_id, job.record_id) == ("2024", "7")  # type: ignore[union-attr]


@pytest.mark.parametrize("given", [{"dataset_id": 1.5}, {"lang": ["fr"]}, {"timezone": True}, {"where": 3}])
def test_what_is_no_text_is_refused_by_its_name(given: dict[str, Any]) -> None:
    (name,) = given
    with pytest.raises(OdsConfigError, match=f"argument {name}"):
        arguments.search_job(**given)


def test_a_text_of_a_hundred_thousand_brackets_is_no_crash() -> None:
    for deep in ("[" * 100_000, "{" * 100_000, '{"a":' * 100_000):
        with pytest.raises(OdsConfigError, match="argument refine"):
            arguments.search_job(dataset_id="d", refine="{" + deep)


def test_a_face_calls_arguments_as_its_users_do() -> None:
    words = {"limit": "--limit", "group_by": "--group-by", "path": "FILE"}
    said = OdsConfigError(
        "limit='x' is not a whole number", where="argument limit", advice="Leave it out with group_by, or take a path"
    )
    assert str(in_words(said, words)) == (
        "--limit='x' is not a whole number (--limit). Leave it out with --group-by, or take a path."
    )
    both = OdsConfigError("pass one of them", where="arguments records, path, record_id")
    assert in_words(both, words).where == "arguments records, FILE, record_id"
    elsewhere = OdsConfigError("limit=3 is what the portal said", where="dataset limit")
    assert in_words(elsewhere, words) is elsewhere
