"""Seeded operations, one after the other: each is known by its seed and its number, and can be repeated alone."""

from __future__ import annotations

import random
import shutil
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from fuzzing.mutated import work  # noqa: F401  importing it registers its operations
from fuzzing.mutated.bench import API_KEY, KEYS, PUSH_KEY, USUAL_S, WITHHELD_S, Bench
from fuzzing.mutated.judging import End, complaints
from fuzzing.mutated.operations import CAPITALS, OPERATIONS, PHOTOS, READINGS, Operation
from fuzzing.mutated.proxy import Proxy
from fuzzing.mutated.striking import Baseline, Struck, blow, striking
from fuzzing.mutated.wire import Answer, Asked
from ods_provider.client import OdsClient
from ods_provider.core.outcome import Wait
from ods_provider.core.redact import Secret
from ods_provider.testing.portal import LocalPortal

_NEIGHBOURS = 10
# Whose answers may come in the place of others: the same ones whatever ran before.
_FOREIGN = ("OdsClient.dataset: its description", "OdsClient.facets: of a dataset", "ClientV1.analyze: groups")


@dataclass
class Told:
    """What became of one operation."""

    number: int
    operation: str
    blows: list[str]
    ended: str
    struck: list[str]
    wrong: list[str] = field(default_factory=list)


class Session:
    """Runs operations of one seed.

    Args:
        portal: The local portal.
        proxy: Stands before it.
        folder: For what jobs write; emptied after each operation.
        seed: Of everything.
        kinds: Whether every method and job has its turn, one after the other, in place of what the seed draws.
    """

    def __init__(self, portal: LocalPortal, proxy: Proxy, folder: Path, seed: str, *, kinds: bool = False) -> None:
        self._in_turn = _in_turn() if kinds else []
        self._portal, self._proxy, self._folder, self._seed = portal, proxy, folder, seed
        self._baselines: dict[str, Baseline] = {}
        self._names = sorted(OPERATIONS)
        self._facts = self._look()
        self._foreign = [each for name in _FOREIGN for each in self.baseline(OPERATIONS[name]).answers.values()]

    def _look(self) -> dict[str, str]:
        with OdsClient(self._portal.url, api_key=API_KEY) as client:
            (row,) = client.records(CAPITALS, limit=1, order_by="name", include_app_metas=True)
            (reading,) = client.records(READINGS, limit=1, order_by="sensor_id", include_app_metas=True)
            (photo,) = client.records(PHOTOS, limit=1, order_by="title", typed=False)
            (older,) = client.v1.search_records(CAPITALS, rows=1)["records"]
        return {
            "record_id": row["_id"],
            "reading_id": reading["_id"],
            "v1_record_id": older["recordid"],
            # Without the host: it is the proxy that is asked.
            "photo": urlsplit(photo["photo"]["url"]).path,
        }

    def chosen(self, number: int) -> tuple[Operation, random.Random]:
        """Return the operation of a number; neighbours share one, for what is right must be found out first."""
        chance = random.Random(f"{self._seed}/{number}")
        if self._in_turn:
            return self._in_turn[number % len(self._in_turn)], chance
        name = random.Random(f"{self._seed}/of/{number // _NEIGHBOURS}").choice(self._names)
        return OPERATIONS[name], chance

    def run(self, number: int) -> Told:
        """Run one operation and say what became of it."""
        chosen, chance = self.chosen(number)
        baseline, struck = self.baseline(chosen), Struck()
        scheduled, again = chance.random() < 0.5, chance.random() < 0.5
        blows = [
            blow(baseline, chance, f"{self._seed}/{number}/{each}", self._foreign) for each in range(_how_many(chance))
        ]
        self._proxy.answers = striking(baseline, blows, self._foreign, self._proxy.fetch, struck)
        keys = (*KEYS, baseline.grant.reveal())
        timeout_s = WITHHELD_S if any(each.mutation.name == "silence" for each in blows) else USUAL_S
        try:
            end = self._end(chosen, baseline.grant, timeout_s=timeout_s, scheduled=scheduled)
            wrong = complaints(end, baseline.right, visible=struck.visible, keys=keys) + self._left_over(end)
            if end.error is not None and not wrong and again:
                # What a failed try left behind must not spoil the next one.
                self._proxy.answers = striking(baseline, [], [], self._proxy.fetch, Struck())
                after = self._end(chosen, baseline.grant, scheduled=scheduled)
                said = complaints(after, baseline.right, visible=struck.visible, keys=keys)
                if after.error is not None and struck.visible:
                    said.append(f"nothing helps: {after.error}")
                wrong = [f"after a failed try: {each}" for each in said]
        finally:
            shutil.rmtree(self._folder / "bench", ignore_errors=True)
        return Told(number, chosen.name, [str(each) for each in blows], _ended(end), sorted(struck.names), wrong)

    def baseline(self, chosen: Operation) -> Baseline:
        """Return what is right, found out once."""
        if chosen.name in self._baselines:
            return self._baselines[chosen.name]
        # A refresh token works once; its answer is kept as all others are.
        found, lock = Baseline(chosen, Secret(self._portal.oauth.grant()), {}, {}), threading.Lock()

        def keeping(asked: Asked) -> Answer:
            with lock:
                if asked.key not in found.answers:
                    found.asked[asked.key], found.answers[asked.key] = asked, self._proxy.fetch(asked)
                return found.answers[asked.key].copy()

        self._proxy.answers = keeping
        end = self._end(chosen, found.grant, scheduled=True)
        shutil.rmtree(self._folder / "bench", ignore_errors=True)
        if chosen.writes:
            self._portal.store.reset()
        if end.error is not None:
            raise AssertionError(f"{chosen.name} fails when nothing is changed") from end.error
        assert found.answers, f"{chosen.name} asks nothing"
        return self._baselines.setdefault(chosen.name, replace(found, right=end.value))

    def _end(self, chosen: Operation, grant: Secret, *, scheduled: bool, timeout_s: float = USUAL_S) -> End:
        bench = Bench(self._proxy.url, self._folder / "bench", self._facts, grant, timeout_s, scheduled)
        (bench.folder / "out").mkdir(parents=True, exist_ok=True)
        try:
            return _ran(chosen, bench)
        finally:
            bench.close()

    def _left_over(self, end: End) -> list[str]:
        """Return files that stand under a name although the work failed, but for those of a folder."""
        out = self._folder / "bench" / "out"
        if end.error is None and not isinstance(end.value, Wait):
            return []
        standing = [each.name for each in out.iterdir() if each.is_file() and not each.name.startswith(".")]
        return [f"{name} stands after a failure" for name in standing]


