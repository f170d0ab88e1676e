"""What the suite asks an adapter to run, and what the adapter says came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ods_provider.jobs.context import Job


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of work, in JSON only, so that it can travel to wherever the scheduler runs it.

    Attributes:
        name: Names the work, in ``[a-z0-9-]``. ``run`` with the same name again is the next try of the same work: its
            ``Run.key`` must be the same.
        job: ``media`` or ``search``.
        arguments: The job's, in the words of the operators.
        host, api_key, extra: The connection. Keep it as your users would, never in the environment of a log.
        environ: What every process needs in which the job may run, besides its usual environment.
    """

    name: str
    job: Literal["media", "search"]
    arguments: Mapping[str, Any]
    host: str
    api_key: str
    extra: Mapping[str, Any]
    environ: Mapping[str, str]

    def make_job(self) -> Job:
        """Return the job, for adapters that have no operators of their own."""
        from ods_provider.core.query import Query
        from ods_provider.jobs.media import MediaJob
        from ods_provider.jobs.search import SearchJob

        if self.job == "media":
            return MediaJob(**self.arguments)
        given = dict(self.arguments)
        return SearchJob(dataset_id=given.pop("dataset_id"), query=Query.of(order_by=given.pop("order_by")), **given)

    def to_json(self) -> str:
        """Return it as text; it holds the key, so that a file of it belongs to nobody else."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Work:
        """Return what ``to_json`` wrote."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of it.

    Attributes:
        status: ``done``; ``stopped`` when it was cancelled; else ``failed``, also when its process died.
        result: What the job returned, when it is done.
        text: Everything that anybody can read of it: logs, stored states and payloads, reprs. The suite looks for keys
            in it, and for what an error said.
    """

    status: Literal["done", "stopped", "failed"]
    result: Any = None
    text: str = ""
