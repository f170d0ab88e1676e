"""The numbers that portals enforce, each with where it is stated or was measured."""

from __future__ import annotations

PAGE_ROWS = 100
"""Largest ``limit`` of records and datasets without ``group_by`` (Explore v2.1 reference; 101 answers 400)."""

WINDOW_ROWS = 10_000
"""Largest ``offset + limit`` of the same; beyond it only an export reads on (Q35)."""

GROUP_ROWS = 20_000
"""Largest ``limit`` with ``group_by``; a list that reaches it may be cut without a sign (Q1, Q2)."""

FACET_VALUES = 100
"""Largest number of values a facet ever lists, without a sign (Q5)."""

PUSH_BYTES = 5_000_000
"""Largest body of a push, in encoded bytes (Q51; the page says 5 MB, the smaller reading is safe)."""

XLSX_ROWS = 1_048_575
"""Data rows of an Excel sheet under its header line."""

SHP_ROWS = 50_000
"""Records beyond which a shapefile export is partial, without a sign (Q53)."""

ROW_BYTES = 67_108_864
"""Largest row, as JSON, that is read; what goes on beyond it is no row of a portal, and memory has an end."""

URL_BYTES = 32_000
"""Longest query that is sent as a URL: servers refuse far less (nginx 8 KB) and say so; beyond this they hang up."""
