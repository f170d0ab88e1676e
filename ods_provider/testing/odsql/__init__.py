"""ODSQL: a grammar, compiled to DuckDB SQL with every literal bound as a parameter.

Source: Explore v2.1, Opendatasoft Query Language reference.
"""

from ods_provider.testing.odsql.facets import FacetQuery, compile_facet
from ods_provider.testing.odsql.fields import Field, FieldType, OdsqlError, OutputColumn
from ods_provider.testing.odsql.geometry import register_functions
from ods_provider.testing.odsql.query import CompiledQuery, compile_query

__all__ = [
    "CompiledQuery",
    "FacetQuery",
    "Field",
    "FieldType",
    "OdsqlError",
    "OutputColumn",
    "compile_facet",
    "compile_query",
    "register_functions",
]
