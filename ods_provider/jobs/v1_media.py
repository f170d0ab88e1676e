"""The files of a dataset through Search API v1.0, in that API's own words and from its own addresses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ods_provider.core.errors import OdsConfigError, OdsNotAPortal
from ods_provider.core.faces import setting
from ods_provider.core.plans.v1 import calls
from ods_provider.core.plans.v1.params import V1Query
from ods_provider.core.plans.v1.rows import V1Rows
from ods_provider.core.reading import Reader, settled
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.media import OF_RECORDS, Found, MediaJob, State
from ods_provider.jobs.mediafiles.listing import distinct, field_of_files, state_of


@dataclass(frozen=True, slots=True)
class V1MediaJob(MediaJob):
    """All files of one kind, as the other API's media job fetches them; ``rows`` says how many at most.

    Args:
        v1: That API's parameters: which records' files are wanted.
    """

    v1: V1Query = field(default_factory=V1Query)

    def __post_init__(self) -> None:
        MediaJob.__post_init__(self)
        if self.kind not in OF_RECORDS and self.v1.filtered:
            raise OdsConfigError(
                f"a query of records has nothing to do with {self.kind}",
                where="argument v1",
                advice="Pass v1={}, or {'rows': 5} for some of them; or use kind='files'",
            )

    @classmethod
    def of(cls, dataset_id: str, path: Any, query: V1Query, **how: Any) -> V1MediaJob:
        """Return the fetch of a query's files; ``how`` are those arguments of a media job that narrow nothing."""
        return cls(
            dataset_id=dataset_id,
            path=path,
            limit=query.number("rows"),
            v1=query.expect_json(),
            **how,
        )

    def asked(self) -> dict[str, Any]:
        """Return what decides which files are wanted."""
        return MediaJob.asked(self) | {"v1": self.v1.params}

    def look(self, ctx: JobContext) -> tuple[State, Found]:
        """Return the dataset's state, and what the portal says of each file, its ``url`` included."""
        dataset = ctx.client.run(calls.dataset(self.dataset_id))
        state = state_of(dataset.get("metas"), records=self.kind in OF_RECORDS)
        if self.kind not in OF_RECORDS:
            # Their own addresses, "odsfile://name", cannot be fetched.
            return state, [
                said | {"url": calls.file_path(self.dataset_id, self.kind, str(said["id"]))}
                for said in _objects(dataset.get(self.kind))
                if said.get("id")
            ]
        offered = [str(field["name"]) for field in _objects(dataset.get("fields")) if field.get("type") == "file"]
        name = field_of_files(offered, self.field, self.dataset_id)
        return state, distinct(
            self._values(ctx, name),
            name,
            self.dataset_id,
            address=lambda file_id: calls.file_path(self.dataset_id, "files", file_id),
        )

    def state(self, ctx: JobContext) -> State:
        """Return the dataset's state alone."""
        dataset = ctx.client.run(calls.dataset(self.dataset_id))
        return state_of(dataset.get("metas"), records=self.kind in OF_RECORDS)

    def _values(self, ctx: JobContext, name: str) -> list[Any]:
        """Return the field's value of each record that has one: without a value the field is absent (Q17)."""
        reader = Reader(ctx.client.run, V1Rows(self.dataset_id, self.v1.having(fields=name, facet=None)))
        limit = self.v1.number("rows")
        rows = settled(lambda: [row for batch in reader.batches(limit) for row in batch])
        fields = [row.get("fields") or {} for row in rows]
        if not all(isinstance(each, dict) for each in fields):
            # Passed over, their files would be missing and nobody would know.
            raise OdsNotAPortal(
                "the fields of a record are no object",
                status=200,
                where=f"records of dataset {self.dataset_id}",
                advice=f"Check {setting('host')}; some portals only imitate this API",
            )
        return [each[name] for each in fields if name in each]


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
