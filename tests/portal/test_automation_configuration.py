"""Metadata, field configurations, processors, schedules, files that hang on a dataset: each changes what is served."""

import pytest

CSV = "Name;N;Tags;When\na;1;x,y;2024-05-06\nb;2;;2023-01-02\n"


@pytest.fixture
def at(edit):
    made = edit.new()
    edit.resource(made, "a.csv", CSV, separator=";")
    return made


def field(edit, at, **given):
    return edit.done("POST", f"{at}/fields/", 201, json=given)


def test_metadata_is_read_and_written_whole_by_template_and_by_field(edit):
    at = edit.new()
    whole = {"default": {"title": {"value": "T"}, "keyword": {"value": ["k"]}}, "custom": {"my-field": {"value": "v"}}}
    edit.done("PUT", f"{at}/metadata/", json=whole)
    assert edit.done("GET", f"{at}/metadata/") == whole
    edit.done("PUT", f"{at}/metadata/default/", json={"title": {"value": "U"}})
    assert edit.done("GET", f"{at}/metadata/default/") == {"title": {"value": "U"}}
    assert edit.done("PUT", f"{at}/metadata/dcat/temporal/", json={"value": "2024-01-01/2024-12-31"})
    assert edit.call("DELETE", f"{at}/metadata/custom/my-field/").status_code == 204
    assert edit.refused("GET", f"{at}/metadata/custom/my-field/") == (404, "not_found")
    assert set(edit.done("GET", f"{at}/metadata/")) == {"default", "dcat"}


@pytest.mark.parametrize("given", [{}, [], {"wert": 1}, "text"])
def test_a_value_that_is_none_is_refused_and_nothing_is_changed(edit, given):
    at = edit.new()
    before = edit.done("GET", f"{at}/metadata/")
    assert edit.refused("PUT", f"{at}/metadata/default/title/", json=given)[0] == 400
    assert edit.refused("PUT", f"{at}/metadata/default/keyword/", json={"value": "bare"})[0] == 400
    assert (
        edit.refused("PUT", f"{at}/metadata/", json={"default": {"publisher": {"value": 1}, "title": given}})[0] == 400
    )
    assert edit.done("GET", f"{at}/metadata/") == before


@pytest.mark.at_length
def test_published_metadata_is_what_explore_shows(edit, at):
    edit.done("PUT", f"{at}/metadata/default/keyword/", json={"value": ["a", "b"]})
    edit.done("PUT", f"{at}/metadata/default/modified/", json={"value": "2020-02-02T00:00:00Z"})
    edit.done("PUT", f"{at}/metadata/dcat/temporal_coverage_start/", json={"value": "2023-01-01T23:00:00Z"})
    edit.done("PUT", f"{at}/metadata/custom/my-field/", json={"value": "v"})
    edit.done("PUT", f"{at}/metadata/internal/license_id/", json={"value": "ccby40"})
    facets = [{"field_name": "name", "facetsort": "-count", "disjunctive": True}]
    edit.done("PUT", f"{at}/metadata/asset_content_configuration/facets/", json={"value": facets})
    edit.publish(at)
    shown = edit.ask.whole("/datasets/mine", include_app_metas="true")
    metas = shown["metas"]
    assert (metas["default"]["title"], metas["default"]["keyword"]) == ("Mine", ["a", "b"])
    assert metas["default"]["modified"] == "2020-02-02T00:00:00+00:00"
    assert metas["dcat"]["temporal_coverage_start"] == "2023-01-01T23:00:00Z"
    assert metas["custom"] == {"my-field": "v"}
    assert "internal" not in metas
    assert (metas["publishing"]["status"], metas["publishing"]["extractors"]) == ("idle", ["csvfile"])
    assert shown["fields"][0]["annotations"] == {"facet": True, "facetsort": "-count", "disjunctive": True}
    assert edit.ask.whole("/datasets/mine/facets")["facets"][0]["name"] == "name"
    assert edit.ask.whole("/datasets", where="keyword = 'b'")["results"][0]["dataset_id"] == "mine"
    edit.done("PUT", f"{at}/metadata/default/modified_updates_on_data_change/", json={"value": True})
    edit.publish(at)
    assert edit.ask.whole("/datasets/mine")["metas"]["default"]["modified"] > "2026"


def test_the_standard_template_has_two_names(edit):
    edit.office.switch(template="asset")
    at = edit.new()
    assert set(edit.done("GET", f"{at}/metadata/")) == {"asset"}
    for name in ("asset", "default"):
        edit.done("PUT", f"{at}/metadata/{name}/title/", json={"value": name})
        assert edit.done("GET", f"{at}/")["metadata"] == {"asset": {"title": {"value": name}}}


