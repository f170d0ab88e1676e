"""How a locked table is waited for at PostgreSQL, and who holds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from ods_provider.core.legible import legible

Query = Callable[[str], Sequence[Sequence[Any]]]
Lock = Literal["ACCESS EXCLUSIVE", "SHARE ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE"]


def lock(table: str, kind: Lock, patience_s: float) -> str:
    """Return the statement that locks a table, for the rest of the transaction.

    Whoever waits for a lock stands before all who come later, readers too: behind one long query they would all wait.
    So it asks for a second at a time, and lets them by in between.

    Args:
        table: Its name, quoted.
        kind: ``ACCESS EXCLUSIVE`` keeps readers waiting, the others do not.
        patience_s: After how long the database's error 55P03 is raised.
    """
    short_ms, pause_s = max(1, min(1000, int(patience_s * 1000))), 0.5
    body = f"""
DECLARE
  started timestamptz := clock_timestamp();
  before text := current_setting('lock_timeout');
BEGIN
  LOOP
    BEGIN
      PERFORM set_config('lock_timeout', '{short_ms}', true);
      LOCK TABLE {table} IN {kind} MODE;
      PERFORM set_config('lock_timeout', before, true);
      RETURN;
    EXCEPTION WHEN lock_not_available THEN
      IF clock_timestamp() - started >= make_interval(secs => {patience_s!r}) THEN
        RAISE;
      END IF;
      PERFORM pg_sleep({pause_s});
    END;
  END LOOP;
END"""
    mark = "$ods$"
    while mark in body:
        mark = f"{mark[:-1]}_$"
    return f"DO {mark}{body}{mark}"


def holders(query: Query, table: str) -> str:
    """Return who holds a table: number, application and the query's beginning; empty where nobody does any more.

    Args:
        query: Runs a statement, outside of the transaction that waited.
        table: Its name, quoted, as a literal.
    """
    rows = query(_HOLDERS.format(table=table))
    told = [
        f"process {pid} ({', '.join(part for part in (user, legible(application), state) if part)}, since {since}): "
        f"{legible(asked, most_chars=80)}"
        for pid, user, application, state, since, asked in rows
    ]
    return "; ".join(told)


_HOLDERS = """
SELECT DISTINCT s.pid::bigint, coalesce(s.usename::text, ''), coalesce(s.application_name, ''), coalesce(s.state, ''),
  to_char(s.xact_start, 'HH24:MI:SS TZ'), coalesce(s.query, '')
FROM pg_locks AS l JOIN pg_stat_activity AS s ON s.pid = l.pid
WHERE l.relation = to_regclass({table}) AND l.granted AND l.pid <> pg_backend_pid() LIMIT 3"""
