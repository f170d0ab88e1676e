"""Has a dataset changed since? Only times of the portal are compared, never the clock of a worker."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, get_args

from ods_provider.core.errors import OdsConfigError, OdsIncomplete
from ods_provider.core.schema import Dataset
from ods_provider.core.times import iso, parse_time

What = Literal["data", "metadata", "any"]
TIMES: dict[What, tuple[str, ...]] = {
    "data": ("data_processed",),
    "metadata": ("modified",),
    "any": ("data_processed", "modified"),
}


def compared(dataset: Dataset, since: Mapping[str, datetime | None], what: What) -> str:
    """Return in words what was compared, and what that means: ``data_processed is …, and was …: nothing newer``."""
    times = [
        f"{name} is {iso(getattr(dataset, name))}, and was {iso(since[name])}" for name in TIMES[what] if name in since
    ]
    return f"{'; '.join(times)}: {'newer' if moved_on(dataset, since, what) else 'nothing newer'}"


def what_named(value: Any) -> What:
    """Return what is watched.

    Raises:
        OdsConfigError: It is none of data, metadata, any.
    """
    for what in get_args(What):
        if str(value).strip().lower() == what:
            chosen: What = what
            return chosen
    raise OdsConfigError(f"what={value!r} cannot be watched", where="argument what", advice="Use data, metadata or any")


def watermark(since: Any, what: What) -> dict[str, datetime | None]:
    """Return the times to compare with, by name.

    Args:
        since: One portal time (ISO 8601 text or datetime), or what a watcher returned earlier (a mapping).
        what: What is watched.

    Returns:
        None under a name: the portal knew no such time when the watcher looked, so that any is newer.

    Raises:
        OdsConfigError: It holds no time that fits.
    """
    if isinstance(since, str) and since.lstrip().startswith("{"):
        # A rendered template turns the earlier result into text, in Python's spelling.
        since = _literal(since)
    given = since if isinstance(since, Mapping) else dict.fromkeys(TIMES[what], since)
    times = {name: parse_time(given.get(name)) for name in TIMES[what]}
    known: dict[str, datetime | None] = {name: time for name, time in times.items() if time is not None}
    # A watcher's own result says of a dataset that was never processed that it was not.
    known |= {name: None for name in times if isinstance(since, Mapping) and name in since and since[name] is None}
    if not known:
        raise OdsConfigError(
            f"since={since!r} holds no time to compare {' and '.join(TIMES[what])} with",
            where="argument since",
            advice="Pass a time of the portal (ISO 8601), or what an earlier look returned; leave it out otherwise",
        )
    return known


def _literal(text: str) -> Any:
    import ast

    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def moved_on(dataset: Dataset, since: Mapping[str, datetime | None], what: What) -> bool:
    """Return whether the dataset is newer than the watermark.

    Raises:
        OdsIncomplete: The portal does not say when the dataset changed, so that waiting would never end.
    """
    seen = {"data_processed": dataset.data_processed, "modified": dataset.modified}
    compared = [(seen[name], moment) for name, moment in since.items()]
    if all(now is None for now, then in compared) and any(then is not None for _, then in compared):
        raise OdsIncomplete(
            f"the portal does not say when {dataset.dataset_id} changed ({', '.join(TIMES[what])} is empty)",
            where=f"dataset {dataset.dataset_id}",
            advice="Watch what='metadata', or another dataset",
        )
    return any(now is not None and (then is None or now > then) for now, then in compared)
