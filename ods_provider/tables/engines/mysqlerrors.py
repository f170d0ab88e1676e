"""What the codes of MariaDB and MySQL mean for a load: a sentence, what to do, and whether another try may help.

Source: MariaDB's error code reference. Codes from 2000 on are the driver's own.
"""

from __future__ import annotations

from ods_provider.tables.engines.sqlstates import Meaning

_AGAIN = "Try again: the table is as it was"
_SPACE = "Make room there, or ask whoever keeps it; the table is as it was"
_RIGHTS = "Grant the user CREATE, DROP, ALTER, INDEX, SELECT, INSERT, UPDATE and DELETE on this database"
_IN = "Check user and password, and from which host the user may come"
_FEWER = "Try later, run fewer loads at once (a pool), or raise the limit there"
_HELD = (
    "Let whoever holds it end, or end it (SHOW FULL PROCESSLIST tells who), and try again; "
    "lock_timeout_s in the destination's query waits longer"
)
_FULL = Meaning("The database's disk is full", _SPACE)
_NO_WAY = Meaning("No connection to the database", "See that it runs, and that host and port are right", True)
_LOST = Meaning("The connection to the database was lost", _AGAIN, True)
_NO_RIGHT = Meaning("The database's user may not do this", _RIGHTS)
_NOT_LET_IN = Meaning("The database refused user or password", _IN)
_BUSY = Meaning("The database takes no more connections", _FEWER, True)
UNKNOWN = Meaning("The database refused", "What it says tells more")
MEANINGS: dict[int, Meaning] = {
    3: _FULL,
    14: _FULL,  # of the server's own files: it cannot make one larger
    20: _FULL,
    1021: _FULL,
    1040: _BUSY,
    1044: _NO_RIGHT,
    1045: _NOT_LET_IN,
    1049: Meaning("There is no such database", "Create it, or correct its name where the destination is named"),
    1053: Meaning("The server is stopping", _AGAIN, True),
    1062: Meaning("Two rows have what must be unique", "Name another primary_key, or drop the index"),
    1114: _FULL,
    1142: _NO_RIGHT,
    1146: Meaning("A table is not there any more", "Load again: it was dropped meanwhile", True),
    1153: Meaning("One row is larger than the server takes", "Raise its max_allowed_packet"),
    1158: _LOST,
    1159: _LOST,
    1160: _LOST,
    1161: _LOST,
    1203: _BUSY,
    1205: Meaning("The table stayed locked", _HELD, True),
    1213: Meaning("Two transactions waited for one another", _AGAIN, True),
    1226: _BUSY,
    1290: Meaning("The database takes no writes: it is a replica, or set to read only", "Name the primary's host"),
    1317: Meaning("The statement was cancelled", _AGAIN, True),
    1451: Meaning("Rows of another table point at rows that would go", "Use mode=merge, without delete_missing"),
    1698: _NOT_LET_IN,
    1927: _LOST,
    1969: Meaning("The statement took too long for this user", "Raise max_statement_time of the user", True),
    2002: _NO_WAY,
    2003: _NO_WAY,
    2006: _LOST,
    2013: _LOST,
    3024: Meaning("The statement took too long for this user", "Raise max_execution_time of the user", True),
}


def meaning(code: int, said: str) -> Meaning:
    """Return what a code means for a load, with what the server says of its storage engine's own codes."""
    if "No space left" in said or "rror 28 " in said:
        return _FULL
    return MEANINGS.get(code, UNKNOWN)
