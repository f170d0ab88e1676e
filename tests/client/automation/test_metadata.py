"""Metadata: read in every spelling, written where they stand, one value at a time."""

from __future__ import annotations

import pytest

from ods_provider.core.errors import OdsConfigError, OdsNotFound


@pytest.fixture
def uid(desk):
    return desk.new()


@pytest.mark.parametrize("template", ["default", "asset"])
def test_the_standard_template_has_one_name_whatever_the_portal_calls_it(desk, uid, template):
    desk.office.switch(template=template)
    metadata = desk.automation.metadata
    assert metadata.all(uid) == {"default": {"title": {"value": "Mine"}}}
    for name in ("default.title", "asset.title"):
        assert metadata.get(uid, name) == {"value": "Mine"}
        assert metadata.set(uid, {name: "Ours"}) == [name]
        assert metadata.set(uid, {"default.title": "Mine"}) == ["default.title"]
    assert metadata.template(uid, "default") == metadata.template(uid, "asset") == {"title": {"value": "Mine"}}
    metadata.replace(uid, {"title": {"value": "New"}, "language": {"value": "fr"}}, template="default")
    metadata.replace(uid, {"default": {"title": {"value": "Newer"}}, "dcat": {"creator": {"value": "me"}}})
    assert metadata.all(uid) == {"default": {"title": {"value": "Newer"}}, "dcat": {"creator": {"value": "me"}}}
    assert set(desk.calls("PUT", "/metadata/")) == {f"/api/automation/v1.0/datasets/{uid}/metadata/"}
    wrong = "asset" if template == "default" else "default"
    assert not [path for path in desk.calls("PUT") if f"/{wrong}/" in path]


def test_only_what_differs_is_written(desk, uid):
    values = {"default.title": "Mine", "default.keyword": ["a", "b"], "dcat.created": "2024-01-01"}
    assert desk.automation.metadata.set(uid, values) == ["default.keyword", "dcat.created"]
    assert desk.automation.metadata.set(uid, values) == []
    assert len(desk.calls("PUT")) == 2


@pytest.mark.parametrize("typed", ["custom.data_owner", "custom.data-owner"])
def test_names_of_the_portals_own_are_found_with_hyphens_and_underscores(desk, uid, typed):
    metadata = desk.automation.metadata
    # Nothing there yet: the template's description tells how it is spelled.
    assert metadata.set(uid, {typed: "me"}) == [typed]
    assert metadata.all(uid)["custom"] == {"data-owner": {"value": "me"}}
    metadata.replace(uid, {"own_field": {"value": 1}}, template="extra")
    assert metadata.set(uid, {"extra.own-field": 2}) == ["extra.own-field"]
    assert metadata.get(uid, "extra.own_field") == {"value": 2}
    # No description has it, and the key may not see any: as portals spell them.
    desk.portal.fault("status", status=403, path="/metadata/templates/", times=None)
    assert metadata.set(uid, {"custom.new_one": 1}) == ["custom.new_one"]
    assert "new-one" in metadata.all(uid)["custom"]


def test_licence_and_theme_are_written_where_the_portal_shows_them(desk, uid):
    metadata = desk.automation.metadata
    metadata.set(uid, {"default.license_id": "ccby40", "default.theme_id": "t1"})
    assert metadata.all(uid)["internal"] == {"license_id": {"value": "ccby40"}, "theme_id": {"value": ["t1"]}}
    metadata.replace(uid, {"title": {"value": "x"}, "theme_id": {"value": ["t2"]}}, template="default")
    metadata.delete(uid, "internal.theme_id")
    assert metadata.set(uid, {"internal.theme_id": ["t3"]}) == ["internal.theme_id"]
    assert metadata.all(uid)["default"]["theme_id"] == {"value": ["t3"]}
    assert metadata.get(uid, "internal.license_id") == metadata.get(uid, "default.license_id") == {"value": "ccby40"}
    assert metadata.suggest("internal.license_id", "CC BY") == [{"value": "ccby40", "label": "CC BY 4.0"}]


def test_one_value_becomes_a_list_where_the_portal_wants_one(desk, uid):
    metadata = desk.automation.metadata
    metadata.set(uid, {"default.keyword": "tree", "custom.several": ["a"]})
    metadata.set(uid, {"custom.several": "b"})
    assert metadata.get(uid, "default.keyword") == {"value": ["tree"]}
    assert metadata.get(uid, "custom.several") == {"value": ["b"]}


def test_a_harvested_value_is_pinned_and_given_back(desk):
    desk.office.harvesters.start(desk.office.harvesters.find("town-gardens"))
    desk.office.settle()
    desk.office.switch(value_overrides=False)
    metadata = desk.automation.metadata
    theirs = {"value": "Gardens of the town", "remote_value": "Gardens of the town", "override_remote_value": False}
    assert metadata.get("town-gardens", "default.title") == theirs
    metadata.set("town-gardens", {"default.title": "Our gardens"})
    assert metadata.get("town-gardens", "default.title") == theirs | {
        "value": "Our gardens",
        "override_remote_value": True,
    }
    assert metadata.set("town-gardens", {"default.title": "Our gardens"}) == []
    metadata.set("town-gardens", {"default.title": "Our gardens"}, override=False)
    assert metadata.get("town-gardens", "default.title") == theirs
    metadata.set("town-gardens", {"default.title": "Ours again"}, override=True)
    metadata.delete("town-gardens", "default.title")
    assert metadata.get("town-gardens", "default.title") == theirs


def test_none_takes_a_value_back_and_what_the_source_says_already_is_left_alone(desk):
    desk.office.harvesters.start(desk.office.harvesters.find("town-gardens"))
    desk.office.settle()
    metadata = desk.automation.metadata
    assert metadata.set("town-gardens", {"default.title": "Gardens of the town", "default.publisher": None}) == []
    metadata.set("town-gardens", {"default.title": "Ours", "dcat.creator": "me"})
    assert metadata.set("town-gardens", {"default.title": None, "dcat.creator": None, "dcat.issued": None}) == [
        "default.title",
        "dcat.creator",
    ]
    assert metadata.get("town-gardens", "default.title")["value"] == "Gardens of the town"
    assert "dcat" not in metadata.all("town-gardens")


def test_what_is_not_there_or_names_nothing_is_said(desk, uid):
    with pytest.raises(OdsNotFound, match="has no such value"):
        desk.automation.metadata.get(uid, "dcat.created")
    for name in ("title", "default.", ".title"):
        with pytest.raises(OdsConfigError, match=r"Write it as default\.title"):
            desk.automation.metadata.set(uid, {name: 1})


def test_templates_and_their_fields_are_told(desk):
    names = [each["name"] for each in desk.automation.metadata.templates()]
    assert {"default", "internal", "dcat", "custom"} <= set(names)
    assert {"name": "title", "requirement_level": "mandatory"}.items() <= desk.automation.metadata.fields("default")[
        0
    ].items()
