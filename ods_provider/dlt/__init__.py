"""A portal as a source for people who have dlt pipelines: ``from ods_provider.dlt import portal``.

Needs dlt (``pip install 'ods-provider[dlt]'``). What it yields is what a load of ours would write: rows that were
proven complete before the first is handed over, typed by the portal's schema.
"""

from __future__ import annotations

from ods_provider.dlt.source import portal

__all__ = ["portal"]
