"""The page about Search API v1.0: its examples run."""

import re
from dataclasses import replace
from pathlib import Path

from ods_provider.example_dags.ods_search_v1 import dag

PAGE = Path(__file__).parents[2] / "docs" / "search-v1.md"


def test_the_tasks_of_the_example_dag_run(run, ods_portal, tmp_path):
    done = {}
    for task in dag.tasks:
        job = task.make_job()
        if job.path is not None:
            job = replace(job, path=tmp_path / Path(job.path).name)
        done[task.task_id] = run(job, ods_portal, name=task.task_id).result
    assert done["large"][0]["fields"] == {"name": "Beijing", "population": 18_960_744}
    assert [item["datasetid"] for item in done["found"]] == ["world-capitals"]
    assert {"x": "Europe/Paris", "capitals": 1, "largest": 2_138_551} in done["by_zone"]
    assert sum(cluster["count"] for cluster in done["clusters"]) == 110
    assert done["csv_file"]["rows"] > 0
    assert done["photos"]["files"] == len(list((tmp_path / "photos").glob("*.png"))) == 10


def test_the_examples_in_python_run(client, tmp_path):
    known = {"client": client, "folder": tmp_path}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for block in blocks:
        if "client.v1" in block:
            exec(block, known)
    assert known["names"] == ["Beijing", "Buenos Aires", "Mexico City"]
    assert known["people"] == 228_619_158
    assert (tmp_path / "capitals.csv").read_text().startswith("geoname_id,name,")
