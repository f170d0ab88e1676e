"""The base install: no Airflow, no portal, none of the optional accelerators. Each test is a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

from replay import answer, chunked, replay

_BLOCKED = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"airflow", "msgspec", "isal", "duckdb", "starlette", "uvicorn", "lark", "rich"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
"""


def _python(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _BLOCKED + textwrap.dedent(code), *arguments],
        cwd=Path(__file__).parents[1],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


def test_a_sync_without_its_package_says_what_installs_it(tmp_path: Path) -> None:
    body = json.dumps({"dataset_id": "d", "fields": [{"name": "id", "type": "int", "annotations": {"id": True}}]})
    with replay(answer(body.encode())) as server:
        told = _python(
            """
            import os, sys
            os.environ["XDG_STATE_HOME"] = sys.argv[2]
            from ods_provider.core.connection import from_parts
            from ods_provider.errors import OdsConfigError
            from ods_provider.jobs.arguments import sync_job
            from ods_provider.jobs.runner import run_job
            from ods_provider.plugins.hookspecs import hookimpl
            from ods_provider.plugins.manager import Plugins

            class Here:
                @hookimpl
                def ods_resolve_connection(self, ref):
                    return from_parts(host=sys.argv[1], extra={"push_api_key": "a-key"})

            job = sync_job(dataset_id="d", resource_id="r", records=[{"id": 1}])
            try:
                run_job(job, scheduler="cli", native="x", plugins=Plugins({"here": Here()}, entry_points=False))
            except OdsConfigError as error:
                print(error)
            """,
            server.url,
            str(tmp_path),
        )
    assert "The package duckdb is missing" in told and "pip install 'ods-provider[sql]'" in told


def test_importing_the_package_loads_neither_requests_nor_anything_else_that_is_heavy() -> None:
    loaded = _python("""
        import ods_provider
        print(ods_provider.__version__ != "", *[name for name in ("requests", "pyarrow", "pluggy", "fsspec", "pendulum",
              "tenacity", "urllib3") if name in sys.modules])
    """)
    assert loaded == "True"


def test_every_module_but_airflow_s_own_imports_without_the_extras() -> None:
    counted = _python("""
        import importlib, pkgutil
        import ods_provider
        rooms = ("core", "transport", "sinks", "jobs", "client", "errors", "get_provider_info", "plugins")
        names = [module.name for module in pkgutil.walk_packages(ods_provider.__path__, "ods_provider.")
                 if module.name.split(".")[1] in rooms and module.name != "ods_provider.plugins.airflow"]
        for name in names:
            importlib.import_module(name)
        print(len(names), "airflow" in sys.modules)
    """)
    number, airflow = counted.split()
    assert int(number) > 50
    assert airflow == "False"


def test_the_client_reads_exact_numbers_without_the_fast_decoder() -> None:
    rows = b'{"id": 9223372036854775807, "name": "Z\xc3\xbcrich"}\n{"id": 1, "name": null}\n'
    count = answer(b'{"total_count": 20000, "results": [{"id": 1}]}')
    fields = [{"name": "id", "type": "int"}, {"name": "name", "type": "text"}]
    schema = answer(json.dumps({"dataset_id": "d", "fields": fields}).encode())
    with replay(schema, count, chunked([rows])) as server:
        printed = _python(
            """
            from ods_provider import OdsClient
            from ods_provider.errors import OdsIncomplete
            rows = []
            try:
                for row in OdsClient(sys.argv[1]).records("d"):
                    rows.append(row)
            except OdsIncomplete as error:
                print(rows, "2 rows where the portal counted 20,000" in str(error))
            """,
            server.url,
        )
    assert printed == "[{'id': 9223372036854775807, 'name': 'Zürich'}, {'id': 1, 'name': None}] True"


def test_a_download_runs_from_the_environment_alone(tmp_path: Path) -> None:
    dataset = answer(b'{"dataset_id": "d", "metas": {"default": {"records_count": 2}}}')
    count = answer(b'{"total_count": 2, "results": []}')
    with replay(dataset, count, chunked([b"a,b\r\n1,2\r\n3,4\r\n"]), dataset, count) as server:
        printed = _python(
            """
            import os
            os.environ |= {"ODS_HOST": sys.argv[1], "ODS_API_KEY": "a-key"}
            os.environ["ODS_CHECKPOINT_URL"] = sys.argv[2] + "/state"
            from ods_provider.core.formats.registry import format_named
            from ods_provider.jobs.download import DownloadJob
            from ods_provider.jobs.runner import run_job
            done = run_job(DownloadJob("d", sys.argv[2] + "/d.csv", format_named("csv")), scheduler="cli")
            print(done.result["rows"], done.result["verified"])
            """,
            server.url,
            str(tmp_path),
        )
        assert server.header("Authorization") == "Apikey a-key"
    assert printed == "2 counted"
    assert (tmp_path / "d.csv").read_bytes() == b"a,b\r\n1,2\r\n3,4\r\n"
    assert [path.name for path in tmp_path.iterdir()] == ["d.csv"]


def test_asking_for_airflow_s_face_without_airflow_says_so() -> None:
    printed = _python("""
        try:
            import ods_provider.operators.search
        except ModuleNotFoundError as error:
            print(error.name)
    """)
    assert printed == "airflow"
