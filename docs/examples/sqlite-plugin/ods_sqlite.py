"""Rows of a search or a download as rows of a SQLite table: `path="rows:/srv/city.sqlite#capitals"`, `format="jsonl"`.

All rows of the table are replaced in one transaction. A load does more (types, append, merge, history): its
`destination` is the same without the `#…`.
"""

import json
import sqlite3
from contextlib import closing
from itertools import islice
from pathlib import Path

from fsspec.implementations.local import LocalFileSystem

from ods_provider.errors import OdsConfigError, OdsSinkError
from ods_provider.plugins.hookspecs import hookimpl
from ods_provider.sinks.destination import Destination
from ods_provider.tables.urls import target_of

ODS_PLUGIN_API_REQUIRES = ">=1.1,<2"
SCHEME = "rows:"
BUSY_S = 60.0
FEW = 1_000


# [START filesystem]
class Rows(LocalFileSystem):
    """The local disk, where `file#table` is a table: what is moved there becomes its rows.

    What a job writes meanwhile, its part and its progress, are hidden files beside the database. The protocol is not
    the local one's: where that is named, jobs rename by themselves and ask no filesystem.
    """

    protocol = "ods-sqlite-rows"

    def mv(self, path1, path2, **options):
        if not is_table(path2):
            super().mv(path1, path2, **options)
            return
        database, _, table = path2.rpartition("#")
        with open(path1, encoding="utf-8") as lines:
            replace(database, table, (json.loads(line) for line in lines))
        self.rm_file(path1)


def is_table(path):
    """Return whether a path names a table; the job's own files beside it are hidden, or have no `#` in their names."""
    file, _, table = Path(path).name.rpartition("#")
    return bool(file and table) and not file.startswith(".")


@hookimpl
def ods_open_destination(place):
    if not isinstance(place, str) or not place.startswith(SCHEME):
        return None
    path = str(Path(place.removeprefix(SCHEME)).absolute())
    if not is_table(path):
        raise OdsConfigError("no table is named", where="argument path", advice="Write rows:/srv/city.sqlite#capitals")
    return Destination(Rows(), path, place)


# [END filesystem]


def replace(database, table, rows):
    """Make ``rows`` all rows of a table; readers see the old ones or the new ones, never a part."""
    try:
        with closing(sqlite3.connect(database, timeout=BUSY_S, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            # A table that stands keeps its columns, with their types, and its indexes.
            known = [column[1] for column in db.execute(f"PRAGMA table_info({quoted(table)})")]
            if known:
                db.execute(f"DELETE FROM {quoted(table)}")  # noqa: S608  the name is quoted
            while few := list(islice(rows, FEW)):
                insert(db, table, known, few)
            db.execute("COMMIT")  # what ends before it, ends without a trace
    except sqlite3.Error as error:
        advice = "Run it again, or see who works on that file"
        raise OdsSinkError(f"SQLite: {error}", where=f"{database}#{table}", advice=advice) from None


def insert(db, table, known, rows):
    """Insert rows; ``known`` are the columns so far, and a field that is new becomes one more, without a type."""
    for name in dict.fromkeys(name for row in rows for name in row if name not in known):
        db.execute(
            f"ALTER TABLE {quoted(table)} ADD COLUMN {quoted(name)}"
            if known
            else f"CREATE TABLE {quoted(table)} ({quoted(name)})"
        )
        known.append(name)
    names, marks = ", ".join(map(quoted, known)), ", ".join("?" * len(known))
    values = ([cell(row.get(name)) for name in known] for row in rows)
    db.executemany(f"INSERT INTO {quoted(table)} ({names}) VALUES ({marks})", values)  # noqa: S608  as above


def cell(value):
    """Return a value as SQLite keeps it: several values, points and shapes as JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


# [START load]
@hookimpl
def ods_table_target(place):
    if not isinstance(place, str) or not place.startswith(SCHEME):
        return None
    return target_of(f"sqlite:///{place.removeprefix(SCHEME)}")


# [END load]
