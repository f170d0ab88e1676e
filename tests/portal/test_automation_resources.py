"""Resources, their files, previews and guesses; realtime ones and their keys."""

import pytest

PUSH = "/api/push/1.0/{}/{}/push/"


def test_a_file_has_the_uid_of_its_name_and_another_where_that_is_taken(edit):
    at = edit.new()
    assert edit.upload(at, "Cheese Data.csv", "a\n1\n") == "cheese_data.csv"
    assert edit.upload(at, "Cheese  Data.CSV", "a\n2\n") == "cheese_data_2.csv"
    assert edit.call("GET", f"{at}/resources/files/cheese_data_2.csv/download/").content == b"a\n2\n"
    shown = edit.done("GET", f"{at}/resources/files/cheese_data.csv/")
    assert (shown["filename"], shown["mimetype"]) == ("Cheese Data.csv", "text/csv")


def test_what_is_no_upload_or_too_large_is_refused(edit):
    at = f"{edit.new()}/resources/files/"
    edit.office.switch(most_file_bytes=1000)
    assert edit.call("POST", at, files={"file": ("a.csv", b"x" * 1001)}).status_code == 413
    assert edit.done("POST", at, 201, files={"file": ("a.csv", b"x" * 1000)})["uid"] == "a.csv"
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    cut = b"--x\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\ncut"
    wrong = [
        {"json": {}},
        {"files": {"other": ("a.csv", b"x")}},
        {"data": b"no form", "headers": form},
        {"data": cut, "headers": form},
    ]
    for sent in wrong:
        assert edit.refused("POST", at, **sent)[0] == 400
    edit.office.switch(upload_status=200)
    assert edit.done("POST", at, 200, files={"file": ("ü.csv", b"x")})["filename"] == "ü.csv"


def test_bytes_arrive_as_they_were_sent_wherever_boundaries_fall(edit):
    at = edit.new()
    content = bytes(range(256)) * 5_000 + b"\r\n--" * 40_000 + b"\r\n"
    edit.upload(at, "a.bin", content)
    assert edit.call("GET", f"{at}/resources/files/a.bin/download/").content == content


def test_a_resource_is_listed_changed_in_place_and_deleted(edit):
    at = edit.new()
    uid = edit.resource(at, "a.csv", "n\n1\n", separator=";")
    before = edit.done("GET", f"{at}/resources/{uid}/")
    again = edit.upload(at, "a.csv", "n\n2\n")
    changed = before | {"datasource": {"type": "uploaded_file", "file": {"uid": again}}}
    after = edit.done("PUT", f"{at}/resources/{uid}/", json=changed)
    assert (after["uid"], after["params"], after["datasource"]["file"]) == (uid, {"separator": ";"}, {"uid": "a_2.csv"})
    edit.resource(at, "a.csv", "n\n1\n")
    page = edit.done("GET", f"{at}/resources/")
    assert (page["total_count"], page["results"][0]["uid"]) == (2, uid)
    assert edit.call("DELETE", f"{at}/resources/{uid}/").status_code == 204
    assert edit.refused("GET", f"{at}/resources/{uid}/") == (404, "not_found")
    assert edit.call("POST", f"{at}/resources/{page['results'][1]['uid']}/clean_cache/").status_code == 204


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"type": "csvfile"},
        {"type": "csvfile", "datasource": {}},
        {"type": "csvfile", "datasource": {"type": "uploaded_file"}},
        {"type": "csvfile", "datasource": {"type": "http"}, "params": []},
        [],
    ],
)
def test_what_is_no_resource_is_refused(edit, given):
    at = edit.new()
    assert edit.refused("POST", f"{at}/resources/", json=given)[0] == 400
    assert edit.done("GET", f"{at}/resources/")["total_count"] == 0


def test_a_source_is_looked_at_before_it_is_published(edit):
    at = edit.new()
    uid = edit.resource(at, "a.csv", "Name;n\n" + "a;1\n" * 30, separator=";")
    shown = edit.done("GET", f"{at}/resources/{uid}/preview/")
    assert [field["name"] for field in shown["fields"]] == ["name", "n"]
    assert [field["type"] for field in shown["fields"]] == ["text", "int"]
    assert shown["records"] == [{"name": "a", "n": "1"}] * 20
    datasource = {"type": "uploaded_file", "file": {"uid": "a.csv"}}
    given = {"type": "csvfile", "params": {"separator": ","}, "datasource": datasource}
    assert edit.done("POST", f"{at}/resources/preview/", json=given)["fields"][0]["name"] == "name_n"
    guessed = edit.done("POST", f"{at}/resources/guess_extractor_params/", json={"datasource": datasource})
    assert (guessed["extractor"], guessed["params"]["separator"]) == ("csvfile", ";")
    assert edit.done("GET", f"{at}/resources/{uid}/guess_extractors_params/") == guessed
    assert edit.done("GET", f"{at}/resources/{uid}/guess_extractors/")[0]["type"] == "csvfile"
    edit.upload(at, "b", '{"type": "FeatureCollection", "features": []}')
    given = {"datasource": {"type": "uploaded_file", "file": {"uid": "b"}}}
    assert edit.done("POST", f"{at}/resources/guess_extractors/", json=given)[0]["type"] == "geojson"
    assert edit.refused("GET", f"{edit.new('other')}/resources/{uid}/preview/") == (404, "not_found")
    assert {"csvfile", "jsonfile", "parquet"} <= {one["type"] for one in edit.done("GET", "/extractors/")}


