"""A mapped download: labels, and values of a portal that look like templates."""

from __future__ import annotations

from airflow_task import context_of, run_task

from ods_provider.operators.assemble import OdsAssembleOperator
from ods_provider.operators.download import OdsDownloadOperator
from ods_provider.operators.partition import OdsPartitionOperator


def test_a_part_is_no_template_and_labels_its_instance() -> None:
    assert "part" in OdsDownloadOperator.job_arguments
    assert "part" not in OdsDownloadOperator.template_fields
    part = {"number": 3, "label": "name {{ 7 * 7 }}", "where": 'name = "{{ 7 * 7 }}"'}
    task = OdsDownloadOperator(task_id="t", dataset_id="d", path="/x/part-00003.csv", part=part)
    task.render_template_fields(context_of(task))
    assert task.part == part
    assert task.map_label == "3: name {{ 7 * 7 }}"
    mapped = OdsDownloadOperator.partial(task_id="m").expand_kwargs([{"dataset_id": "d", "path": "x", "part": part}])
    assert mapped.partial_kwargs["map_index_template"] == "{{ task.map_label }}"
    assert OdsDownloadOperator(task_id="u", dataset_id="d", path="/x/cities.csv").map_label == "cities.csv"


def test_the_three_operators_make_one_folder(connect, tmp_path) -> None:
    connect()
    naming = OdsPartitionOperator(
        task_id="parts", dataset_id="world-capitals", path=f"{tmp_path}/capitals", format="csv", parts=3,
        partition_by="population",
    )  # fmt: skip
    parts = run_task(naming)
    outcomes = [
        run_task(OdsDownloadOperator(task_id="download", **part), context_of(naming, map_index=number))
        for number, part in enumerate(parts)
    ]
    result = run_task(OdsAssembleOperator(task_id="all", parts=outcomes, min_rows="110"))
    assert (result["rows"], result["parts"]) == (110, 4)
    assert sorted(path.name for path in tmp_path.glob("*")) == ["capitals"]
