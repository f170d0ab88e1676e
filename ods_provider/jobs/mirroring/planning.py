"""What a run of a mirror does: the catalogue compared with what is remembered, in the order of longest waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from ods_provider.jobs.mirroring.listing import Listed
from ods_provider.jobs.mirroring.remembered import Known

# A look before (the dataset, its count), the export, a look after.
CALLS_A_DATASET = 5
# Of the datasets that a mirror holds. More vanish when a key lost its rights, or a filter its meaning.
_MOST_DROPPED, _MOST_DROPPED_SHARE = 5, 0.1


@dataclass(frozen=True, slots=True)
class Gone:
    """A dataset of the mirror that the catalogue no longer lists under its id; ``now`` is its new one, if any."""

    dataset_id: str
    now: str | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """A catalogue beside what a mirror remembers.

    Attributes:
        due: What is to be fetched, the longest waiting first.
        unchanged: Ids of what is not.
        left_out: Why the others cannot be, by id.
        gone: What the catalogue no longer lists.
        datasets: What is to be remembered from now on.
    """

    due: tuple[Listed, ...]
    unchanged: tuple[str, ...]
    left_out: Mapping[str, str]
    gone: tuple[Gone, ...]
    datasets: Mapping[str, Known]


def compared(
    listed: Iterable[Listed],
    known: Mapping[str, Known],
    *,
    here: AbstractSet[str],
    written: Callable[[Mapping[str, Known]], Mapping[str, Mapping[str, Any]]],
    named: Callable[[str, AbstractSet[str]], str],
    now: str,
    same_filters: bool,
) -> Compared:
    """Return what there is to do.

    Args:
        listed: The catalogue.
        known: What is remembered, by id.
        here: Names of the files or tables of ``known`` that stand.
        written: Returns the Outcomes of what stands of some datasets: a run that was killed could not say so.
        named: Makes the name of a new dataset's file or table, given those that are taken.
        now: ISO 8601.
        same_filters: Whether the catalogue was asked as it was then; else what it does not list need not be gone.
    """
    by_id = {each.dataset_id: each for each in listed}
    entries = _entries(by_id, known, named)
    current = {name for name, entry in entries.items() if is_current(by_id[name], entry) and entry.place in here}
    told = written({name: entry for name, entry in entries.items() if name not in current})
    for name, outcome in told.items():
        entries[name] = standing(entries[name], outcome, entries[name].done_at or now)
        if is_current(by_id[name], entries[name]):
            current.add(name)
    for name, entry in entries.items():
        since = known[name].queued_at if name in known else None
        entries[name] = replace(entry, queued_at=None if name in current else since or now)
    absent = {name: entry for name, entry in known.items() if name not in by_id}
    gone = _gone(absent, by_id, here) if same_filters else ()
    # Those that are gone are remembered until a report has told of them.
    stay = {each.dataset_id for each in gone} | by_id.keys()
    return Compared(
        due=tuple(sorted((by_id[name] for name in entries.keys() - current), key=lambda each: _turn(each, entries))),
        unchanged=tuple(sorted(current)),
        left_out={name: each.left_out for name, each in by_id.items() if each.left_out is not None},
        gone=gone,
        datasets={name: entry for name, entry in known.items() if name in stay} | entries,
    )


def _entries(
    listed: Mapping[str, Listed], known: Mapping[str, Known], named: Callable[[str, AbstractSet[str]], str]
) -> dict[str, Known]:
    """Return what is to be remembered of the datasets that can be fetched."""
    taken = {each.place for each in known.values()}
    entries = {}
    for name, each in sorted(listed.items()):
        if each.left_out is None:
            entry = known.get(name) or Known(named(name, taken))
            taken.add(entry.place)
            entries[name] = replace(entry, uid=each.uid, vanished_at=None)
    return entries


def _turn(listed: Listed, entries: Mapping[str, Known]) -> tuple[str, str, str]:
    # Those that wait since the same run: the older change first.
    return entries[listed.dataset_id].queued_at or "", listed.data_processed or "", listed.dataset_id


def is_current(listed: Listed, known: Known) -> bool:
    """Return whether what was brought is what the catalogue tells of; never where it does not tell."""
    if known.done_at is None or listed.data_processed is None or listed.data_processed != known.data_processed:
        return False
    return known.records_count is None or listed.records_count == known.records_count


def brought(listed: Listed, known: Known, outcome: Mapping[str, Any], now: str) -> Known:
    """Return what is known of a dataset whose rows came."""
    as_listed = outcome.get("data_processed") == listed.data_processed
    return replace(
        known,
        data_processed=outcome.get("data_processed"),
        # Of a state that came after the catalogue was read, it told nothing.
        records_count=listed.records_count if as_listed else None,
        rows=outcome.get("rows"),
        done_at=now,
        queued_at=None,
    )


def standing(known: Known, outcome: Mapping[str, Any], now: str) -> Known:
    """Return what is known of a dataset by the Outcome that is kept with it: nobody said what was listed then."""
    rows, hidden = outcome.get("rows"), outcome.get("hidden_rows")
    return replace(
        known,
        data_processed=outcome.get("data_processed"),
        records_count=rows + (hidden or 0) if isinstance(rows, int) else None,
        rows=rows,
        done_at=now,
        queued_at=None,
    )


def most_dropped(known: int) -> int:
    """Return how many datasets one run may drop of a mirror that holds ``known``."""
    return max(_MOST_DROPPED, int(known * _MOST_DROPPED_SHARE))


def _gone(absent: Mapping[str, Known], listed: Mapping[str, Listed], here: AbstractSet[str]) -> tuple[Gone, ...]:
    ids = {each.uid: each.dataset_id for each in listed.values() if each.uid}
    return tuple(
        Gone(dataset_id, ids.get(entry.uid) if entry.uid else None)
        for dataset_id, entry in sorted(absent.items())
        if entry.place in here
    )
