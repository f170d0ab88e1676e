"""What is wanted of a mirror."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.query import Query
from ods_provider.tables.names import expect_not_ours

Into = Literal["files", "tables"]
Vanished = Literal["keep", "mark", "drop"]


@dataclass(frozen=True, slots=True)
class MirrorOrder:
    """Which datasets of a portal, where to, and how much may be asked for it.

    Args:
        to: A folder, or a database.
        into: ``files`` in that folder, or ``tables`` of that database.
        format: Of the files.
        schema: Of the tables, None for the database's own.
        query: The filters of the catalogue.
        vanished: What becomes of the file or table of a dataset that is gone or has another id: ``keep`` it, ``mark``
            it in the mirror's list, ``drop`` it.
        reserve: Calls of the quota that are left to others; None leaves a tenth.
        max_calls: Calls that a run makes at most; None asks the quota alone.
        parallel: Datasets at the same time.
        staging: As a load has it.
        wait: Whether to wait for the quota when it is spent, instead of leaving the rest to the next run.
    """

    to: Any
    into: Into
    format: str = "parquet"
    schema: str | None = None
    query: Query = field(default_factory=Query)
    vanished: Vanished = "keep"
    reserve: int | None = None
    max_calls: int | None = None
    parallel: int = 4
    staging: Any = None
    wait: bool = False

    @property
    def form(self) -> str:
        """What the mirror is made of: ``tables``, or the format of its files."""
        return self.format if self.into == "files" else self.into

    def __post_init__(self) -> None:
        words: Mapping[str, Any] = {"into": Into, "vanished": Vanished}
        for name, known in words.items():
            if getattr(self, name) not in get_args(known):
                raise OdsConfigError(
                    f"{name}={getattr(self, name)!r} is not known",
                    where=f"argument {name}",
                    advice=f"Use {', '.join(get_args(known))}",
                )
        if self.schema is not None and self.into == "files":
            raise OdsConfigError("schema is for tables", where="argument schema", advice="Leave it out")
        expect_not_ours(self.schema, argument="schema")
