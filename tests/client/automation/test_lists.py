"""What hangs on a dataset: field configurations, processors, schedules, rules, files; each added once."""

from __future__ import annotations

import pytest

from ods_provider.core.errors import OdsNotFound, OdsQueryError

ENTRIES = {
    "fields": (
        {"type": "rename", "label": "mine", "from_name": "a", "to_name": "b", "field_label": "B"},
        {"type": "type", "field": "b", "type_param": "int"},
    ),
    "processors": (
        {"type": "string_replace", "label": "mine", "field": "a", "old": "x", "new": "y"},
        {"type": "string_replace", "field": "a", "old": "z", "new": "y"},
    ),
    "schedules": ({"cron_schedule": "0 6 * * *"}, {"cron_schedule": "30 6 * * 1"}),
}


@pytest.mark.parametrize("kind", ENTRIES)
def test_a_list_keeps_its_order(desk, kind):
    uid, entries = desk.new(), getattr(desk.automation, kind)
    first, second = ENTRIES[kind]
    one, two = entries.add("mine", first), entries.add("mine", second)
    assert first.items() <= one.items()
    assert entries.list(uid) == [one, two]
    changed = entries.update(uid, one["uid"], {**first, **second})
    assert changed["uid"] == one["uid"]
    assert entries.get(uid, one["uid"]) == changed
    assert entries.list(uid) == [changed, two]
    entries.delete(uid, one["uid"])
    assert entries.list(uid) == [two]
    with pytest.raises(OdsNotFound):
        entries.delete(uid, one["uid"])
    with pytest.raises(OdsQueryError):
        entries.add(uid, {})


@pytest.mark.parametrize("kind", ENTRIES)
def test_an_entry_whose_answer_is_lost_is_added_once(desk, kind):
    uid, entries = desk.new(), getattr(desk.automation, kind)
    given = ENTRIES[kind][0]
    before = entries.add(uid, given)  # one that is like it is no answer
    desk.portal.fault("lost", path=f"/{kind}/", method="POST")
    made = entries.add(uid, given)
    assert len(desk.calls("POST", f"/{kind}/")) == 2
    assert [each["uid"] for each in entries.list(uid)] == [before["uid"], made["uid"]]


def test_lists_longer_than_a_page_are_whole(desk):
    uid = desk.new()
    desk.office.switch(most_page=20)
    for number in range(25):
        desk.office.drafts.find(uid).processors.append({"uid": f"pr_{number}", "type": "x"})
    assert len(desk.automation.processors.list(uid)) == 25


@pytest.mark.parametrize("shown", ["args", "order"])
@pytest.mark.parametrize("typed", ["args", "order"])
def test_an_order_of_fields_is_spelled_as_the_portal_shows_it(desk, shown, typed):
    uid = desk.new()
    desk.office.drafts.find(uid).fields.append({"uid": "pr_1", "type": "order", shown: ["a"]})
    made = desk.automation.fields.add(uid, {"type": "order", "label": "mine", typed: ["b", "a"]})
    assert (made[shown], len(made)) == (["b", "a"], 4)


def test_the_portals_processors_are_told(desk):
    assert "string_replace" in [each["type"] for each in desk.automation.processors.types()]


@pytest.mark.parametrize(("whom", "name"), [("users", "ann"), ("groups", "publishers")])
@pytest.mark.parametrize("fault", [None, "lost", "drop"])
def test_a_rule_is_made_replaced_and_deleted(desk, whom, name, fault):
    uid, rules = desk.new(), getattr(desk.automation.security, whom)
    if fault:
        desk.portal.fault(fault, path=f"/security/{whom}/", method="POST")
    made = rules.set("mine", name, permissions=["explore_restricted_dataset"], security={"visible_fields": ["a"]})
    assert (made["permissions"], made["security"]["visible_fields"]) == (["explore_restricted_dataset"], ["a"])
    assert len(desk.calls("POST", f"/security/{whom}/")) == (2 if fault == "drop" else 1)
    assert rules.set(uid, name, permissions=["edit_dataset"])["permissions"] == ["edit_dataset"]
    assert rules.list(uid) == [rules.get(uid, name)]
    rules.delete(uid, name)
    assert rules.list(uid) == []


@pytest.mark.parametrize("kind", ["attachments", "alternative_exports"])
@pytest.mark.parametrize("fault", [None, "lost", "drop"])
def test_a_file_is_hung_on_a_dataset_once(desk, tmp_path, kind, fault):
    uid, files = desk.new(), getattr(desk.automation, kind)
    more = {} if kind == "attachments" else {"title": "Trees", "description": "All of them"}
    content = b"<html>" + bytes(range(256)) * 2_000
    path = desk.file(tmp_path, "Bäume.html", content)
    first = files.add(uid, path, **more)
    if fault:
        desk.portal.fault(fault, path=f"/{kind}/", method="POST")
    made = files.add(uid, path, **more)
    assert made["uid"] != first["uid"]
    assert [each["uid"] for each in files.list(uid)] == [first["uid"], made["uid"]]
    assert len(desk.calls("POST", f"/{kind}/")) == (3 if fault == "drop" else 2)
    assert b"".join(files.download("mine", made["uid"])) == content
    assert files.get(uid, made["uid"])["filename"] == "Bäume.html"
    if more:
        assert (made["title"], made["description"]) == ("Trees", "All of them")
        assert files.update(uid, made["uid"], title="Oaks")["title"] == "Oaks"
    files.delete(uid, first["uid"])
    assert [each["uid"] for each in files.list(uid)] == [made["uid"]]


@pytest.mark.parametrize("fault", [None, "lost"])
def test_an_image_is_added_once(desk, tmp_path, fault):
    if fault:
        desk.portal.fault(fault, path="/images/", method="POST")
    made = desk.automation.images.add(desk.file(tmp_path, "tree.png", b"\x89PNG"))
    assert desk.automation.images.list() == [made]
    assert made["url"].startswith("/assets/")
