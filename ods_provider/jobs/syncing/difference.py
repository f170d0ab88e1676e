"""Which rows are new, changed and gone: the digests of both sides joined by their keys."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from ods_provider.jobs.syncing.database import Database, Side

Pair = tuple[int, int]
"""Where two rows of one key begin: in the file, and on the portal's side."""
_LIST_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows of each kind there are.

    Attributes:
        rows: In the file.
        standing: On the portal.
        new: Of keys that the portal does not have.
        changed: Of keys whose rows differ.
        gone: On the portal, and not in the file.
        replaced: On the portal, in whose place changed ones come.
    """

    rows: int
    standing: int
    new: int
    changed: int
    gone: int
    replaced: int

    @property
    def equal(self) -> int:
        """Rows of the file that stand as they are."""
        return self.rows - self.new - self.changed

    def told(self) -> dict[str, int]:
        """Return what an Outcome says of them."""
        return {name: count for name, count in asdict(self).items() if name != "replaced"} | {"equal": self.equal}


class Difference:
    """What differs between the file and one state of the portal.

    Args:
        database: Holds the digests of both.
        side: The state.
    """

    def __init__(self, database: Database, side: Side = "portal") -> None:
        self._database = database
        self._side = side
        self._pairs, self._push, self._leave = f"{side}_pairs", f"{side}_push", f"{side}_leave"

    def join(self) -> None:
        """Pair the rows of both sides by their keys."""
        self._database.run(
            f"CREATE OR REPLACE TABLE {self._pairs} AS SELECT f.pos AS fa, p.pos AS pa, "
            "coalesce(f.r1 = p.r1 AND f.r2 = p.r2, false) AS eq "
            f"FROM file AS f FULL JOIN {self._side} AS p ON f.k1 = p.k1 AND f.k2 = p.k2"
        )

    def unlike(self) -> Iterator[Pair]:
        """Yield the pairs of one key whose digests differ."""
        sql = f"SELECT fa, pa FROM {self._pairs} WHERE NOT eq AND fa IS NOT NULL AND pa IS NOT NULL ORDER BY fa"
        yield from self._database.each(sql)

    def settle(self, alike: Iterable[Pair]) -> None:
        """Take such pairs for equal, and lay down what there is to do.

        Args:
            alike: Those of ``unlike`` that were looked at and found to be the same.
        """
        run, pairs = self._database.run, self._pairs
        run("CREATE OR REPLACE TABLE alike (fa BIGINT, pa BIGINT)")
        each = iter(alike)
        while some := list(islice(each, _LIST_ROWS)):
            columns = {"fa": array("q", (fa for fa, _ in some)), "pa": array("q", (pa for _, pa in some))}
            self._database.insert("alike", columns)
        run(f"UPDATE {pairs} SET eq = true FROM alike WHERE {pairs}.fa = alike.fa AND {pairs}.pa = alike.pa")
        # A key may stand in several rows of the portal: one that is equal is enough.
        run(
            f"CREATE OR REPLACE TABLE {self._push} AS SELECT fa AS pos, bool_or(pa IS NOT NULL) AS known "
            f"FROM {pairs} AS one WHERE fa IS NOT NULL AND NOT eq AND NOT EXISTS "
            f"(FROM {pairs} AS other WHERE other.eq AND other.fa = one.fa) GROUP BY fa"
        )
        run(
            f"CREATE OR REPLACE TABLE {self._leave} AS SELECT one.pa AS pos, push.pos IS NOT NULL AS replaced "
            f"FROM {pairs} AS one LEFT JOIN {self._push} AS push ON one.fa = push.pos "
            "WHERE one.pa IS NOT NULL AND NOT one.eq"
        )
        run("DROP TABLE alike")
        run("CHECKPOINT")

    def counts(self) -> Counts:
        """Return how many rows of each kind there are."""
        (rows,) = self._database.one("SELECT count(*) FROM file")
        (standing,) = self._database.one(f"SELECT count(*) FROM {self._side}")
        changed, pushed = self._database.one(f"SELECT count(*) FILTER (known), count(*) FROM {self._push}")
        replaced, left = self._database.one(f"SELECT count(*) FILTER (replaced), count(*) FROM {self._leave}")
        return Counts(rows, standing, pushed - changed, changed, left - replaced, replaced)

    def pushed(self, *, known: bool | None = None, skip: int = 0, most: int | None = None) -> Iterator[int]:
        """Yield where the rows begin that are pushed, in the file's order.

        Args:
            known: Only those whose key the portal has, or only others; None takes all.
            skip: How many of them are passed over.
            most: How many at most.
        """
        return self._ordered(self._push, None if known is None else f"known = {known}", skip, most)

    def leaving(self, *, replaced: bool | None = None, skip: int = 0, most: int | None = None) -> Iterator[int]:
        """Yield where the rows of the portal begin that go; ``replaced`` as ``known`` above."""
        return self._ordered(self._leave, None if replaced is None else f"replaced = {replaced}", skip, most)

    def changed(self, most: int) -> list[Pair]:
        """Return some of the changed rows."""
        found: list[Any] = self._database.all(
            f"SELECT fa, min(pa) FROM {self._pairs} JOIN {self._push} AS push ON fa = push.pos WHERE known "
            f"GROUP BY fa ORDER BY fa LIMIT {int(most)}"
        )
        return found

    def _ordered(self, table: str, which: str | None, skip: int, most: int | None) -> Iterator[int]:
        clause = f"WHERE {which}" if which else ""
        limit = "" if most is None else f"LIMIT {int(most)}"
        for (at,) in self._database.each(f"SELECT pos FROM {table} {clause} ORDER BY pos {limit} OFFSET {int(skip)}"):
            yield at
