"""What a task hands to the runner, and the name of Prefect's adapter there. It imports no Prefect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ods_provider.schedulers.prefect.artifacts import Board

NAME = "prefect"


@dataclass(slots=True)
class Native:
    """What a task hands to the runner.

    Attributes:
        key: Stable name of the work: the same in every flow run that continues it.
        log: The run's logger.
        credentials: The ``OdsCredentials`` that the task was given; None loads the block that the connection names.
        board: Where progress and the result are drawn; None outside a run.
    """

    key: str
    log: Any
    credentials: Any = None
    board: Board | None = None
