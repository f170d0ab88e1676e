"""The formats of harvesters and maps, each read back by something that is not ours where there is such a thing."""

import gzip
import json
import struct
import xml.etree.ElementTree as ET
import zipfile
from io import BytesIO

import pytest

POINTS = {"select": "name,population", "where": "country_code in ('FR','DE')", "order_by": "name"}
ALL = "all-types"


def test_every_offered_format_is_served_under_its_name(ask):
    links = ask.whole(f"/datasets/{ALL}/exports")["links"][1:]
    offered = "csv json jsonl geojson parquet xlsx shp kml gpx fgb ov2 n3 turtle rdfxml jsonld ical"
    assert [link["rel"] for link in links] == offered.split()
    for link in links:
        answer = ask(link["href"].removeprefix(ask.portal.url))
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith('attachment; filename="all-types.')
        assert "content-length" not in answer.headers


def test_geographic_formats_and_calendars_are_offered_where_they_can_be_made(ask):
    for dataset, absent in (
        ("live-readings", {"geojson", "shp", "kml", "gpx", "fgb", "ov2", "ical"}),
        ("world-capitals", {"ical"}),
    ):
        rels = {link["rel"] for link in ask.whole(f"/datasets/{dataset}/exports")["links"]}
        assert rels.isdisjoint(absent)
        assert {"n3", "turtle", "rdfxml", "jsonld"} <= rels


def test_the_geometry_comes_even_when_it_was_not_selected(ask):
    collection = ask.export("geojson", **POINTS).json()
    assert [feature["geometry"]["type"] for feature in collection["features"]] == ["Point", "Point"]
    assert collection["features"][0]["properties"] == {"name": "Berlin", "population": 3426354}


def test_other_projections_are_computed_or_refused(ask):
    collection = ask.export("geojson", epsg=3857, **POINTS).json()
    assert collection["crs"]["properties"]["name"] == "EPSG:3857"
    assert collection["features"][1]["geometry"]["coordinates"] == pytest.approx([261489.48, 6249955.28], abs=1)
    assert ask.refused("/datasets/world-capitals/exports/geojson", epsg=2154)[:2] == (400, "InvalidRESTParameterError")


def test_kml_holds_a_placemark_for_each_row(ask):
    root = ET.fromstring(ask.export("kml", **POINTS).content)
    space = {"k": "http://www.opengis.net/kml/2.2"}
    marks = root.findall(".//k:Placemark", space)
    assert [mark.find(".//k:coordinates", space).text for mark in marks] == ["13.411,52.524", "2.349,48.853"]
    assert marks[1].find(".//k:Data[@name='name']/k:value", space).text == "Paris"
    shapes = ET.fromstring(ask.export("kml", ALL).content)
    assert len(shapes.findall(".//k:innerBoundaryIs", space)) == 3
    assert len(shapes.findall(".//k:MultiGeometry", space)) == 3


def test_gpx_takes_its_options(ask):
    space = {"g": "http://www.topografix.com/GPX/1/1"}
    plain = ET.fromstring(ask.export("gpx", **POINTS).content).findall("g:wpt", space)
    assert plain[1].attrib == {"lat": "48.853", "lon": "2.349"}
    assert plain[1].find("g:name", space) is None
    assert plain[1].find("g:extensions/g:population", space).text == "2138551"
    options = {"name_field": "name", "description_field_list": "population", "use_extension": "false"}
    named = ET.fromstring(ask.export("gpx", **POINTS, **options).content).findall("g:wpt", space)
    assert named[1].find("g:name", space).text == "Paris"
    assert named[1].find("g:desc", space).text == "population: 2138551"
    assert named[1].find("g:extensions", space) is None
    assert ask.refused("/datasets/world-capitals/exports/gpx", name_field="nope")[0] == 400
    assert len(ET.fromstring(ask.export("gpx", ALL).content).findall("g:trk", space)) == 12


def test_a_shapefile_is_a_zip_of_layers(ask):
    archive = zipfile.ZipFile(BytesIO(ask.export("shp", **POINTS).content))
    assert archive.testzip() is None
    assert sorted(archive.namelist()) == [f"world-capitals.{end}" for end in ("cpg", "dbf", "prj", "shp", "shx")]
    shapes = archive.read("world-capitals.shp")
    code, words = struct.unpack(">i20xi", shapes[:28])
    assert (code, words * 2) == (9994, len(shapes))
    assert struct.unpack("<2i4d", shapes[28:68]) == (1000, 1, 2.349, 48.853, 13.411, 52.524)
    assert struct.unpack("<i2d", shapes[108:128]) == (1, 13.411, 52.524)
    index = archive.read("world-capitals.shx")
    assert struct.unpack(">4i", index[100:]) == (50, 10, 64, 10)
    table = archive.read("world-capitals.dbf")
    rows, head, row = struct.unpack("<4xIHH", table[:12])
    assert (rows, len(table)) == (2, head + 2 * row + 1)
    assert table[head + 1 : head + 7] == b"Berlin"
    assert archive.read("world-capitals.cpg") == b"UTF-8"
    layers = zipfile.ZipFile(BytesIO(ask.export("shp", ALL, epsg=3857).content))
    assert {name for name in layers.namelist() if name.endswith(".shp")} == {
        f"all-types-{kind}.shp" for kind in ("point", "line", "polygon")
    }
    assert b"Mercator" in layers.read("all-types-point.prj")


