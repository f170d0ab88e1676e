"""The table in docs/schedulers.md is made of the results of runs."""

import importlib.util
import json
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "docs" / "tools" / "scheduler_table.py"
spec = importlib.util.spec_from_file_location("scheduler_table", TOOL)
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)

RESULT = {
    "scheduler": "Airflow",
    "version": "3.3.2",
    "job": "media",
    "identical": True,
    "units": 40,
    "waits": 2,
    "kills": 1,
    "worker_freed": True,
    "freed_measured": [True, True],
    "why": "defers | to the triggerer",
    "wall_s": 41.26,
}


def test_each_result_becomes_a_row_between_the_marks_and_the_text_around_stays(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"# Before\n\n{tool.BEGIN}\nold rows\n{tool.END}\n\nAfter\n")
    (tmp_path / "b.json").write_text(json.dumps(RESULT))
    (tmp_path / "a.json").write_text(
        json.dumps(RESULT | {"job": "search", "units": 30, "worker_freed": False, "freed_measured": [False, False]})
    )
    tool.main(str(tmp_path), page)
    text = page.read_text()
    assert text.startswith("# Before\n") and text.endswith("After\n") and "old rows" not in text
    rows = [line for line in text.splitlines() if line.startswith("| Airflow")]
    media = "| Airflow 3.3.2 | media: 40 files | yes | none of 40 | 2, 1 | yes | defers \\| to the triggerer | 41 |"
    assert rows[0] == media
    assert "search: 30 pages" in rows[1] and "none of 30" in rows[1]


def test_what_was_not_measured_is_not_claimed(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(RESULT | {"freed_measured": [True, False]}))
    with pytest.raises(SystemExit, match="said True, measured"):
        tool.main(str(tmp_path), tool.PAGE)


def test_without_results_or_marks_it_says_what_is_missing(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("no marks")
    with pytest.raises(SystemExit, match="ODS_TABLE_DIR"):
        tool.main(str(tmp_path), page)
    (tmp_path / "a.json").write_text(json.dumps(RESULT))
    with pytest.raises(SystemExit, match="lost its marks"):
        tool.main(str(tmp_path), page)


def test_the_page_has_its_marks():
    assert tool.BEGIN in tool.PAGE.read_text() and tool.END in tool.PAGE.read_text()
