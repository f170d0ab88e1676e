"""Columns are called as the portal calls its fields, unless the database cannot take or tell that; then it is said."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables_values import field

from ods_provider.core.errors import OdsConfigError
from ods_provider.tables.columns import Column
from ods_provider.tables.engines.bigquery import BigQueryEngine
from ods_provider.tables.engines.mysql import MySqlEngine
from ods_provider.tables.engines.postgres import PostgresEngine
from ods_provider.tables.engines.snowflake import SnowflakeEngine
from ods_provider.tables.engines.sqlite import SqliteEngine
from ods_provider.tables.load import TableName
from ods_provider.tables.names import Naming, expect_short_enough
from ods_provider.tables.portaltypes import columns_of


def _named(naming: Naming, *names: str) -> list[str]:
    return [column.name for column in naming.named([Column(name, "int", name) for name in names])]


def test_names_stay_what_they_are():
    strange = ["select", "é accent", "日本", "a.b", 'quo"te', "count(*)", "UPPER", "1st"]
    assert _named(Naming(63), *strange) == strange


def test_names_that_differ_in_case_only_are_both_told_apart_where_case_is_folded():
    assert _named(Naming(), "Ordre", "ordre", "n") == ["Ordre", "ordre", "n"]
    first, second, other = _named(Naming(folds_case=True), "Ordre", "ordre", "n")
    assert first.startswith("Ordre_")
    assert second.startswith("ordre_")
    assert first.casefold() != second.casefold()
    assert other == "n"


def test_a_name_does_not_depend_on_the_order_of_the_fields():
    naming = Naming(20, folds_case=True)
    names = ["Ordre", "ordre", "a" * 30, "a" * 29 + "b"]
    assert _named(naming, *names) == list(reversed(_named(naming, *reversed(names))))


def test_a_long_name_is_cut_between_its_letters_and_marked():
    (name,) = _named(Naming(20), "é" * 11)
    assert name.startswith("é" * 5 + "_")
    assert len(name.encode()) <= 20
    assert _named(Naming(22), "é" * 11) == ["é" * 11]


def test_half_of_a_point_gives_way_to_a_field_of_its_name():
    fields = [field("geo_point_2d", "place"), field("double", "place_lon")]
    schema = pa.schema({"place": pa.string(), "place_lon": pa.float64()})
    naming = Naming()
    columns = columns_of(fields, schema, naming=naming)
    lon, lat, other = columns
    assert (lat.name, other.name) == ("place_lat", "place_lon")
    assert lon.name.startswith("place_lon_")
    (told,) = naming.told(columns)
    assert str(told) == f"place became the column {lon.name}: another column is called place_lon"


def test_names_of_ours_and_of_the_database_are_not_taken():
    naming = Naming(folds_case=True, taken=frozenset({"valid_from"}))
    names = _named(naming, "VALID_FROM", "_ods_wider_x", "valid_to", "")
    assert names[0].startswith("VALID_FROM_")
    assert names[1].startswith("wider_x_")
    assert names[2] == "valid_to"
    assert names[3].startswith("_")
    assert len(naming.told(naming.named([Column("valid_from", "int", "valid_from")]))) == 1


TEXTS = st.text("aAéßİſ日_\0", max_size=12) | st.sampled_from(
    ["_ods_x", "_ods__ODS_x", "_ODS_", "valid_from", "Valid_From", "a" * 70]
)


@given(st.lists(TEXTS, unique=True, max_size=8), st.sampled_from([None, 12, 63]), st.booleans())
def test_names_are_never_alike_and_never_too_long(names, longest, folds):
    naming = Naming(longest, folds, frozenset({"valid_from"}))
    found = naming.named([Column(name, "int", name) for name in names])
    keys = {column.name.casefold() if folds else column.name for column in found}
    assert len(keys) == len(names)
    assert not any(key.startswith("_ods_") or key == "valid_from" or "\0" in key or not key for key in keys)
    assert longest is None or all(len(column.name.encode()) <= longest for column in found)
    changed = {column.field for column in found if column.name != column.field}
    assert {told.field for told in naming.told(found)} == changed


@pytest.mark.parametrize(
    ("can", "most", "says"),
    [
        (PostgresEngine.can, "n" * 63, "63"),
        (PostgresEngine.can, "é" * 31, "64 bytes"),
        (MySqlEngine.can, "é" * 64, "65 characters"),
        (SnowflakeEngine.can, "é" * 255, "256 characters"),
        (BigQueryEngine.can, "é" * 512, "1026 bytes"),
    ],
)
def test_names_of_tables_and_schemas_are_taken_whole_or_refused(can, most, says):
    expect_short_enough(TableName(most, most), can, "here")
    for table in (TableName(most + most[0]), TableName("n", most + most[0])):
        with pytest.raises(OdsConfigError, match=says):
            expect_short_enough(table, can, "here")
    expect_short_enough(TableName(most * 9), SqliteEngine.can, "here")