@pytest.mark.at_length
def test_a_shapefile_is_partial_above_50_000_rows(another):
    from ods_provider.testing.exports import shapefile

    assert shapefile.MOST_RECORDS == 50_000
    ask = another()
    ask.portal.touch("world-capitals", rows=50_010 - 110)
    archive = zipfile.ZipFile(BytesIO(ask.export("shp", select="country_code").content))
    assert struct.unpack("<4xI", archive.read("world-capitals.dbf")[:8]) == (50_000,)


def test_ov2_holds_a_record_for_each_point(ask):
    body = ask.export("ov2", **POINTS).content
    kind, size, lon, lat = struct.unpack("<BIii", body[:13])
    assert (kind, lon, lat, body[13:size]) == (2, 1341100, 5252400, b"Berlin\0")
    assert body[size:].endswith(b"Paris\0")


def test_flatgeobuf_begins_as_its_format_does(ask):
    answer = ask.export("fgb")
    assert answer.content.startswith(b"fgb\x03fgb")
    assert "content-encoding" not in answer.headers


def test_linked_data_states_every_cell(ask):
    for name in ("n3", "turtle"):
        lines = ask.export(name, **POINTS).text.splitlines()
        assert lines[0].startswith("@prefix xsd:")
        assert len(lines) == 1 + 4
        assert lines[2].endswith('/world-capitals/population> "3426354"^^xsd:integer .')
    space = {"rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#"}
    assert len(ET.fromstring(ask.export("rdfxml").content).findall("rdf:Description", space)) == 110
    assert ET.fromstring(ask.export("rdfxml", ALL).content) is not None
    graph = ask.export("jsonld", **POINTS).json()
    assert graph["@graph"][1]["name"] == "Paris"
    assert graph["@context"]["@vocab"].endswith("/world-capitals/")


def test_a_calendar_has_an_event_for_each_moment(ask):
    body = ask.export("ical", ALL, select="at,words", order_by="number").content
    assert body.startswith(b"BEGIN:VCALENDAR\r\n")
    assert body.endswith(b"END:VCALENDAR\r\n")
    assert body.count(b"BEGIN:VEVENT") == 11
    assert b"DTSTART:20241027T003000Z" in body
    assert max(map(len, body.split(b"\r\n"))) <= 75
    body.decode()


def test_a_compressed_file_is_gzip_all_through(ask):
    answer = ask.export("csv", compressed="true", **POINTS)
    assert answer.headers["content-disposition"] == 'attachment; filename="world-capitals.csv.gz"'
    assert "content-encoding" not in answer.headers
    assert gzip.decompress(answer.content) == ask.export("csv", **POINTS).content


@pytest.mark.at_length
def test_the_catalogue_speaks_to_harvesters(ask):
    links = [link["rel"] for link in ask.whole("/exports")["links"]]
    live = ["self", "csv", "json", "data.json", "rdf", "ttl", "dublin_core", "dcat", "rss", "sitemap", "xlsx"]
    assert set(live) <= set(links)
    datasets = len(ask.portal.store.datasets)
    for name in links[1:]:
        answer = ask.get(f"/exports/{name}")
        assert answer.status_code == 200, name
        assert "world-capitals" in answer.text or name == "xlsx"
        if "xml" in answer.headers["content-type"] and name != "xlsx":
            assert ET.fromstring(answer.content) is not None
    assert len(ask.whole("/exports/data.json")["dataset"]) == datasets
    assert ask.get("/exports/rss").text.count("<item>") == datasets
    assert ask.get("/exports/sitemap", refine="theme:Sensors").text.count("<url>") == 2


def test_dcat_takes_its_options(ask):
    asked = {"where": "dataset_id='world-capitals'", "include_exports": "parquet, geojson"}
    text = ask.get("/exports/dcat_ap_ch", **asked).text
    assert "world-capitals/exports/parquet?use_labels=true" in text
    assert "exports/csv" not in text
    assert "use_labels" not in ask.get("/exports/dcat", **asked, use_labels_in_exports="false").text


def test_labels_may_head_every_format(ask):
    (row,) = ask.export("json", "all-types", use_labels="true", select="number,words", limit=1).json()
    assert list(row) == ["Number", "\ufeffWords"]
    assert json.loads(ask.export("jsonl", use_labels="true", limit=1).text)["Country name EN"] == "Afghanistan"
