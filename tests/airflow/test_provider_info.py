"""What Airflow reads about us without importing us."""

from __future__ import annotations

import inspect
import json
import pkgutil
import subprocess
import sys
from importlib import import_module, resources
from importlib.metadata import entry_points, metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
from airflow.sdk import BaseHook, BaseOperator, BaseSensorOperator
from airflow.triggers.base import BaseTrigger

from ods_provider.core import connection as core_connection
from ods_provider.get_provider_info import DOCS, get_provider_info


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(resources.files("airflow").joinpath(name).read_text())
    return loaded


def test_it_fits_the_schema_that_airflow_checks_at_start() -> None:
    jsonschema.validate(get_provider_info(), schema("provider_info.schema.json"))


def test_its_logo_and_guides_are_pages_of_the_site() -> None:
    (about,) = get_provider_info()["integrations"]
    docs = Path(__file__).parents[2] / "docs"
    listed = [urlsplit(address).path.strip("/") for address in (about["logo"], *about["how-to-guide"])]
    assert len(listed) > 5
    for page in listed:
        assert any((docs / name).is_file() for name in (page, f"{page}.md", f"{page}/index.md")), page
    (documentation,) = [each for each in metadata("ods-provider").get_all("Project-URL") if "Documentation" in each]
    assert documentation == f"Documentation, {DOCS}/"


def test_the_connection_form_fits_the_full_schema() -> None:
    jsonschema.validate(
        get_provider_info()["connection-types"], schema("provider.yaml.schema.json")["properties"]["connection-types"]
    )


def test_the_form_has_a_field_for_every_extra_that_the_connection_takes() -> None:
    assert set(get_provider_info()["connection-types"][0]["conn-fields"]) == set(core_connection.EXTRAS)


def test_secret_fields_of_the_form_are_marked_as_such() -> None:
    fields = get_provider_info()["connection-types"][0]["conn-fields"]
    secret = {name for name, field in fields.items() if field["schema"].get("format") == "password"}
    assert {"push_api_key", "proxy"} <= secret
    assert not secret & {"auth", "verify", "timeout_s", "allowed_hosts"}


def test_a_value_of_every_kind_passes_its_field() -> None:
    fields = get_provider_info()["connection-types"][0]["conn-fields"]
    for name, field in fields.items():
        kind = field["schema"]["type"][0]
        value: Any = field["schema"].get("default") or {"string": "x", "number": 2.5, "integer": 2}[kind]
        jsonschema.validate(value, field["schema"])
        if "enum" not in field["schema"]:
            jsonschema.validate(None, field["schema"])
        assert field["description"], name


@pytest.mark.parametrize(
    ("kind", "base"),
    [("operators", BaseOperator), ("sensors", BaseSensorOperator), ("triggers", BaseTrigger), ("hooks", BaseHook)],
)
def test_it_names_every_module_with_what_a_dag_uses_and_no_other(kind: str, base: type) -> None:
    package = import_module(f"ods_provider.{kind}")
    found = [import_module(f"{package.__name__}.{module.name}") for module in pkgutil.iter_modules(package.__path__)]
    using = {
        made.__module__
        for module in found
        for made in vars(module).values()
        if inspect.isclass(made) and issubclass(made, base) and not inspect.isabstract(made)
        if made.__module__ == module.__name__
    }
    (named,) = [group["python-modules"] for group in get_provider_info()[kind]]
    assert sorted(named) == sorted(using)


def test_the_hook_agrees_with_what_is_said_of_it() -> None:
    said = get_provider_info()["connection-types"][0]
    module, _, name = said["hook-class-name"].rpartition(".")
    hook = getattr(import_module(module), name)
    assert (hook.conn_type, hook.hook_name) == (said["connection-type"], said["hook-name"])


def test_airflow_finds_it_through_the_entry_point() -> None:
    (point,) = [p for p in entry_points(group="apache_airflow_provider") if p.dist and p.dist.name == "ods-provider"]
    assert point.load() is get_provider_info


def test_reading_it_imports_nothing_else_of_ours() -> None:
    code = (
        "import sys; from ods_provider.get_provider_info import get_provider_info as g; g();"
        "print(sorted(m for m in sys.modules if m.startswith(('ods_provider', 'airflow', 'requests'))))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "['ods_provider', 'ods_provider.get_provider_info']"


def test_an_asset_uri_has_one_spelling() -> None:
    from airflow.sdk import Asset

    assert Asset(uri="ods://Data.Example.org/Trees/").uri == "ods://data.example.org/Trees"
    assert Asset(uri="ods://127.0.0.1:8080/postal-code@public").uri == "ods://127.0.0.1:8080/postal-code@public"


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("ods://data.example.org", "names no dataset"),
        ("ods://data.example.org/a/b", "more than one"),
        ("ods:///trees", "names no host"),
        ("ods://s3cret@data.example.org/trees", "holds credentials"),
    ],
)
def test_an_asset_uri_that_names_no_dataset_is_refused(uri: str, said: str) -> None:
    from urllib.parse import urlsplit

    from ods_provider.assets import sanitize_uri

    with pytest.raises(ValueError, match=said) as caught:
        sanitize_uri(urlsplit(uri))
    assert "s3cret" not in str(caught.value)