def realtime(edit):
    at = edit.new("live")
    bootstrap = [{"sensor": "a", "value": 1.5, "at": "2026-01-01T00:00:00Z"}]
    given = {"type": "realtime", "title": "live", "params": {"bootstrap": bootstrap}}
    made = edit.done("POST", f"{at}/resources/", 201, json=given)
    for name in ("sensor", "at"):
        edit.done("POST", f"{at}/fields/", 201, json={"type": "annotate", "field": name, "annotation": "id"})
    edit.publish(at)
    return at, made


def test_a_realtime_resource_takes_pushes_by_its_own_key(edit):
    at, made = realtime(edit)
    assert edit.ask.total("live") == 0
    push = made["push_url"].removeprefix(edit.ask.portal.url)
    row = {"sensor": "ä", "at": "2026-01-01T00:00:00Z", "value": 1}
    for value in (1, 2):
        pushed = edit.ask(push, method="POST", params={"pushkey": made["apikey"]}, json=row | {"value": value})
        assert pushed.json() == {"status": "OK"}
    assert edit.ask.rows("live") == [{"sensor": "ä", "value": 2.0, "at": "2026-01-01T00:00:00+00:00"}]
    # A publication keeps what was pushed, and each record its id: pushed again it is still one.
    edit.publish(at)
    edit.ask(push, method="POST", params={"pushkey": made["apikey"]}, json=row | {"value": 3})
    assert [found["value"] for found in edit.ask.rows("live")] == [3.0]
    edit.publish(at, "unpublish")
    assert edit.ask(push, method="POST", params={"pushkey": made["apikey"]}, json=row).status_code == 404
    edit.publish(at)
    assert edit.ask.total("live") == 0


def test_a_push_key_is_renewed_masked_and_a_resource_disabled(edit):
    at, made = realtime(edit)
    one, push = f"{at}/resources/{made['uid']}/", PUSH.format("live", made["uid"])
    renewed = edit.done("POST", f"{one}renew_api_key/")["apikey"]
    assert edit.ask(push, method="POST", params={"pushkey": made["apikey"]}, json={}).status_code == 403
    assert edit.ask(push, method="POST", params={"pushkey": renewed}, json={"sensor": "a"}).status_code == 200
    edit.done("POST", f"{one}disable/")
    assert edit.ask(push, method="POST", params={"pushkey": renewed}, json={}).status_code == 403
    edit.done("POST", f"{one}enable/")
    assert edit.ask(push, method="POST", params={"pushkey": renewed}, json={"sensor": "a"}).status_code == 200
    edit.office.switch(masks_push_key=True)
    assert renewed not in edit.call("GET", f"{at}/resources/").text
    edit.publish(at, "unpublish")
    assert edit.refused("POST", f"{one}recover/") == (400, "invalid_dataset_status")


def test_the_portal_s_own_realtime_dataset_is_fed_as_before(edit):
    at = edit.of("live-readings")
    (shown,) = edit.done("GET", f"{at}/resources/")["results"]
    assert shown["apikey"] == "demo-push-key"
    edit.publish(at)
    row = {"sensor_id": "s-9", "at": "2026-02-01T00:00:00Z", "value": 1}
    edit.ask(PUSH.format("live-readings", "realtime"), method="POST", params={"pushkey": "demo-push-key"}, json=row)
    edit.publish(at)
    assert edit.ask.total("live-readings") == 4


@pytest.mark.at_length
def test_a_record_that_was_read_and_one_that_is_pushed_have_one_id(edit):
    at = edit.new("both")
    text = 'k,day,at,x,v\nä"q,2024-01-02,2024-01-02T03:04:05.5Z,1.25,old\n'
    edit.resource(at, "a.csv", text.replace('"', '""').replace('ä""q', '"ä""q"'))
    given = {"type": "realtime", "title": "live", "params": {}}
    made = edit.done("POST", f"{at}/resources/", 201, json=given)
    for name in ("k", "day", "at", "x"):
        edit.done("POST", f"{at}/fields/", 201, json={"type": "annotate", "field": name, "annotation": "id"})
    assert edit.publish(at)["status"] == "idle"
    row = {"k": 'ä"q', "day": "2024-01-02", "at": "2024-01-02T04:04:05.5+01:00", "x": 1.25, "v": "new"}
    edit.ask(PUSH.format("both", made["uid"]), method="POST", params={"pushkey": made["apikey"]}, json=row)
    assert [found["v"] for found in edit.ask.rows("both")] == ["new"]
