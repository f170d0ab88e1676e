"""The arguments of a load into a table."""

from __future__ import annotations

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.given import is_given, mapping, required, text, truth, whole_number
from ods_provider.core.source import CATALOG
from ods_provider.jobs.arguments.files import download_job
from ods_provider.jobs.arguments.kinds import Flag, Mapped, Number, Place, Span, Text, Texts, names, word
from ods_provider.jobs.load import LoadJob
from ods_provider.jobs.loading.cursor import Cursor, lag_of
from ods_provider.jobs.parts.spread import PartJob
from ods_provider.tables.load import table_named

_ONE_FILE = "rows.parquet"  # the job decides where it lies


def load_job(
    *,
    dataset_id: Text,
    table: Text,
    destination: Place,
    source: Text = CATALOG,
    select: Texts = None,
    where: Texts = None,
    refine: Mapped = None,
    exclude: Mapped = None,
    lang: Text = None,
    timezone: Text = "UTC",
    limit: Number = None,
    group_by: Texts = None,
    mode: Text = "replace",
    swap: Text = None,
    primary_key: Texts = None,
    delete_missing: Flag = False,
    cursor: Text = None,
    lag: Span = None,
    columns: Text = "evolve",
    expect: Mapped = None,
    geo: Text = "lonlat",
    if_moved: Text = "retry",
    min_rows: Number = 0,
    if_unchanged: Text = "fetch",
    parallel: Number = 1,
    partition_by: Text = None,
    staging: Place = None,
) -> LoadJob:
    """Return a load of a dataset, or of a query of it, into a table.

    Raises:
        OdsConfigError: An argument is bad; the message names it.
    """
    several = whole_number("parallel", parallel) if word("parallel", parallel, "1") != "auto" else 2
    fetch = download_job(
        dataset_id=required("dataset_id", dataset_id),
        path=_ONE_FILE,
        format="parquet",
        source=source,
        select=select,
        where=where,
        refine=refine,
        exclude=exclude,
        lang=lang,
        timezone=timezone,
        limit=limit,
        group_by=group_by,
        if_moved=if_moved,
        min_rows=min_rows,
        parallel=parallel,
        partition_by=partition_by,
        layout="folder" if several not in (None, 1) else "file",
    )
    assert not isinstance(fetch, PartJob)  # no part was named
    return LoadJob(
        fetch,
        table_named(required("table", table)),
        required("destination", destination),
        mode=word("mode", mode, "replace"),
        swap=word("swap", swap),
        key=names("primary_key", primary_key),
        delete_missing=truth("delete_missing", delete_missing, default=False),
        cursor=_cursor(text("cursor", cursor), lag),
        columns=word("columns", columns, "evolve"),
        expect={str(name): str(kind) for name, kind in (mapping("expect", expect) or {}).items()} or None,
        geo=word("geo", geo, "lonlat"),
        staging=staging if is_given(staging) else None,
        if_unchanged=word("if_unchanged", if_unchanged, "fetch"),
    )


def _cursor(field: str | None, lag: Span) -> Cursor | None:
    back = lag_of(lag)
    if field is not None:
        return Cursor(field, back)
    if back is not None:
        raise OdsConfigError(
            f"lag={str(lag)!r} says how far back a cursor goes, and none was named",
            where="arguments lag, cursor",
            advice='Leave it out, or name a field that grows with time, as in cursor="at"',
        )
    return None
