"""The main calls of clients that others wrote, against the local portal: it must answer them as real portals do."""

import csv
import io

PART = "2024-03-31T01:30:00.109000+00:00"


def big_french(portal):
    rows = [row for row in portal.rows("world-capitals") if row["country_code"] == "FR" and row["population"] > 1e6]
    return [{"name": row["name"], "population": row["population"]} for row in rows]


def test_the_vendors_own_client(calls, ods_portal):
    told = calls("api_client")
    assert all(path.endswith("/") for path in told["asked"])
    capitals = ods_portal.rows("world-capitals")
    french = [row for row in capitals if row["country_code"] == "FR"]
    assert told["datasets"]["total_count"] == len(told["datasets"]["results"]) == len(ods_portal.store.datasets)
    assert told["itself"] == "world-capitals"
    assert [facet["name"] for facet in told["facets"]["facets"]] == ["publisher", "theme"]
    assert told["records"]["results"] == big_french(ods_portal)
    assert told["offset"] == min(100, len(capitals) - 100)
    assert told["record"]["name"] == told["first"]
    assert (told["refined"], told["excluded"]) == (len(french), len(capitals) - len(french))
    assert len(told["groups"]["results"]) == 3
    assert sum(value["count"] for value in told["counted"]["facets"][0]["facets"]) <= len(capitals)
    assert (told["exported"], told["catalogue"]) == (len(capitals), len(ods_portal.store.datasets))
    assert told["times"][0] == {"number": 9, "at": PART}
    assert told["gated"] == 40
    refusals = {
        "wrong key": (401, "Unauthorized"),
        "unknown": (404, "NotFoundResource"),
        "no address": (404, "NotFoundURI"),
        "forbidden": (403, "ForbiddenAccess"),
        "bad query": (400, "ODSQLError"),
    }
    assert {name: (told[name][0], told[name][1]["error_code"]) for name in refusals} == refusals


def test_odsclient(calls, ods_portal):
    told = calls("odsclient")
    capitals = ods_portal.rows("world-capitals")
    rows = list(csv.DictReader(io.StringIO(told["csv"], newline=""), delimiter=";"))
    assert {row["name"] for row in rows} == {row["name"] for row in capitals}
    assert told["labels"] == "Sensor;Time;Value;Note"
    assert len(list(csv.reader(io.StringIO(told["streamed"], newline="")))) == len(capitals) + 1
    assert "2024-03-31T03:30:00.109000+02:00" in [record["fields"].get("at") for record in told["json"]]
    assert len(told["gated"]) == 40
    assert told["pushed"] == {"status": "OK"}
    assert "s-7" in [row["sensor_id"] for row in ods_portal.rows("live-readings")]
    for name, status in (("wrong key", 401), ("unknown", 404), ("forbidden", 403), ("bad format", 400)):
        assert told[name][0] == status
        assert told[name][1]
        assert told[name][2] == ["error"]


def test_ukpyn(calls, ods_portal):
    told = calls("ukpyn")
    assert told["total"] == len(told["ids"]) == len(ods_portal.store.datasets)
    assert told["ids"] == sorted(told["ids"])
    assert told["fields"] == [column.name for column in ods_portal.store.datasets["world-capitals"].columns]
    assert told["records"] == big_french(ods_portal)
    assert told["at"] == PART
    assert told["groups"] == 5
    declared = {
        column.name for column in ods_portal.store.datasets["world-capitals"].columns if "facet" in column.annotations
    }
    assert set(told["facets"]) == declared
    assert max(told["facets"].values()) == 100  # the most that a portal shows (Q5)
    magic = {name: bytes.fromhex(begun) for name, begun in told["exports"].items()}
    assert (magic["json"][:1], magic["csv"][:3], magic["xlsx"][:2]) == (b"[", b"\xef\xbb\xbf", b"PK")
    assert (magic["geojson"][:1], magic["kml"][:1]) == (b"{", b"<")
    assert len(told["exported"]) == 40
    assert told["wrong key"] == ["AuthenticationError", "The provided API key is not valid."]
    assert told["unknown"] == ["NotFoundError", "The requested dataset nope does not exist."]
    assert told["bad query"][0] in ("ValidationError", "UnrecognisedFieldError")
    assert "Unknown field: nope" in told["bad query"][1]
    assert told["bad limit"][0] == "ValidationError"


def test_portalkit(calls, ods_portal):
    told = calls("portalkit")
    capitals = ods_portal.rows("world-capitals")
    assert told["kind"] == "opendatasoft"
    assert told["found"] == ["world-capitals"]
    assert told["all"] == sorted(ods_portal.store.datasets)
    assert told["rows"] == told["whole"] == len(capitals)
    assert told["population"] == sum(row["population"] for row in capitals)
    peopled = sorted((row["population"], row["name"]) for row in capitals if row["population"] > 0)
    assert set(told["paged"]) == {name for _, name in peopled[-150:]}
    assert told["at"] == PART.replace("T", " ")
    assert told["unknown"] == f"nope is not on {ods_portal.url}"


def test_ods_utils_py(calls, ods_portal):
    told = calls("ods_utils")
    assert told["uid"] == told["found"]
    assert told["number"] == len(told["ids"]) == 8
    assert told["title"] == "Basel"
    assert (told["licence before"], told["licence"]) == ("cc_by", "5sylls5")
    assert told["period"] == "2024-01-01/2024-12-31"
    dcat = {name: value["value"] for name, value in told["metadata"]["dcat"].items()}
    # Midnight in Zurich.
    assert dcat["temporal_coverage_start"] == "2023-12-31T23:00:00Z"
    assert told["template"] == {"my-field": {"value": "v"}}
    ods_portal.office.settle()
    assert ods_portal.rows("100999") == [{"name": "a", "n": 1}, {"name": "b", "n": 2}]
    assert ods_portal.store.datasets["100999"].extra_metas["custom"] == {"my-field": "v"}


def test_huwise_utils_py(calls, ods_portal):
    told = calls("huwise_utils")
    assert told["uid"] == told["found"]
    assert (told["title"], told["keywords"], told["custom"]) == ("Renamed", ["a", "b"], "v")
    assert told["licence"] == "5sylls5"
    assert told["fields"]["results"][0]["field_label"] == "The city"
    assert len(told["ids"]) == len(told["after"]) + 1 == 8
    assert told["bulk"]["100999"]["default"]["title"] == {"value": "Renamed"}
    assert "error" in told["bulk"]["nope"]
    # Its flat payload is none of the API's, and its own users go around it.
    assert told["flat resource"][0] == 400
    assert told["unknown"] == [404, {"error_code": "not_found", "message": "Dataset not found"}]
    ods_portal.office.settle()
    state = ods_portal.store.datasets["world-capitals"]
    assert (state.description, state.column("name").label) == ("Described", "The city")
