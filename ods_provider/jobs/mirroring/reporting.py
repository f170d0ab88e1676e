"""What came of a run of a mirror: the report, what is remembered for the next one, and what becomes of what is gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ods_provider.core.legible import legible
from ods_provider.core.times import iso
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.mirroring.listing import Listed
from ods_provider.jobs.mirroring.order import MirrorOrder
from ods_provider.jobs.mirroring.places import Place
from ods_provider.jobs.mirroring.planning import brought, is_current, most_dropped, standing
from ods_provider.jobs.mirroring.remembered import Known, Remembered
from ods_provider.jobs.mirroring.working import (
    DONE,
    FAILED,
    LEFT_OUT,
    RENAMED,
    TOMORROW,
    UNCHANGED,
    VANISHED,
    Due,
    Row,
    done_row,
    row,
)

WORDS = (DONE, UNCHANGED, TOMORROW, FAILED, VANISHED, RENAMED, LEFT_OUT)
_KEPT = {"keep": "kept", "mark": "marked", "drop": "dropped"}


class Report:
    """Gathers what came of a run.

    Args:
        ctx: The job's.
        place: Where the mirror is.
        order: What was wanted.
        remembered: The plan, and what was known before.
        now: ISO 8601.
    """

    def __init__(self, ctx: JobContext, place: Place, order: MirrorOrder, remembered: Remembered, now: str) -> None:
        self._ctx = ctx
        self._place = place
        self._order = order
        self._remembered = remembered
        self._plan = remembered.plan
        self._datasets = dict(remembered.datasets)
        self._now = now

    def made(self, results: Sequence[Row]) -> dict[str, Any]:
        """Return the report, and remember what the next run is to know.

        Args:
            results: What the work gave for each dataset; what is missing in it is looked for where the mirror is.
        """
        told = {each["dataset_id"]: each for each in results}
        rows = [*self._worked(told), *self._others(), *self._gone()]
        names = {each["now"]: each["dataset_id"] for each in self._plan["gone"] if each["now"]}
        rows = [self._named(each, names) for each in rows]
        rows.sort(key=lambda each: (WORDS.index(each["what"]), each["dataset_id"]))
        self._place.remember(self._ctx, replace(self._remembered, datasets=self._datasets))
        return self._summed(rows)

    def _worked(self, told: Mapping[str, Row]) -> list[Row]:
        listed = [Due.of(each).listed for each in self._plan["due"]]
        silent = {each.dataset_id: self._datasets[each.dataset_id] for each in listed if each.dataset_id not in told}
        written = self._place.written(self._ctx, silent) if silent else {}
        rows = []
        for each in listed:
            found = told.get(each.dataset_id) or self._silent(each, written.get(each.dataset_id))
            known = self._datasets[each.dataset_id]
            if found["what"] in (DONE, UNCHANGED):
                known = brought(each, known, found, self._now)
            elif found["what"] == FAILED:
                # Behind the others: what fails every night takes nobody's turn.
                known = replace(known, queued_at=self._now)
            self._datasets[each.dataset_id] = known
            rows.append({name: value for name, value in found.items() if name != "again"})
        return rows

    def _silent(self, listed: Listed, outcome: Mapping[str, Any] | None) -> Row:
        """Return what became of a dataset whose task said nothing."""
        known = self._datasets[listed.dataset_id]
        if outcome is not None and is_current(listed, standing(known, outcome, self._now)):
            return done_row(outcome)
        return row(listed.dataset_id, FAILED, why="its task gave no result: look into its log")

    def _others(self) -> list[Row]:
        return [
            *(row(each, TOMORROW, why=self._plan["why_tomorrow"]) for each in self._plan["tomorrow"]),
            *(
                row(each, UNCHANGED, rows=self._datasets[each].rows, data_processed=self._datasets[each].data_processed)
                for each in self._plan["unchanged"]
            ),
            *(row(each, LEFT_OUT, why=why) for each, why in self._plan["left_out"].items()),
        ]

    def _gone(self) -> list[Row]:
        rows = []
        most = most_dropped(len(self._remembered.datasets))
        for each in self._plan["gone"]:
            dataset_id, now = each["dataset_id"], each["now"]
            # A run that was begun again has told of it before.
            known = self._datasets.get(dataset_id) or Known(**each["known"])
            how, why = self._order.vanished, ""
            if how == "drop" and len(self._plan["gone"]) > most:
                how, why = "mark", f", not dropped: more than {most} are gone at once"
            elif how == "drop" and now and self._datasets.get(now, known).queued_at is not None:
                rows.append(row(dataset_id, RENAMED, why=f"is now called {now}; kept until that is here"))
                continue
            self._leave(dataset_id, known, how)
            said = f"is now called {now}; " if now else ""
            rows.append(row(dataset_id, RENAMED if now else VANISHED, why=f"{said}{_KEPT[how]}{why}"))
        return rows

    def _leave(self, dataset_id: str, known: Known, how: str) -> None:
        self._datasets.pop(dataset_id, None)
        if how == "drop":
            self._place.drop(self._ctx, dataset_id, known)
        elif how == "mark":
            marked = replace(known, vanished_at=known.vanished_at or self._now, queued_at=None)
            self._datasets[dataset_id] = marked

    @staticmethod
    def _named(found: Row, names: Mapping[str, str]) -> Row:
        older = names.get(found["dataset_id"])
        if older is None:
            return found
        return {**found, "why": "; ".join(filter(None, (f"was called {older}", found["why"])))}

    def _summed(self, rows: list[Row]) -> dict[str, Any]:
        counts = Counter(each["what"] for each in rows)
        quota = self._ctx.client.quota.portal
        for each in rows:
            if each["what"] != UNCHANGED:
                said = f"{each['what']} {each['dataset_id']}" + (f": {each['why']}" if each["why"] else "")
                self._ctx.run.log.info("%s", legible(said))
        return {
            "path": self._place.shown(self._ctx),
            **{word.replace(" ", "_"): counts[word] for word in WORDS},
            "rows": sum(each["rows"] or 0 for each in rows if each["what"] == DONE),
            "calls": self._plan["calls"] + sum(each["calls"] for each in rows),
            "reserve": self._plan["reserve"],
            "quota_remaining": quota.remaining if quota else None,
            "reset_at": iso(quota.reset_at) if quota else None,
            "note": ", ".join(f"{counts[word]:,} {word}" for word in WORDS if counts[word]) or "nothing is listed",
            "datasets": rows,
        }
