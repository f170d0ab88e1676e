"""What people and templates type as arguments of jobs, and what must come of it, on every face (``faces``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CAPITALS, PHOTOS, READINGS = "world-capitals", "landmark-photos", "live-readings"
OFFICE = "/api/automation/v1.0/datasets/"
HARVESTER = "/api/automation/v1.0/harvesters/town-gardens/"
HERE = "@/"  # the test's own folder
ROWS = "/api/explore/v2.1/catalog/datasets/world-capitals/records"
EXPORT = "/api/explore/v2.1/catalog/datasets/world-capitals/exports/"
OLDER = "/api/records/1.0/search/"
STATISTICS = "ods-datasets-monitoring"
MONITORED = f"/api/explore/v2.1/monitoring/datasets/{STATISTICS}"


@dataclass(frozen=True)
class Case:
    """One input of one job.

    Args:
        says: What is shown, as a sentence.
        job: The job.
        given: Arguments as they are typed, beside those that the job always needs; ``HERE`` at the beginning of a path
            is the test's folder.
        asks: The path of a call that the portal must have got.
        sends: Parameters of that call; None for one that must not be sent.
        count: Rows or files that come of it.
        refused: What the error says, before anything was asked for; ``{name}`` is an argument in the face's words.
        written: The file's name and how its content begins.
        shows: Metadata that the dataset has then, as its editors see them; None for a value that it has not.
    """

    says: str
    job: str
    given: Mapping[str, Any]
    asks: str | None = None
    sends: Mapping[str, str | None] = field(default_factory=dict)
    count: int | None = None
    refused: str | None = None
    written: tuple[str, bytes] | None = None
    shows: Mapping[str, Any] = field(default_factory=dict)

    @property
    def whole(self) -> dict[str, Any]:
        """All arguments, those included that the job always needs."""
        return {**NEEDED[self.job], **self.given}


NEEDED: dict[str, dict[str, Any]] = {
    "search": {"dataset_id": CAPITALS},
    "analysis": {"dataset_id": CAPITALS},
    "download": {"dataset_id": CAPITALS},
    "load": {"dataset_id": CAPITALS, "table": "capitals", "destination": "@/city.duckdb"},
    "media": {"dataset_id": PHOTOS},
    "push": {"dataset_id": READINGS, "resource_id": "realtime"},
    "sync": {"dataset_id": READINGS, "resource_id": "realtime"},
    "publish_file": {"dataset_id": CAPITALS, "path": "@/in.jsonl", "dry_run": True, "max_drop": "100%"},
    "publish": {"dataset_id": CAPITALS},
    "metadata": {"dataset_id": CAPITALS, "metadata": {"default.title": "Capitals"}},
    "harvest": {"harvester_id": "town-gardens"},
    "visibility": {"dataset_id": CAPITALS, "public": "true"},
    "watch": {"dataset_id": CAPITALS},
}
EMPTY = {"where": "", "select": " ", "order_by": "", "lang": "None", "timezone": "", "limit": "", "refine": ""}

CASES = [
    # What decides of the whole work is never widened by an empty template.
    Case("an empty dataset is no catalogue", "search", {"dataset_id": ""}, refused="{dataset_id} is empty"),
    Case("a dataset of None as text neither", "search", {"dataset_id": "None"}, refused="{dataset_id} is empty"),
    Case("nor one of blanks", "search", {"dataset_id": "  "}, refused="{dataset_id} is empty"),
    Case(
        "an empty dataset has no aggregates",
        "analysis",
        {"dataset_id": "", "select": "count(*)"},
        refused="{dataset_id} is empty",
    ),
    Case(
        "an empty dataset is not downloaded",
        "download",
        {"dataset_id": "", "path": "@/x.csv"},
        refused="{dataset_id} is empty",
    ),
    Case("an empty dataset is not loaded", "load", {"dataset_id": ""}, refused="{dataset_id} is empty"),
    Case("nothing is loaded into an empty table", "load", {"table": " "}, refused="{table} is empty"),
    Case("nothing is loaded into nowhere", "load", {"destination": ""}, refused="{destination} is empty"),
    Case("an empty dataset has no files", "media", {"dataset_id": "", "path": "@/x"}, refused="{dataset_id} is empty"),
    Case("an empty dataset is not watched", "watch", {"dataset_id": ""}, refused="{dataset_id} is empty"),
    Case(
        "nothing is pushed to an empty resource",
        "push",
        {"resource_id": "", "path": "@/in.jsonl"},
        refused="{resource_id} is empty",
    ),
    Case(
        "nothing is synced with an empty resource",
        "sync",
        {"resource_id": "", "path": "@/in.jsonl"},
        refused="{resource_id} is empty",
    ),
    Case("an empty record is not all records", "search", {"record_id": ""}, refused="{record_id} is empty"),
    Case("an empty path is no wish for rows", "search", {"path": ""}, refused="{path} is empty"),
    Case(
        "an empty path holds no aggregates", "analysis", {"select": "count(*)", "path": ""}, refused="{path} is empty"
    ),
    Case("an empty path holds no dataset", "download", {"path": ""}, refused="{path} is empty"),
    Case(
        "a facet without a value lets nothing through",
        "search",
        {"refine": {"country_code": ""}},
        refused="{refine} names no value of country_code",
    ),
    # None is the catalogue.
    Case(
        "no dataset is the catalogue",
        "search",
        {"dataset_id": None, "limit": "2"},
        asks="/api/explore/v2.1/catalog/datasets",
        sends={"limit": "2"},
        count=2,
    ),
    # What is not given has its default.
    Case(
        "empty texts are not given",
        "search",
        {**EMPTY},
        asks=ROWS,
        sends={"timezone": "UTC", "lang": None, "where": None, "refine": None},
        count=110,
    ),
    Case(
        "empty numbers and words have their defaults",
        "download",
        {"path": "@/c.csv", "format": "", "min_rows": "", "if_moved": "", "if_unchanged": "", "format_options": ""},
        asks=f"{EXPORT}csv",
        count=110,
    ),
    Case(
        "an empty map is no map",
        "analysis",
        {"select": "count(*) as n", "geojson": "", "geo_cluster": "", "facet": "", "max_xcom_bytes": ""},
        asks=ROWS,
        count=1,
    ),
    Case(
        "empty words of a fetch have their defaults",
        "media",
        {"path": "@/f", "kind": "", "parallel": "", "field": "", "if_missing": "", "if_unchanged": ""},
        asks="/api/explore/v2.1/catalog/datasets/landmark-photos/attachments",
        count=3,
    ),
    Case(
        "empty words of a push have their defaults",
        "push",
        {
            "path": "@/in.jsonl",
            "action": "",
            "batch_bytes": "",
            "confirm": "",
            "file_fields": "",
            "delimiter": "",
            "encoding": "",
            "unknown_fields": "",
        },
        count=2,
    ),
    Case(
        "empty words of a sync have their defaults",
        "sync",
        {
            "path": "@/in.jsonl",
            "key": "",
            "max_delete": "100%",
            "dry_run": "True",
            "delimiter": "",
            "encoding": "",
            "unknown_fields": "",
        },
        count=2,
    ),
    Case(
        "a share is in percent",
        "sync",
        {"path": "@/in.jsonl", "max_delete": "a half"},
        refused="{max_delete}='a half' is neither a share nor a number",
    ),
    Case(
        "a mark of two characters is no delimiter",
        "push",
        {"path": "@/in.csv", "delimiter": ";;"},
        refused="';;' is no delimiter",
    ),
    Case(
        "an encoding has a name",
        "push",
        {"path": "@/in.csv", "encoding": "utf-9"},
        refused="'utf-9' is no encoding of text",
    ),
    Case(
        "empty words of a watch have their defaults",
        "watch",
        {"what": "", "poll_interval_s": "", "since": ""},
        asks="/api/explore/v2.1/catalog/datasets/world-capitals",
        count=1,
    ),
    Case(
        "empty words of a load have their defaults",
        "load",
        {
            **{name: value for name, value in EMPTY.items() if name != "order_by"},
            **dict.fromkeys(("mode", "swap", "primary_key", "delete_missing", "cursor", "lag", "columns"), ""),
            **dict.fromkeys(("expect", "geo", "if_moved", "min_rows", "if_unchanged", "parallel", "staging"), ""),
        },
        asks=f"{EXPORT}parquet",
        sends={"timezone": "UTC", "lang": None, "where": None, "refine": None},
        count=110,
    ),
    # Text where a number or a mapping is meant.
    Case("a number may be text", "search", {"limit": "3"}, asks=ROWS, sends={"limit": "3"}, count=3),
    Case("no rows are no rows", "search", {"limit": "0"}, count=0),
    Case(
        "a word is no number",
        "search",
        {"limit": "three"},
        refused="{limit}='three' is not a whole number of at least 0",
    ),
    Case(
        "nor is less than nothing",
        "download",
        {"path": "@/c.csv", "min_rows": "-1"},
        refused="{min_rows}='-1' is not a whole number of at least 0",
    ),
    Case(
        "too many at the same time",
        "media",
        {"path": "@/f", "parallel": "99"},
        refused="{parallel}='99' is not a whole number from 1 to 32",
    ),
    Case(
        "often is no number of seconds",
        "watch",
        {"poll_interval_s": "often"},
        refused="{poll_interval_s}='often' is no number of seconds",
    ),
    Case(
        "a mapping may be text",
        "search",
        {"refine": "{'country_code': ['FR']}"},
        asks=ROWS,
        sends={"refine": "country_code:FR"},
        count=1,
    ),
    Case(
        "a list may be text",
        "search",
        {"where": '["population > 1", "country_code = \'FR\'"]'},
        asks=ROWS,
        sends={"where": "population > 1"},
        count=1,
    ),
    Case(
        "a truth may be text",
        "search",
        {"limit": 1, "include_links": "True"},
        asks=ROWS,
        sends={"include_links": "true"},
        count=1,
    ),
    Case(
        "perhaps is no truth",
        "search",
        {"include_links": "perhaps"},
        refused="{include_links}='perhaps' is neither true nor false",
    ),
    Case(
        "ids of records may be text, and none may be empty",
        "push",
        {"action": "delete", "record_id": ["a", ""]},
        refused="{record_id} holds an id that is empty",
    ),
    # Which API is asked.
    Case(
        "v1 goes with the time zone that is the default",
        "search",
        {"v1": {"rows": 2}, "timezone": "UTC", "include_links": "False", "limit": ""},
        asks=OLDER,
        sends={"dataset": CAPITALS, "rows": "2"},
        count=2,
    ),
    Case(
        "v1 excludes the words of the other API",
        "search",
        {"v1": {"rows": 2}, "limit": 2, "lang": "fr"},
        refused="v1 excludes lang, limit",
    ),
    Case(
        "v1 excludes what a download takes there",
        "download",
        {"path": "@/c.csv", "v1": {}, "group_by": "country_code", "format_options": {"delimiter": ";"}},
        refused="v1 excludes group_by, format_options",
    ),
    Case(
        "v1 names the dataset in its own word",
        "search",
        {"dataset_id": None, "v1": {"dataset": CAPITALS, "rows": 2}},
        asks=OLDER,
        sends={"dataset": CAPITALS, "rows": "2"},
        count=2,
    ),
    Case(
        "in a download too",
        "download",
        {"dataset_id": None, "path": "@/c.csv", "v1": {"dataset": CAPITALS}},
        asks="/api/records/1.0/download/",
        sends={"dataset": CAPITALS},
        count=110,
    ),
    Case(
        "v1 names no other dataset",
        "search",
        {"v1": {"dataset": PHOTOS}},
        refused="two datasets are named: landmark-photos and world-capitals",
    ),
    Case("an empty v1 is not given", "search", {"v1": "", "limit": 1}, asks=ROWS, count=1),
    Case("v1 may be text", "search", {"v1": '{"rows": 2}'}, asks=OLDER, sends={"rows": "2"}, count=2),
    Case(
        "v1 writes no Parquet",
        "download",
        {"path": "@/c.parquet", "v1": {}},
        refused="the ending .parquet names no format",
    ),
    # Which source is asked.
    Case(
        "the monitoring source is asked for records",
        "search",
        {"dataset_id": STATISTICS, "source": "monitoring", "where": f"dataset_id = '{CAPITALS}'"},
        asks=f"{MONITORED}/records",
        count=1,
    ),
    Case(
        "for the list of its datasets",
        "search",
        {"dataset_id": None, "source": "monitoring"},
        asks="/api/explore/v2.1/monitoring/datasets",
        count=2,
    ),
    Case(
        "for groups",
        "analysis",
        {"dataset_id": STATISTICS, "source": "monitoring", "select": "count(*) as n", "group_by": "publisher"},
        asks=f"{MONITORED}/records",
        count=1,
    ),
    Case(
        "for a file",
        "download",
        {"dataset_id": STATISTICS, "source": "monitoring", "path": "@/c.csv", "select": "dataset_id"},
        asks=f"{MONITORED}/exports/csv",
        written=("c.csv", b"dataset_id"),
    ),
    Case("for an update", "watch", {"dataset_id": STATISTICS, "source": "monitoring"}, asks=MONITORED, count=1),
    Case("a source of nothing is the catalogue", "search", {"source": "", "limit": 1}, asks=ROWS, count=1),
    Case(
        "there is no third source",
        "download",
        {"path": "@/c.csv", "source": "v1"},
        refused="{source}='v1' is not known",
    ),
    Case(
        "v1 asks the catalogue only",
        "search",
        {"dataset_id": STATISTICS, "source": "monitoring", "v1": {"rows": 2}},
        refused="v1 asks the catalogue only",
    ),
    Case(
        "a call to the monitoring source is no dataset",
        "watch",
        {"dataset_id": f"https://data.example.org{MONITORED}/records?limit=1"},
        refused=f"Pass '{STATISTICS}', and pass ",
    ),
    # Addresses.
    Case(
        "a page is no dataset",
        "search",
        {"dataset_id": f"https://data.example.org/explore/dataset/{CAPITALS}/table/?q=x"},
        refused=f"{{dataset_id}} is an address, not the id of a dataset ({{at_dataset_id}}). Pass '{CAPITALS}'",
    ),
    Case(
        "a call is no dataset",
        "download",
        {
            "dataset_id": f"http://data.example.org/api/explore/v2.1/catalog/datasets/{CAPITALS}/exports/csv",
            "path": "@/c.csv",
        },
        refused=f"Pass '{CAPITALS}'",
    ),
    Case(
        "an asset is no dataset",
        "watch",
        {"dataset_id": f"ods://data.example.org/{CAPITALS}"},
        refused=f"Pass '{CAPITALS}'",
    ),
    Case(
        "a page is no place to push to",
        "push",
        {"dataset_id": f"data.example.org/explore/dataset/{READINGS}/", "path": "@/in.jsonl"},
        refused=f"Pass '{READINGS}'",
    ),
    # Endings.
    Case(
        "an ending names the format",
        "download",
        {"path": "@/c.csv"},
        asks=f"{EXPORT}csv",
        count=110,
        written=("c.csv", b"geoname_id,"),
    ),
    Case(
        "a compressed one too",
        "download",
        {"path": "@/c.CSV.gz"},
        asks=f"{EXPORT}csv",
        sends={"compressed": "true"},
        count=110,
        written=("c.CSV.gz", b"\x1f\x8b"),
    ),
    Case(
        "other names of a format too",
        "download",
        {"path": "@/c.ndjson"},
        asks=f"{EXPORT}jsonl",
        count=110,
        written=("c.ndjson", b"{"),
    ),
    Case(
        "without an ending it is Parquet",
        "download",
        {"path": "@/c"},
        asks=f"{EXPORT}parquet",
        count=110,
        written=("c", b"PAR1"),
    ),
    Case(
        "an ending that says nothing takes the format that is named",
        "download",
        {"path": "@/c.part", "format": "CSV"},
        asks=f"{EXPORT}csv",
        count=110,
    ),
    Case(
        "an ending that names no format is no guess",
        "download",
        {"path": "@/c.dat"},
        refused="the ending .dat names no format ({at_format})",
    ),
    Case(
        "xls is no format", "download", {"path": "@/c.xls"}, refused="the ending .xls names no format; Excel's is .xlsx"
    ),
    Case(
        "xls holds no xlsx",
        "download",
        {"path": "@/c.xls", "format": "xlsx"},
        refused="{format}='xlsx' would be written to a file that ends in .xls",
    ),
    Case(
        "csv holds no Parquet",
        "download",
        {"path": "@/c.csv", "format": "parquet"},
        refused="{format}='parquet' would be written to a file that ends in .csv",
    ),
    Case(
        "csv holds no gzip",
        "download",
        {"path": "@/c.csv", "format_options": {"compressed": "true"}},
        refused="compressed=True would be written to a file that ends in .csv",
    ),
    Case(
        "gz is nothing else",
        "download",
        {"path": "@/c.csv.gz", "format_options": {"compressed": "false"}},
        refused="compressed=False would be written to a file that ends in .gz",
    ),
    Case(
        "a portal makes no bz2",
        "download",
        {"path": "@/c.csv.bz2", "format": "csv"},
        refused="{format}='csv' would be written to a file that ends in .bz2",
    ),
    Case(
        "rows are written as JSON lines",
        "search",
        {"path": "@/r.jsonl"},
        asks=ROWS,
        count=110,
        written=("r.jsonl", b"{"),
    ),
    Case(
        "and never as CSV",
        "search",
        {"path": "@/r.csv"},
        refused="jsonl would be written to a file that ends in .csv ({at_path})",
    ),
    Case(
        "nor aggregates as a table of Excel",
        "analysis",
        {"select": "count(*)", "path": "@/r.xlsx"},
        refused="jsonl would be written to a file that ends in .xlsx ({at_path})",
    ),
    Case(
        "a folder is no file",
        "download",
        {"path": "@/out/", "format": "csv"},
        refused="'out/' names a folder, not a file ({at_path})",
    ),
    Case(
        "rows go into no folder", "search", {"path": "@/out/"}, refused="'out/' names a folder, not a file ({at_path})"
    ),
    Case(
        "what is kept lies in a file",
        "search",
        {"if_unchanged": "keep"},
        refused="{if_unchanged}='keep' goes with a file",
    ),
    Case(
        "a word in capitals is the same word",
        "download",
        {"path": "@/kept.csv", "if_unchanged": "KEEP"},
        asks=f"{EXPORT}csv",
        count=110,
    ),
    # Into a table.
    Case("a load takes so many rows", "load", {"limit": "3"}, asks=f"{EXPORT}parquet", sends={"limit": "3"}, count=3),
    Case(
        "a load takes several filters in a text",
        "load",
        {"where": '["population > 1", "country_code = \'FR\'"]', "table": "raw.capitals"},
        asks=f"{EXPORT}parquet",
        sends={"where": "country_code = 'FR'"},
        count=1,
    ),
    Case(
        "a database may be a URL, and a mode in capitals is the same mode",
        "load",
        {"destination": "sqlite:///@/city.db", "mode": "MERGE", "primary_key": "geoname_id, name"},
        count=110,
    ),
    Case("what must be there may be text", "load", {"expect": "{'population': 'int'}"}, count=110),
    Case("what must be there has a name", "load", {"expect": "population"}, refused="{expect}"),
    Case("a mode has a name", "load", {"mode": "upsert"}, refused="'upsert' is not"),
    Case("points have their forms", "load", {"geo": "kml"}, refused="'kml' is not"),
    Case("columns have three words", "load", {"columns": "ignore"}, refused="'ignore' is not"),
    Case("readers see a swap", "load", {"swap": "fast"}, refused="'fast' is not"),
    Case(
        "not every database can do every swap",
        "load",
        {"swap": "rename"},
        refused="{swap}='rename' is nothing that duckdb can do ({at_swap}",
    ),
    Case(
        "what is new cannot replace all",
        "load",
        {"cursor": "population"},
        refused="{mode}='replace' loads all rows",
    ),
    Case(
        "a lag is one of a cursor",
        "load",
        {"mode": "append", "lag": "3 days"},
        refused="{lag}='3 days' says how far back a cursor goes",
    ),
    Case(
        "soon is no span",
        "load",
        {"mode": "append", "cursor": "population", "lag": "soon"},
        refused="{lag}='soon' is no span and no number",
    ),
    Case(
        "a key compares",
        "load",
        {"primary_key": "geoname_id"},
        refused="{mode}='replace' compares no rows",
    ),
    Case("a swap replaces", "load", {"mode": "merge", "swap": "stage"}, refused="{mode}='merge' replaces nothing"),
    Case("nothing is deleted by replacing", "load", {"delete_missing": "True"}, refused="has no use for it"),
    Case("a table has no three names", "load", {"table": "a.b.c"}, refused="({at_table})"),
    Case("a database has a name that is known", "load", {"destination": "duk:///x"}, refused="There is no database"),
    Case("a file of another kind is no database", "load", {"destination": "@/city.csv"}, refused="names no database"),
    Case(
        "rows at least is a number",
        "load",
        {"min_rows": "many"},
        refused="{min_rows}='many' is not a whole number of at least 0",
    ),
    Case(
        "streams of a few rows are not several",
        "load",
        {"limit": "3", "parallel": "4"},
        refused="{limit}",
    ),
    # What is published.
    Case(
        "nothing is published into an empty dataset",
        "publish_file",
        {"dataset_id": ""},
        refused="{dataset_id} is empty",
    ),
    Case("an empty dataset is not published", "publish", {"dataset_id": " "}, refused="{dataset_id} is empty"),
    Case("a file is read before anything is done", "publish_file", {"dry_run": "True"}, asks=OFFICE, count=2),
    Case(
        "empty words of a publication have their defaults",
        "publish_file",
        {"resource": "", "extractor": "None", "min_rows": "", "max_errors": " ", "timeout": "", "encoding": ""},
        count=2,
    ),
    Case(
        "a title makes a dataset", "publish_file", {"dataset_id": "trees", "new_title": "Trees"}, asks=OFFICE, count=2
    ),
    Case("a title changes nothing of one", "publish_file", {"new_title": "Other"}, asks=OFFICE, count=2),
    Case("a file is published", "publish_file", {"dry_run": "false", "max_drop": "none"}, asks=OFFICE, count=2),
    Case("a share is a share or a number", "publish_file", {"max_drop": "much"}, refused="{max_drop}='much'"),
    Case("a time is a time", "publish", {"timeout": "-1"}, refused="{timeout}='-1' is no time"),
    Case("an order is given", "publish", {"timeout": "60"}, asks=OFFICE),
    # What describes a dataset.
    Case("an empty dataset is not described", "metadata", {"dataset_id": " "}, refused="{dataset_id} is empty"),
    Case("values are set", "metadata", {"publish": "None"}, asks=OFFICE, shows={"default.title": "Capitals"}),
    Case(
        "a value is what the portal says of its field, however it is typed",
        "metadata",
        {
            "metadata": {
                "default.keyword": "town",
                "default.modified_updates_on_data_change": "no",
                "dcat.created": "2024-01-31",
                "dcat.issued": "2024-01-31",
                "custom.data_owner": "2024",
                "custom.trees_counted": "12",
                "visualization.map_disabled": "true",
            },
            "publish": "",
        },
        shows={
            "default.keyword": ["town"],
            "default.modified_updates_on_data_change": False,
            "dcat.created": "2024-01-31T00:00:00Z",
            "dcat.issued": "2024-01-31",
            "custom.data-owner": "2024",
            "custom.trees-counted": 12,
            "visualization.map_disabled": True,
        },
    ),
    Case(
        "a list may be text, and values may stand below their template",
        "metadata",
        {"metadata": '{"default": {"keyword": "[\'a, b\', \'c\']"}, "asset.publisher": 2024}'},
        shows={"default.keyword": ["a, b", "c"], "default.publisher": "2024"},
    ),
    Case(
        "null takes a value back",
        "metadata",
        {"metadata": {"default.publisher": "null", "default.theme": None}},
        shows={"default.publisher": None, "default.theme": None},
    ),
    Case(
        "a plan changes nothing",
        "metadata",
        {"dry_run": "True", "override": "", "timeout": ""},
        shows={"default.title": "Capitals of the world"},
    ),
    Case("a value has a template", "metadata", {"metadata": {"title": "x"}}, refused="'title' names no value"),
    Case("nothing is nothing to set", "metadata", {"metadata": {}}, refused="there is nothing to set"),
    Case(
        "a coverage is filled by one argument",
        "metadata",
        {"metadata": {"dcat.temporal_coverage_end": "2024-01-01"}, "coverage_of": "founded"},
        refused="{coverage_of} fills dcat.temporal_coverage_end",
    ),
    Case("a publication has three words", "metadata", {"publish": "all"}, refused="{publish}='all' is not known"),
    Case(
        "pins have two answers", "metadata", {"override": "some"}, refused="{override}='some' is neither true nor false"
    ),
    # What is harvested, and who sees it.
    Case("an empty harvester is none", "harvest", {"harvester_id": " "}, refused="{harvester_id} is empty"),
    Case("a harvester may be told by its name", "harvest", {"harvester_id": "Town gardens"}, asks=f"{HARVESTER}start/"),
    Case("what was harvested is published", "harvest", {"max_errors": "", "timeout": ""}, asks=f"{HARVESTER}publish/"),
    Case("a number of failures is a number", "harvest", {"max_errors": "some"}, refused="{max_errors}='some'"),
    Case("a harvest may only be told", "harvest", {"dry_run": "True"}, asks=HARVESTER),
    Case("an empty dataset is not shown", "visibility", {"dataset_id": ""}, refused="{dataset_id} is empty"),
    Case("what is public is looked at without a key", "visibility", {"timeout": "60"}, asks=ROWS, sends={"limit": "0"}),
    Case("a dataset is closed", "visibility", {"public": "False", "dry_run": ""}, asks=f"{OFFICE}da_130d6f/publish/"),
    Case("a time to close is a time", "visibility", {"timeout": "0"}, refused="{timeout}='0' is no time"),
]
