"""How rows are staged at PostgreSQL: into the table itself, the one that takes its place, or one that nobody sees."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ods_provider.core.errors import OdsTableError
from ods_provider.tables.applying import check_load
from ods_provider.tables.engines.postgres_exchange import make_like
from ods_provider.tables.engines.postgres_link import Link
from ods_provider.tables.engines.postgres_tables import Found, in_the_way
from ods_provider.tables.engines.postgres_words import PostgresWords
from ods_provider.tables.load import Load, Swap, TableName
from ods_provider.tables.statements import staging_name
from ods_provider.tables.types import as_staged


@dataclass(slots=True)
class Staged:
    """What was staged, and how it becomes the table.

    Attributes:
        load: What is to be done, its table with its schema.
        found: The table that stands, None where none does.
        swap: The swap that is made.
        into: Where the rows are.
        direct: Whether that is the table itself, or the one that takes its place.
        said: What is done in another way than asked.
        token: The run's.
        rows: How many rows there are.
    """

    load: Load
    found: Found | None
    swap: Swap
    into: TableName
    direct: bool
    token: str
    said: list[str] = field(default_factory=list)
    rows: int = 0

    @property
    def words(self) -> PostgresWords:
        """The statements for the table that stands."""
        return words_for(self.found)


def words_for(found: Found | None) -> PostgresWords:
    """Return the statements for a table."""
    if found is None:
        return PostgresWords()
    return PostgresWords(
        held=found.held, truncates="TRUNCATE" in found.may, commented=found.commented, owned=found.owned
    )


def begin(link: Link, load: Load, token: str) -> Staged:
    """Make the place for the rows of a load, within a transaction, and say where it is.

    Raises:
        OdsError: The table does not take them.
    """
    found = link.find(load.table)
    load = replace(load, table=link.settled(load.table, found))
    check_load(load, found.columns if found else None)
    _know_geometries(link, load, found)
    swap, said = _swap(link, load, found)
    words, plain = words_for(found), replace(load, columns=as_staged(load.columns))
    exact = found.exact(load.columns) if found else plain.columns == load.columns
    if found is None and exact and load.mode in {"replace", "append"}:
        link.run(words.create(load.table, load.columns), load.table)
        return Staged(load, found, swap, load.table, direct=True, token=token, said=said)
    if found and swap == "rename":
        link.lock(found.name, "SHARE UPDATE EXCLUSIVE")
        beside = staging_name(load.table, token)
        make_like(link.run, link.query, words, found, beside)
        if exact and not load.add and not load.widen:
            return Staged(load, found, swap, beside, direct=True, token=token, said=said)
    if found and swap == "lock" and exact and not load.add and not load.widen:
        link.lock(found.name, "ACCESS EXCLUSIVE")
        link.run(words.delete(found.name), found.name)
        return Staged(load, found, swap, found.name, direct=True, token=token, said=said)
    temporary = TableName(staging_name(load.table, token).name, "pg_temp")
    link.run(PostgresWords().create(temporary, plain.columns), load.table)
    return Staged(load, found, swap, temporary, direct=False, token=token, said=said)


def _swap(link: Link, load: Load, found: Found | None) -> tuple[Swap, list[str]]:
    # Returns the swap that is made, and why it is another one than was asked for.
    if found is None or load.mode != "replace":
        return "stage", []
    if found.pointed_at:
        return "stage", _merging(link, load, found)
    said = []
    if load.swap == "rename":
        ties = in_the_way(link.query, found)
        if not ties:
            return "rename", []
        said.append(f"swap=stage instead of rename, since {ties[0]}")
    if "TRUNCATE" not in found.may:
        said.append("the rows were deleted one by one, since this user may not truncate the table")
    return ("lock" if load.swap == "lock" else "stage"), said


def _merging(link: Link, load: Load, found: Found) -> list[str]:
    key, names = found.key or load.key, {column.name for column in load.columns}
    if not key or not set(key) <= names:
        raise OdsTableError(
            f"Foreign keys of {found.pointed_at[0]} point at {found.name}, so that it cannot be emptied and filled",
            where=link.label,
            advice="Load all columns of its primary key, or use mode=merge",
        )
    return [f"merged by {', '.join(key)}, since foreign keys of {found.pointed_at[0]} point at the table"]


def _know_geometries(link: Link, load: Load, found: Found | None) -> None:
    held = found.held if found else {}
    if not [each for each in load.columns if each.kind == "geometry" and held.get(each.name) != "bytea"]:
        return
    asked = "FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'postgis'"
    rows = link.query(f"SELECT quote_ident(n.nspname) {asked}")
    if not rows:
        raise OdsTableError(
            "The database has no PostGIS, which holds geometries",
            where=link.label,
            advice="Run there, as its owner: create extension postgis; or choose geo=lonlat, wkt or geojson",
        )
    schema = PostgresWords().literal(f", {rows[0][0]}")
    link.query(f"SELECT set_config('search_path', current_setting('search_path') || {schema}, true)")
