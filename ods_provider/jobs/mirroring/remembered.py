"""What a mirror remembers of each dataset, between runs and hosts: one JSON text, kept where the mirror is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ods_provider.core.errors import OdsSinkError

VERSION = 1


@dataclass(frozen=True, slots=True)
class Known:
    """A dataset of a mirror.

    Attributes:
        place: Its file's name, or its table's.
        uid: Its ``dataset_uid``.
        data_processed: When the records that stand there last changed on the portal, ISO 8601; None before the first
            success, and where the portal does not say.
        records_count: Rows that the catalogue told at that time, None where they were not those that came.
        rows: That came.
        done_at: When they came, ISO 8601; None before the first success.
        queued_at: Since when it waits for its turn, ISO 8601; None while it is what the portal has.
        vanished_at: Since when the portal has it no longer, ISO 8601.
    """

    place: str
    uid: str | None = None
    data_processed: str | None = None
    records_count: int | None = None
    rows: int | None = None
    done_at: str | None = None
    queued_at: str | None = None
    vanished_at: str | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """All that a mirror remembers.

    Attributes:
        portal: Whose mirror it is, by its host name.
        form: What it is made of: ``tables``, or the format of its files.
        asked: Tells the filters of the catalogue from others.
        datasets: By id.
        plan: What the last run meant to do, as JSON; a report is made of it.
    """

    portal: str
    form: str
    asked: str
    datasets: Mapping[str, Known] = field(default_factory=dict)
    plan: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> str:
        """Return it as a text."""
        return json.dumps({"version": VERSION, **asdict(self)}, ensure_ascii=False)

    @classmethod
    def of(cls, text: str | bytes, where: str) -> Remembered:
        """Return what such a text holds; keys of later releases are passed over.

        Raises:
            OdsSinkError: It holds something else: a mirror that forgot what it did would do all of it again.
        """
        names = {each.name for each in fields(Known)}
        try:
            told = json.loads(text)
            datasets = {
                str(dataset_id): Known(**{name: value for name, value in each.items() if name in names})
                for dataset_id, each in told["datasets"].items()
            }
            if told["version"] == VERSION:
                return cls(told["portal"], told["form"], told["asked"], datasets, dict(told["plan"]))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            pass  # or of another release
        raise OdsSinkError(
            "this is no list of a mirror",
            where=where,
            advice="Remove it: the next run looks at what stands there and fetches what is not the portal's",
        )
