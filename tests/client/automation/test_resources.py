"""Resources: made, pointed at another file without a gap, looked at before they are published; push keys."""

from __future__ import annotations

import pytest

from ods_provider.core.errors import OdsConfigError, OdsQueryError
from ods_provider.core.redact import Secret


def test_a_resource_is_pointed_at_another_file_and_keeps_the_rest(desk, tmp_path):
    uid, resources = desk.new(), desk.automation.resources
    first = desk.resource(uid, desk.file(tmp_path))
    datasets = desk.automation.datasets
    datasets.wait(datasets.publish("mine"))
    file = resources.upload("mine", desk.file(tmp_path, "a.csv", "name;n\nc;3\n"))
    assert file["uid"] == "a_2.csv"
    changed = resources.update("mine", first, datasource={"type": "uploaded_file", "file": {"uid": file["uid"]}})
    assert (changed["uid"], changed["params"], changed["title"]) == (first, {"separator": ";"}, "a.csv")
    # Nothing is without data in between.
    assert sorted(row["n"] for row in desk.client.records("mine")) == [1, 2]
    datasets.wait(datasets.publish("mine"))
    assert [row["n"] for row in desk.client.records("mine")] == [3]
    assert [each["uid"] for each in resources.list("mine")] == [first]
    resources.delete("mine", first)
    assert resources.list("mine") == []


def test_a_source_is_looked_at_made_or_not(desk, tmp_path):
    uid, resources = desk.new(), desk.automation.resources
    path = desk.file(tmp_path, "a.csv", "Name;password\na;hush\n")
    made = desk.resource(uid, path)
    source = resources.get(uid, made)["datasource"]
    draft = {"type": "csvfile", "params": {"separator": ";"}, "datasource": source}
    for shown in (resources.preview(uid, made), resources.preview(uid, draft)):
        assert [field["name"] for field in shown["fields"]] == ["name", "password"]
        assert shown["records"] == [{"name": "a", "password": "hush"}]  # a column, no credential
    for told in (resources.guess_extractors(uid, made), resources.guess_extractors(uid, source)):
        assert told[0]["type"] == "csvfile"
    for told in (resources.guess_params(uid, made), resources.guess_params(uid, source)):
        assert told["extractor"] == "csvfile"
        assert told["params"]["separator"] == ";"
    resources.clean_cache(uid, made)


def test_a_push_key_is_masked_and_given_as_a_secret_alone(desk):
    uid, resources = desk.new(), desk.automation.resources
    made = resources.create(uid, {"type": "realtime", "title": "live"})
    plain = desk.office.drafts.find(uid).resources[0].push_key
    assert made["apikey"] == "***"
    assert made["push_url"].endswith("/push/")
    assert plain not in repr([made, resources.list(uid), resources.get(uid, made["uid"])])
    key = resources.push_key(uid, made["uid"])
    assert isinstance(key, Secret)
    assert key.reveal() == plain
    renewed = resources.renew_push_key(uid, made["uid"])
    assert renewed != key
    assert renewed == resources.push_key(uid, made["uid"])
    assert resources.disable(uid, made["uid"])["enabled"] is False
    assert resources.enable(uid, made["uid"])["enabled"] is True
    for call in (resources.recover, resources.drop_recovered):
        with pytest.raises(OdsQueryError):
            call(uid, made["uid"])  # nothing of it is published
    desk.office.switch(masks_push_key=True)
    with pytest.raises(OdsConfigError, match="shows the beginning of this push key only"):
        resources.push_key(uid, made["uid"])


def test_a_resource_without_pushes_has_no_key(desk, tmp_path):
    uid = desk.new()
    made = desk.resource(uid, desk.file(tmp_path))
    with pytest.raises(OdsConfigError, match="takes no pushes"):
        desk.automation.resources.push_key(uid, made)


def test_credentials_that_were_seen_masked_or_null_stay_when_they_are_sent_back(desk):
    uid, resources = desk.new(), desk.automation.resources
    connection = {
        "type": "http",
        "url": "http://user:w0rd@127.0.0.1",
        "auth": {"type": "basic_auth", "username": "u", "password": "p4ss"},
    }
    headers = [{"name": "X-Key", "value": "h3ad"}, {"name": "Accept", "value": "text/csv"}]
    source = {"type": "http", "connection": connection, "relative_url": "/a?token=t0ken", "headers": headers}
    made = resources.create(uid, {"type": "csvfile", "title": "a", "datasource": source})
    shown = made["datasource"]
    assert shown["connection"]["url"] == "http://***@127.0.0.1"
    assert shown["connection"]["auth"]["password"] in (None, "***")
    assert shown["relative_url"] == "/a?token=***"
    assert shown["headers"] == [{"name": "X-Key", "value": "***"}, {"name": "Accept", "value": "text/csv"}]
    shown["headers"][1]["value"] = "*/*"
    shown["connection"]["auth"]["password"] = "***"
    resources.update(uid, made["uid"], datasource=shown, title="b")
    kept = desk.office.drafts.find(uid).resources[0]
    headers[1]["value"] = "*/*"
    assert (kept.title, kept.datasource) == ("b", source)
    resources.update(uid, made["uid"], title="c")
    assert desk.office.drafts.find(uid).resources[0].datasource == source
