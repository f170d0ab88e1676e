"""Keys of rows that wait in files, looked at before any database sees them."""

from __future__ import annotations

from typing import Any

from ods_provider.tables.applying import refuse_key
from ods_provider.tables.arrow import pa, pc
from ods_provider.tables.load import Load
from ods_provider.tables.spool import Spool


def check_spooled_key(load: Load, spool: Spool, schema: Any) -> None:
    """Refuse rows that their key does not tell apart; the keys are held in memory.

    Raises:
        OdsTableError: A key stands in several rows, or a row has none.
    """
    keys = pa.Table.from_batches(
        [batch.select(list(load.key)) for batch in spool.read(schema)],
        pa.schema([schema.field(name) for name in load.key]),
    )
    empty = [pc.is_null(keys.column(name)) for name in load.key]
    whole = empty[0]
    for more in empty[1:]:
        whole = pc.or_(whole, more)
    nulls = pc.sum(whole).as_py() or 0
    counted = keys.group_by(list(load.key)).aggregate([([], "count_all")])
    several = counted.filter(pc.greater(counted.column("count_all"), 1))
    shown = several.sort_by([(name, "ascending") for name in load.key]).slice(0, 3)
    sample = [tuple(row.values()) for row in shown.select([*load.key, "count_all"]).to_pylist()]
    refuse_key(load, nulls, several.num_rows, pc.sum(several.column("count_all")).as_py() or 0, sample)