def _ran(chosen: Operation, bench: Bench) -> End:
    """Run it in a frame that holds nothing else: what an error keeps alive is searched for keys."""
    try:
        return End(value=chosen.run(bench))
    except Exception as error:
        return End(error)


def _in_turn() -> list[Operation]:
    """Return the first operation of each method and job, then the second ones, and so on."""
    seen: Counter[str] = Counter()
    ranked = []
    for each in OPERATIONS.values():
        ranked.append((seen[each.of], len(ranked), each))
        seen[each.of] += 1
    return [each for _, _, each in sorted(ranked, key=lambda one: one[:2])]


def _how_many(chance: random.Random) -> int:
    return chance.choices((1, 2, 3), weights=(7, 2, 1))[0]


def _ended(end: End) -> str:
    if end.error is not None:
        return type(end.error).__name__
    return "Wait" if isinstance(end.value, Wait) else "a result"


def portal() -> LocalPortal:
    """Return the portal that all of it is about."""
    return LocalPortal(synthetic_rows=350, api_key=API_KEY, push_key=PUSH_KEY)


def command(seed: str, number: int, *, kinds: bool) -> str:
    chosen = " --kinds" if kinds else ""
    return f"PYTHONPATH=tests {Path(sys.executable).name} -m fuzzing.mutated --seed {seed}{chosen} --only {number}"