def test_empty_and_custom_values_of_a_new_dataset(edit):
    metadata = {"default": {"title": {"value": "T"}, "publisher": {"value": ""}}, "custom": {"x": {"value": "v"}}}
    edit.office.switch(refuse_empty_values=True, keeps_custom_on_create=False)
    assert edit.call("POST", "/datasets/", json={"metadata": metadata}).json()["detail"] == {
        "publisher": ["This value may not be empty"]
    }
    del metadata["default"]["publisher"]
    assert set(edit.done("POST", "/datasets/", 201, json={"metadata": metadata})["metadata"]) == {"default"}


def test_templates_and_suggestions_are_told(edit):
    assert "default" in [one["name"] for one in edit.done("GET", "/metadata/templates/")["results"]]
    assert edit.done("GET", "/metadata/templates/internal/fields/")["total_count"] == 3
    path = "/metadata/templates/internal/fields/license_id/suggest/"
    assert edit.done("GET", path, params={"query": "cc by"}) == [{"value": "ccby40", "label": "CC BY 4.0"}]


@pytest.mark.at_length
def test_field_configurations_change_what_is_served(edit, at):
    field(edit, at, type="rename", from_name="name", to_name="title", field_label="The title")
    field(edit, at, type="type", field="n", type_param="double")
    field(edit, at, type="description", field="n", description="How many")
    field(edit, at, type="annotate", field="tags", annotation="multivalued", args=[","])
    field(edit, at, type="annotate", field="when", annotation="timeserie_precision", args=["month"])
    field(edit, at, type="annotate", field="title", annotation="id")
    field(edit, at, type="order", order=["n", "title"])
    field(edit, at, type="delete", field="AnotherCase")
    edit.publish(at)
    fields = edit.ask.whole("/datasets/mine")["fields"]
    assert [(one["name"], one["label"], one["type"]) for one in fields] == [
        ("n", "N", "double"),
        ("title", "The title", "text"),
        ("tags", "Tags", "text"),
        ("when", "When", "date"),
    ]
    assert (fields[0]["description"], fields[1]["annotations"]) == ("How many", {"id": True})
    assert edit.ask.rows("mine")[0] == {"n": 1.0, "title": "a", "tags": ["x", "y"], "when": "2024-05"}
    step = field(edit, at, type="delete", field="tags")
    edit.publish(at)
    assert "tags" not in edit.ask.rows("mine")[0]
    assert edit.call("DELETE", f"{at}/fields/{step['uid']}/").status_code == 204
    edit.publish(at)
    assert edit.ask.rows("mine")[0]["tags"] == ["x", "y"]


def test_steps_are_a_list_that_only_grows_at_its_end(edit, at):
    for number in range(25):
        field(edit, at, type="description", field="n", description=str(number))
    page = edit.done("GET", f"{at}/fields/")
    assert (len(page["results"]), page["total_count"]) == (20, 25)
    one = page["results"][0]
    edit.done("PUT", f"{at}/fields/{one['uid']}/", json=one | {"description": "first"})
    assert edit.done("GET", f"{at}/fields/", params={"limit": 1})["results"][0]["description"] == "first"
    for given in ({"type": "unknown"}, {"type": "rename"}, {"type": "type", "field": "n", "type_param": "integer"}):
        assert edit.refused("POST", f"{at}/fields/", json=given) == (400, "validation_error")


def test_a_dataset_that_came_with_the_portal_is_configured_and_keeps_its_rows(edit):
    at = edit.of("world-capitals")
    before = edit.ask.rows(limit=3)
    step = field(edit, at, type="rename", from_name="name", to_name="city")
    edit.publish(at)
    after = edit.ask.rows(limit=3)
    assert [row | {"city": row["name"]} for row in before] == [row | {"name": row["city"]} for row in after]
    edit.done("DELETE", f"{at}/fields/{step['uid']}/", 204)
    edit.publish(at)
    assert edit.ask.rows(limit=3) == before


PROCESSORS = [
    ({"type": "string_replace", "field": "name", "old": "a", "new": "z"}, {"name": ["z", "b"]}),
    ({"type": "regexp_replace", "field": "tags", "regexp": "[xy]", "new": "-"}, {"tags": ["-,-", None]}),
    ({"type": "string_extractor", "field": "when", "regexp": r"^(?P<year>\d+)"}, {"year": [2024, 2023]}),
    ({"type": "concat", "left": "name", "right": "n", "separator": "/", "output_field": "o"}, {"o": ["a/1", "b/2"]}),
    ({"type": "split", "field": "tags", "separator": ",", "index": 2, "output_field": "o"}, {"o": ["y", None]}),
    ({"type": "skip_record", "field": "name", "value": "a"}, {"name": ["b"]}),
    ({"type": "skip_record", "field": "name", "value": "a", "keep": True}, {"name": ["a"]}),
    ({"type": "delete_record", "field": "tags"}, {"name": ["a"]}),
    ({"type": "create_geopoint", "lat": "n", "lon": "n"}, {"geopoint": [{"lon": 1, "lat": 1}, {"lon": 2, "lat": 2}]}),
    ({"type": "unicode_normalize", "field": "name"}, {"name": ["a", "b"]}),
]


