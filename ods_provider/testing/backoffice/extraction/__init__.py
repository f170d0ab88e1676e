"""From uploaded files to rows: extractors, processors, field configurations, types.

What a source gives is SQL that DuckDB runs once, from file to table, so that memory does not grow with the file. Every
raw cell is text; what a field's type makes of it comes last, as on a portal.
"""
