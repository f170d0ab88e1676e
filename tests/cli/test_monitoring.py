"""``--monitoring``: the portal's other source on the command line."""

from __future__ import annotations

from typing import Any

import pytest

LOG, STATISTICS = "ods-api-monitoring", "ods-datasets-monitoring"


def test_datasets_of_the_monitoring_source_are_listed(ods: Any) -> None:
    shown = ods("datasets", "--monitoring")
    assert shown.code == 0
    assert [line.split()[0] for line in shown.out.splitlines()[2:]] == [LOG, STATISTICS]


@pytest.mark.at_length
def test_they_are_read_analysed_and_downloaded(ods: Any, ods_portal: Any, tmp_path: Any) -> None:
    found = ods("records", STATISTICS, "--monitoring", "--json", "--where", "dataset_id = 'world-capitals'").rows
    assert [row["records_count"] for row in found] == [110]
    groups = ods("analyze", STATISTICS, "--monitoring", "--json", "--select", "count(*) as n").rows
    assert groups == [{"n": len(ods_portal.store.datasets)}]
    assert "Datasets monitoring" in ods("dataset", STATISTICS, "--monitoring").out
    path = tmp_path / "statistics.csv"
    loaded = ods("download", STATISTICS, str(path), "--monitoring", "--json").json
    assert (loaded["source"], loaded["rows"]) == ("monitoring", len(ods_portal.store.datasets))
    watched = ods("watch", STATISTICS, "--monitoring", "--since", "", "--once", "--json").json
    assert (watched["dataset_id"], watched["source"]) == (STATISTICS, "monitoring")
    assert {entry.path.split("/")[4] for entry in ods_portal.requests} == {"monitoring"}


def test_a_mistyped_id_is_looked_for_among_its_datasets(ods: Any) -> None:
    wrong = ods("records", "ods-dataset-monitoring", "--monitoring")
    assert (wrong.code, f"Perhaps '{STATISTICS}' or '{LOG}' is meant." in " ".join(wrong.err.split())) == (1, True)
    field = ods("records", STATISTICS, "--monitoring", "--select", "downloads_count")
    assert "Perhaps 'download_count' in place of 'downloads_count' is meant." in " ".join(field.err.split())


def test_without_the_flag_the_error_names_it(ods: Any) -> None:
    wrong = ods("records", LOG)
    said = " ".join(wrong.err.split())
    assert (wrong.code, "is a dataset of the monitoring source: pass --monitoring" in said) == (1, True)


def test_the_right_is_named_in_the_words_of_the_command_line(ods: Any, ods_portal: Any, tmp_path: Any) -> None:
    key = tmp_path / "reader.key"
    key.touch(mode=0o600)
    key.write_text(ods_portal.reader_key)
    refused = ods("datasets", "--monitoring", "--host", ods_portal.url, "--key-file", str(key))
    said = " ".join(refused.err.split())
    assert "The right explore_monitoring" in said and "is missing" in said and "(--key-file or ODS_API_KEY)" in said
    assert ods_portal.reader_key not in said
