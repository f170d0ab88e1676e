"""What PostgreSQL's codes of five signs mean for a load: a sentence, what to do, and whether another try may help.

Source: PostgreSQL 15 manual, appendix A. A refused connection has no code: it is told by libpq's words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ods_provider.core.errors import OdsTableBusy, OdsTableError


@dataclass(frozen=True, slots=True)
class Meaning:
    """What is said where a code comes up.

    Attributes:
        what: What happened; what the server said follows.
        advice: What to do about it.
        transient: Whether the same load may succeed later.
    """

    what: str
    advice: str
    transient: bool = False


_SPACE = "Make room there, or ask whoever keeps it; nothing of the load stayed"
_FEWER = "Try later, run fewer loads at once (a pool), or raise the limit there"
_RIGHTS = "Ask the table's owner for what it names; the roles' rights are shown by psql's \\dp and \\dn+"
_AGAIN = "Try again: nothing of the load stayed"
_VALUES = "Give the column a type that holds it, or leave the field out with select"

MEANINGS: dict[str, Meaning] = {
    "08001": Meaning("No connection to the database", "See that it runs, and that host and port are right", True),
    "08006": Meaning("The connection to the database was lost", _AGAIN, True),
    "0A000": Meaning("The database cannot do this to the table", "Choose another swap or mode"),
    "21000": Meaning("More rows than one were found for a key", "Name a key that tells rows apart"),
    "22001": Meaning("A text is longer than its column", _VALUES),
    "22003": Meaning("A number is larger than its column holds", _VALUES),
    "22021": Meaning("A text holds a sign that the database's encoding does not, such as NUL", _VALUES),
    "22P05": Meaning("A text holds a sign that the database's encoding does not", _VALUES),
    "22P02": Meaning("A value is none of its column's type", _VALUES),
    "22P03": Meaning("A value does not have the form of its column's type", _VALUES),
    "22023": Meaning("A value is out of what its column takes", _VALUES),
    "22030": Meaning("JSON names a member twice", _VALUES),
    "23502": Meaning("A column must have a value and got none", "Give it a default, or load a field that fills it"),
    "23503": Meaning("Rows of another table point at rows that would go", "Use mode=merge, without delete_missing"),
    "23505": Meaning("Two rows have what must be unique", "Name another primary_key, or drop the constraint"),
    "23514": Meaning("A row does not hold to a check of the table", "Leave such rows out with where"),
    "25006": Meaning("The database takes no writes: it is a replica, or set to read only", "Name the primary's host"),
    "25P03": Meaning("The server ended an idle transaction", "Raise idle_in_transaction_session_timeout", True),
    "28000": Meaning("The database does not let this user in", "See which user it is, and the server's pg_hba.conf"),
    "28P01": Meaning("The database refused user or password", "Correct the password, where the destination is named"),
    "2BP01": Meaning("Other objects depend on it", "Use swap=stage, which keeps the table"),
    "3D000": Meaning("There is no such database", "Create it, or correct its name where the destination is named"),
    "3F000": Meaning("There is no such schema", "Create it (create schema …), or name one that is there"),
    "40001": Meaning("Another transaction came between", _AGAIN, True),
    "40P01": Meaning("Two transactions waited for one another", _AGAIN, True),
    "42501": Meaning("The database's user may not do this", _RIGHTS),
    "42703": Meaning("A column is not there any more", "Load again: the table was changed meanwhile", True),
    "42704": Meaning("A type is unknown to the database", "Where it is geometry: create extension postgis"),
    "42883": Meaning("A function is unknown to the database", "Where it begins with st_: create extension postgis"),
    "42P01": Meaning("A table is not there any more", "Load again: it was dropped meanwhile", True),
    "42P07": Meaning("Another run made the table meanwhile", _AGAIN, True),
    "428C9": Meaning("A column's values are made by the database itself", "Leave the field out with select"),
    "53100": Meaning("The database's disk is full", _SPACE),
    "53200": Meaning("The database has no memory left", _FEWER, True),
    "53300": Meaning("The database takes no more connections", _FEWER, True),
    "54000": Meaning("The table is beyond what the database holds", "Select fewer fields"),
    "55006": Meaning("The table is in use", _AGAIN, True),
    "55P03": Meaning("The table stayed locked", _AGAIN, True),
    "57014": Meaning("The statement was cancelled", "Where statement_timeout did it, raise it for this user", True),
    "57P01": Meaning("The server ended the connection", _AGAIN, True),
    "57P03": Meaning("The server is starting or stopping", _AGAIN, True),
    "58030": Meaning("The server could not read or write its files", "Ask whoever keeps it; its log says more"),
}
# Of codes that are not above: by their first two signs.
CLASSES: dict[str, Meaning] = {
    "08": MEANINGS["08006"],
    "22": Meaning("A value cannot be stored", _VALUES),
    "23": Meaning("A row does not hold to a rule of the table", "Leave such rows out with where"),
    "40": MEANINGS["40001"],
    "53": Meaning("The database has run out of something", _FEWER, True),
    "57": MEANINGS["57P01"],
    "58": MEANINGS["58030"],
    "XX": Meaning("The server met an error of its own", "Ask whoever keeps it; its log says more", True),
}
UNKNOWN = Meaning("The database refused", "What it says tells more")

# A connection that was refused has words only. They are English where the server's messages are.
_WORDS = (
    (r"password authentication failed|no password supplied|SASL|SCRAM", "28P01"),
    (r"no pg_hba.conf entry|role .* does not exist|not permitted to log in|authentication failed", "28000"),
    (r"database .* does not exist", "3D000"),
    (r"too many (clients|connections)|connection slots|connection limit", "53300"),
    (r"starting up|shutting down|in recovery|not yet accepting", "57P03"),
    (r"terminating connection due to administrator|terminating connection because of crash", "57P01"),
    (r"Connection refused|could not translate host|timeout expired|No route|unreachable|No such file", "08001"),
    (r"closed the connection|no connection to the server|reset by peer|could not (send|receive)|timed out", "08006"),
    (r"SSL SYSCALL|Broken pipe|connection not open|bad connection", "08006"),
)  # fmt: skip
_STATE = re.compile(r"SQLSTATE: (\w{5})$")
# Two spaces follow the server's word for it, in whatever language; the driver's own words come before.
_SEVERITY = re.compile(r"^.*?\b[^\W\d_]{4,}:  ", re.DOTALL)
_DRIVER = re.compile(r"^[A-Z_]+: (?:\[libpq\] )?")
_COLUMN = re.compile(r'^CONTEXT:.*, column (.+?)(?:: .*)?$|column "([^"]+)"', re.MULTILINE)
_DETAIL = re.compile(r"^(?:DETAIL|HINT):\s+(.*)$", re.MULTILINE)


def state_of(error: BaseException) -> str:
    """Return the code of a driver's error, or of what its words mean; empty where neither is known."""
    code = getattr(error, "sqlstate", None) or (found[1] if (found := _STATE.search(str(error).rstrip())) else None)
    if code:
        return str(code)
    return next((state for words, state in _WORDS if re.search(words, str(error))), "")


