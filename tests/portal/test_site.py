"""The pages for people: what is served, what it costs (nothing), and what is not shown."""

import re
from pathlib import Path

import pytest

from ods_provider.testing.site.addresses import is_page

STATIC = Path(__file__).resolve().parents[2] / "ods_provider" / "testing" / "site" / "static"
DATA = "/explore/data"
PAGES = ["/explore/", "/explore/dataset/world-capitals", "/explore/dataset/world-capitals/table/"]


@pytest.mark.parametrize("path", ["/", "/explore"])
def test_the_root_leads_to_the_list_of_datasets(ask, path):
    answer = ask(path)
    assert (answer.status_code, answer.url) == (200, ask.portal.page)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("path", [*PAGES, "/explore/static/dataset.js", "/favicon.ico"])
def test_pages_let_no_script_run_but_their_own_and_ask_no_other_host(ask, path):
    answer = ask(path)
    assert answer.status_code == 200
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert {value for name, value in policy.items() if name != "default-src"} <= {"'self'", "'none'"}
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("file", sorted(STATIC.iterdir()), ids=lambda file: file.name)
def test_no_page_names_another_host_or_holds_an_inline_script_or_makes_html_of_texts(file):
    text = file.read_text()
    assert set(re.findall(r"https?://[^\s\"')]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|<script>|\son\w+=", text)
    assert " style=" not in text


def test_what_a_page_links_to_is_there(ask):
    for page in STATIC.glob("*.html"):
        for link in re.findall(r"(?:href|src)=\"([^\"]+)\"", page.read_text()):
            assert ask(link).status_code == 200, link
    for script in STATIC.glob("*.js"):
        for name in re.findall(r"from \"\./([\w.]+)\"", script.read_text()):
            assert ask(f"/explore/static/{name}").headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("name", ["__init__.py", "%2e%2e%2f__init__.py", "nope.js", "portal.html"])
def test_nothing_else_is_served_as_a_file(ask, name):
    assert ask(f"/explore/static/{name}").status_code == 404


def test_looking_counts_in_no_quota_meets_no_fault_and_stands_in_no_log(ask):
    ask.portal.set_quota(limit=5)
    ask.portal.fault("status", status=503)
    for path in ("/", *PAGES, f"{DATA}/datasets", f"{DATA}/datasets/world-capitals/records"):
        assert ask(path).status_code == 200
    assert ask.portal.requests == []
    assert ask("/_control/quota").json()["portal"]["remaining"] == 5
    assert ask.get("/datasets").status_code == 503


def test_a_page_shows_what_programs_get(ask):
    for path in ("/datasets", "/datasets/all-types", "/datasets/all-types/records"):
        for where in (None, '"zwei"', "nope("):
            shown, got = ask(DATA + path, params={"where": where}), ask.get(path, where=where)
            assert (shown.status_code, shown.text) == (got.status_code, got.text)


def test_a_text_of_a_dataset_stands_in_no_page(ask):
    ask.portal.add_dataset("evil", {"x": "text"}, [{"x": "<script>alert(1)</script>"}])
    ask.portal.store.datasets["evil"].title = "<script>alert(2)</script>"
    for path in ("/explore/", "/explore/dataset/evil/", "/explore/dataset/%3Cscript%3Ealert(2)/"):
        assert "alert(" not in ask(path).text


def test_what_is_restricted_is_not_shown_without_a_key(ask, edit):
    at = edit.new("secret", is_restricted=True)
    edit.resource(at, "a.csv", "a\n1\n")
    edit.publish(at)
    assert "secret" in edit.call("GET", "/datasets/").text
    assert "secret" not in ask(f"{DATA}/datasets").text
    assert ask("/explore/dataset/secret/table/").status_code == 404
    for path in ("", "/records", "/publication"):
        assert ask(f"{DATA}/datasets/secret{path}").status_code == 404


def test_gated_records_are_not_shown_and_their_description_is(ask):
    assert ask("/explore/dataset/gated-loads/").status_code == 200
    assert ask(f"{DATA}/datasets/gated-loads").json()["data_visible"] is False
    assert ask(f"{DATA}/datasets/gated-loads/records").status_code == 403


def test_a_private_portal_shows_its_pages_and_nothing_of_its_data(another):
    ask = another(require_key=True)
    assert ask("/explore/").status_code == 200
    # Nor which datasets there are.
    known, unknown = ask("/explore/dataset/world-capitals/"), ask("/explore/dataset/nope/")
    assert (known.status_code, known.text) == (unknown.status_code, unknown.text)
    for path in ("/datasets", "/datasets/world-capitals", "/datasets/world-capitals/publication"):
        assert ask(DATA + path).status_code == 401


def test_the_status_of_a_publication_is_told_as_it_moves(ask, edit):
    told = f"{DATA}/datasets/world-capitals/publication"
    assert ask(told).json() is None
    edit.office.switch(processing_s=None)
    edit.done("POST", f"{edit.of('world-capitals')}/publish/")
    assert ask(told).json()["status"] == "processing"
    edit.office.settle()
    assert ask(told).json()["status"] == "idle"


def test_a_portal_without_a_back_office_tells_no_status(another):
    ask = another(automation_api=False)
    assert ask(f"{DATA}/datasets/world-capitals/publication").json() is None


def test_files_and_downloads_below_a_dataset_s_address_stay_calls_of_the_apis(ask):
    assert ask("/explore/dataset/world-capitals/download/").status_code == 200
    assert [entry.path for entry in ask.portal.requests] == ["/explore/dataset/world-capitals/download/"]
    for path in ("/explore/dataset/x/files/a", "/explore/dataset/x/download", "/explore/other/", "/api/explore/", "//"):
        assert not is_page(path)


def test_quotas_and_faults_are_told(ask):
    ask.portal.set_quota(limit=10, remaining=3, reset_in_s=60, unit="minute")
    ask.portal.set_quota(limit=2, dataset_id="world-capitals")
    ask.portal.fault("status", times=2, path="/records", body=b"\xff")
    quotas = ask("/_control/quota").json()
    assert (quotas["portal"]["remaining"], quotas["portal"]["unit"]) == (3, "minute")
    assert quotas["datasets"]["world-capitals"]["limit"] == 2
    (fault,) = ask("/_control/faults").json()
    assert (fault["kind"], fault["times"], fault["path"], fault["options"]["status"]) == ("status", 2, "/records", 503)
    assert ask.get("/datasets/world-capitals/records").status_code == 503
    assert ask("/_control/faults").json()[0]["times"] == 1
    ask.portal.clear_faults()
    assert ask("/_control/faults").json() == []


def test_looking_at_a_window_that_has_ended_begins_no_new_one(ask):
    ask.portal.set_quota(limit=10, remaining=0, reset_in_s=0, unit="minute")
    for _ in range(2):
        told = ask("/_control/quota").json()["portal"]
        assert (told["remaining"], told["reset_at"]) == (10, None)