@pytest.mark.at_length(but=3)
@pytest.mark.parametrize(("processor", "found"), PROCESSORS, ids=[one["type"] for one, _ in PROCESSORS])
def test_processors_change_what_is_served(edit, at, processor, found):
    edit.done("POST", f"{at}/processors/", 201, json=processor)
    assert edit.publish(at)["message"] is None
    rows = edit.ask.rows("mine")
    assert {name: [row[name] for row in rows] for name in found} == found


@pytest.mark.parametrize(
    ("processor", "why"),
    [
        ({"type": "string_replace", "field": "nope", "old": "a"}, "no field nope"),
        ({"type": "split", "field": "name"}, "separator is missing"),
        ({"type": "join_dataset"}, "is not run by this portal"),
        ({"type": "regexp_replace", "field": "name", "regexp": "("}, "missing"),
    ],
)
def test_a_broken_processor_stops_the_run(edit, at, processor, why):
    uid = edit.done("POST", f"{at}/processors/", 201, json=processor)["uid"]
    told = edit.publish(at)
    assert told["status"] == "error" and why in told["message"]
    edit.done("DELETE", f"{at}/processors/{uid}/", 204)
    assert edit.publish(at)["status"] == "idle"
    assert {"string_replace", "concat"} <= {one["type"] for one in edit.done("GET", "/processors/")}


def test_schedules_and_rules_are_kept(edit, at):
    made = edit.done("POST", f"{at}/schedules/", 201, json={"cron_schedule": "0 3 * * *"})
    assert edit.done("GET", f"{at}/schedules/")["results"] == [made]
    assert edit.refused("POST", f"{at}/schedules/", json={"cron_schedule": "daily"})[0] == 400
    rule = {"group": {"uid": "publishers"}, "permissions": ["explore_restricted_dataset"]}
    told = edit.done("POST", f"{at}/security/groups/", 201, json=rule)
    assert told["security"]["visible_fields"] is None
    assert edit.refused("POST", f"{at}/security/groups/", json=rule)[0] == 400
    assert (
        edit.refused("POST", f"{at}/security/users/", json={"user": {"username": "u"}, "permissions": ["fly"]})[0]
        == 400
    )
    assert edit.refused("POST", f"{at}/security/users/", json={})[0] == 400


def test_files_that_hang_on_a_dataset_are_offered_when_it_is_published(edit, at):
    attached = edit.done("POST", f"{at}/attachments/", 201, files={"file": ("Über.pdf", b"%PDF")})
    assert (attached["filename"], attached["mimetype"]) == ("Über.pdf", "application/pdf")
    given = {"title": "All of it", "type": "uploaded_file", "description": "zipped"}
    offered = edit.done("POST", f"{at}/alternative_exports/", 201, data=given, files={"file": ("a.zip", b"PK")})
    edit.done("PUT", f"{at}/alternative_exports/{offered['uid']}/", json={"title": "Everything"})
    assert edit.call("GET", f"{at}/attachments/{attached['uid']}/download/").content == b"%PDF"
    edit.publish(at)
    shown = edit.ask.whole("/datasets/mine")
    assert [one["title"] for one in shown["attachments"] + shown["alternative_exports"]] == ["Über.pdf", "Everything"]
    assert edit.ask.get(f"/datasets/mine/attachments/{attached['uid']}").content == b"%PDF"
    edit.done("DELETE", f"{at}/attachments/{attached['uid']}/", 204)
    edit.publish(at, "publish_metadata")
    assert edit.ask.whole("/datasets/mine")["attachments"] == []
    assert edit.refused("POST", f"{at}/alternative_exports/", files={"file": ("a.zip", b"PK")})[0] == 400
    photos = edit.done("GET", f"{edit.of('landmark-photos')}/attachments/")
    assert photos["total_count"] == len(edit.ask.whole("/datasets/landmark-photos")["attachments"])


def test_images_of_the_portal(edit):
    made = edit.done("POST", "/medias/images/", 201, files={"file": ("Logo.png", b"\x89PNG")})
    assert made == {"url": "/assets/theme_image/logo.png"}
    assert edit.done("GET", "/medias/images/")["results"] == [made]
    assert edit.refused("POST", "/medias/images/", files={"file": ("a.txt", b"x")})[0] == 400
