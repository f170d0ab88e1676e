"""The same inputs through every face.

``inputs`` is the table. The tests of each face (the builders themselves, Airflow, the command line; Prefect and Dagster
in environments of their own) run it against a local portal::

    from faces import SameEverywhere, faced, pytest_generate_tests

    class TestBuilders(SameEverywhere):
        def run(self, job, given, portal, folder): ...

What counts is what the portal was asked, how much came of it, and which argument an error is about, in the words of the
face.
"""

from __future__ import annotations

import gzip
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from inputs import CASES, HERE, Case

from ods_provider.errors import OdsConfigError
from ods_provider.testing.portal import LocalPortal

JOBS = (
    "search",
    "analysis",
    "download",
    "load",
    "media",
    "push",
    "sync",
    "publish_file",
    "publish",
    "metadata",
    "harvest",
    "visibility",
    "watch",
)


@dataclass(frozen=True)
class Ran:
    """How much came of a job: rows, or files."""

    count: int


def counted(result: Any) -> Ran:
    """Return how much a job's own result holds."""
    if isinstance(result, list):
        return Ran(len(result))
    found = next((result[name] for name in ("files", "rows") if result.get(name) is not None), 1)
    return Ran(int(found))


@pytest.fixture(scope="class")
def faced() -> Iterator[LocalPortal]:
    """The portal of a face's table."""
    with LocalPortal(api_key="faces-key", push_key="faces-push-key") as portal:
        yield portal


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each face its cases; a module of a face imports this beside its class."""
    if metafunc.cls is not None and issubclass(metafunc.cls, SameEverywhere) and "case" in metafunc.fixturenames:
        metafunc.parametrize("case", metafunc.cls.cases(), ids=lambda case: f"{case.job}: {case.says}")


class SameEverywhere:
    """What a face does with the table; subclasses say how it runs a job."""

    jobs: tuple[str, ...] = JOBS
    # Arguments that the face has no word for.
    unsaid: frozenset[str] = frozenset()

    def run(self, job: str, given: dict[str, Any], portal: LocalPortal, folder: Path) -> Ran:
        """Run the job as a user of this face does; raise ``OdsConfigError`` where it is refused."""
        raise NotImplementedError

    def words(self, job: str) -> Mapping[str, str]:
        """Return what the face calls arguments that have another name there."""
        return {}

    @classmethod
    def cases(cls) -> list[Case]:
        """Return the inputs of the table that this face has words for."""
        return [case for case in CASES if case.job in cls.jobs and not cls.unsaid & set(case.given)]

    def test_the_same_input_is_the_same_work(self, case: Case, faced: LocalPortal, tmp_path: Path) -> None:
        faced.reset()
        (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in _READINGS))
        given = {name: _placed(value, tmp_path) for name, value in case.whole.items()}
        if case.refused is not None:
            with pytest.raises(OdsConfigError) as refusal:
                self.run(case.job, given, faced, tmp_path)
            assert case.refused.format_map(_Words(self.words(case.job))) in str(refusal.value)
            assert not faced.requests
            return
        ran = self.run(case.job, given, faced, tmp_path)
        assert case.count is None or ran.count == case.count
        if case.asks is not None:
            _expect_asked(faced, case)
        for name, value in case.shows.items():
            template, _, field = name.partition(".")
            assert _metadata(faced, case.whole["dataset_id"]).get(template, field) == value, name
        if case.written is not None:
            content = (tmp_path / case.written[0]).read_bytes()
            assert content.startswith(case.written[1])
            assert not content.startswith(b"\x1f\x8b") or gzip.decompress(content)


_READINGS = [{"sensor_id": f"faces-{number}", "at": "2026-01-01T00:00:00+00:00", "value": 1.0} for number in (1, 2)]


def _metadata(portal: LocalPortal, dataset_id: str) -> Any:
    return next(draft for draft in portal.office.drafts.all() if draft.dataset_id == dataset_id).metadata


class _Words(dict[str, str]):
    def __missing__(self, name: str) -> str:
        place = name.removeprefix("at_")
        # Where a face has no word of its own, it says "argument limit" in the brackets.
        return self.get(place, f"argument {place}") if place != name else name


def _placed(value: Any, folder: Path) -> Any:
    return value.replace(HERE, f"{folder}/") if isinstance(value, str) else value


def _expect_asked(portal: LocalPortal, case: Case) -> None:
    calls = [parse_qs(call.query) for call in portal.requests if call.path == case.asks]
    assert calls, [call.path for call in portal.requests]
    wanted = [
        call
        for call in calls
        if all(
            value in call.get(name, []) if value is not None else name not in call for name, value in case.sends.items()
        )
    ]
    assert wanted, calls


def signature_of(function: Callable[..., Any], *, but: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the arguments of a builder or of a face, each with its default; ``Parameter.empty`` for required ones."""
    return {
        each.name: each.default
        for each in inspect.signature(function).parameters.values()
        if each.name not in ("self", *but) and each.kind is not each.VAR_KEYWORD
    }
