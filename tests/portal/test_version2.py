"""The older versions: still answering, in older shapes, with headers that tell of their end."""

import pytest


@pytest.mark.parametrize("prefix", ["/api/v2", "/api/explore/v2.0"])
class TestVersion20:
    def get(self, ask, prefix, path, **params):
        answer = ask(f"{prefix}/catalog{path}", params=params)
        assert answer.status_code == 200, answer.text
        assert "v2.1" in answer.headers["ods-explore-api-deprecation"]
        assert answer.headers["link"].endswith('rel="deprecation"')
        assert answer.headers["x-ratelimit-remaining"]
        return answer

    def test_rows_lie_in_envelopes(self, ask, prefix):
        found = self.get(ask, prefix, "/datasets/world-capitals/records", limit=2).json()
        assert found["total_count"] == 110
        assert found["records"][0]["record"]["fields"]["name"] == "Kābul"
        record_id = found["records"][0]["record"]["id"]
        one = self.get(ask, prefix, f"/datasets/world-capitals/records/{record_id}").json()
        assert one["record"] == found["records"][0]["record"]
        datasets = self.get(ask, prefix, "/datasets", limit=1).json()["datasets"]
        assert datasets[0]["dataset"]["dataset_id"] == "world-capitals"
        assert self.get(ask, prefix, "/datasets/world-capitals").json()["dataset"] == datasets[0]["dataset"]

    def test_old_spellings_are_understood(self, ask, prefix):
        found = self.get(ask, prefix, "/datasets/world-capitals/records", rows=1, start=1, sort="-population").json()
        assert [one["record"]["fields"]["name"] for one in found["records"]] == ["Buenos Aires"]

    def test_groups_have_an_endpoint_of_their_own(self, ask, prefix):
        params = {"select": "count(*) as n", "group_by": "year(modification_date) as y", "limit": 20}
        rows = self.get(ask, prefix, "/datasets/world-capitals/aggregates", **params).json()["aggregations"]
        assert sum(row["n"] for row in rows) == 110

    def test_csv_has_no_mark_at_its_head(self, ask, prefix):
        answer = self.get(ask, prefix, "/datasets/world-capitals/exports/csv", limit=1)
        assert answer.content.startswith(b"geoname_id;")

    def test_files_are_where_they_were(self, ask, prefix):
        assert b"Licence" in self.get(ask, prefix, "/datasets/landmark-photos/attachments/readme_txt").content

    def test_a_dataset_quota_counts_here_too(self, ask, prefix):
        ask.portal.set_quota(limit=9, dataset_id="world-capitals")
        answer = self.get(ask, prefix, "/datasets/world-capitals/records", limit=1)
        assert answer.headers["x-ratelimit-dataset-remaining"] == "8"


@pytest.mark.parametrize("path", ["/datasets/world-capitals/aggregates", "/datasets/world-capitals/query", "/query"])
def test_what_version_2_1_removed_is_gone(ask, path):
    assert ask.refused(path)[0] == 410


def test_the_current_version_tells_of_no_end(ask):
    assert "ods-explore-api-deprecation" not in ask.get("/datasets").headers