def meaning(state: str) -> Meaning:
    """Return what a code means for a load."""
    return MEANINGS.get(state) or CLASSES.get(state[:2]) or UNKNOWN


def said(error: BaseException) -> str:
    """Return what the server itself says, without what the driver puts around it."""
    text = _STATE.sub("", str(error).rstrip()).rstrip().split("\nQuery was:")[0]
    first = _DRIVER.sub("", _SEVERITY.sub("", text, count=1)).strip().split("\n", 1)[0]
    details = [first.rstrip(". "), *(found.rstrip(". ") for found in _DETAIL.findall(text))]
    return "; ".join(dict.fromkeys(part for part in details if part))


def column_of(error: BaseException) -> str | None:
    """Return the column that the server names, None where it names none."""
    found = _COLUMN.search(str(error))
    return found and (found[1] or found[2])


def refused(error: BaseException, where: str) -> OdsTableError:
    """Return the error that says what a driver's error means.

    Args:
        error: The driver's.
        where: The database, and the table where it is about one; without user and password.
    """
    known = meaning(state_of(error))
    column = column_of(error)
    at = f"{where}, column {column}" if column else where
    kind = OdsTableBusy if known.transient else OdsTableError
    return kind(f"{known.what}: {said(error)}", where=at, advice=known.advice)
