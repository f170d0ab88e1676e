"""What the operators make of their arguments, rendered as templates render them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ods_provider.core.errors import OdsConfigError
from ods_provider.operators.analysis import OdsAnalysisOperator
from ods_provider.operators.download import OdsDownloadOperator
from ods_provider.operators.media import OdsMediaOperator
from ods_provider.operators.push import OdsPushOperator
from ods_provider.operators.search import OdsSearchOperator


def test_a_search_passes_links_technical_fields_and_a_record_on() -> None:
    job: Any = OdsSearchOperator(
        task_id="t", dataset_id="d", include_links="true", include_app_metas="False", record_id="abc"
    ).make_job()
    assert (job.query.include_links, job.query.include_app_metas, job.record_id) == (True, False, "abc")


def test_a_cluster_may_be_a_rendered_text() -> None:
    job: Any = OdsAnalysisOperator(
        task_id="t", dataset_id="d", geo_cluster='{"field": "coordinates", "zoom": 6}', geojson="True"
    ).make_job()
    assert job.geo_cluster.group_by() == "geo_cluster(coordinates, 6) as ods_cluster"
    assert job.geojson is True


def test_none_is_the_catalogue_and_an_empty_template_is_an_error() -> None:
    analysis: Any = OdsAnalysisOperator(task_id="t", dataset_id=None, select="count(*)").make_job()
    assert analysis.dataset_id is None
    download: Any = OdsDownloadOperator(task_id="t", dataset_id=None, path="x", format="dcat").make_job()
    assert (download.dataset_id, download.format.name) == (None, "dcat")
    for rendered in ("", "None"):
        with pytest.raises(OdsConfigError, match="dataset_id is empty"):
            OdsAnalysisOperator(task_id="t", dataset_id=rendered, select="count(*)").make_job()
        with pytest.raises(OdsConfigError, match="dataset_id is empty"):
            OdsDownloadOperator(task_id="t", dataset_id=rendered, path="x").make_job()


def test_format_options_may_be_a_rendered_text() -> None:
    job: Any = OdsDownloadOperator(
        task_id="t", dataset_id="d", path="x", format="csv", format_options="{'delimiter': ';', 'compressed': True}"
    ).make_job()
    assert dict(job.format.params(job.format_options)) == {
        "delimiter": ";",
        "with_bom": "false",
        "compressed": "true",
    }
    with pytest.raises(OdsConfigError, match="format_options is a list"):
        OdsDownloadOperator(task_id="t", dataset_id="d", path="x", format_options="[1]").make_job()


def test_media_pass_facets_on() -> None:
    job: Any = OdsMediaOperator(
        task_id="t", dataset_id="d", path="x", kind="thumbnails", refine={"theme": ["a", "b"]}, exclude="kind:pdf"
    ).make_job()
    assert job.query.refine == (("refine", "theme:a"), ("refine", "theme:b"))
    assert job.query.exclude == (("exclude", "kind:pdf"),)


def test_a_push_passes_files_ids_and_reading_back_on() -> None:
    job: Any = OdsPushOperator(
        task_id="t", dataset_id="d", resource_id="r", records=[{}], file_fields="photo", confirm="true"
    ).make_job()
    assert (job.file_fields, job.confirm) == (("photo",), True)
    job = OdsPushOperator(
        task_id="t", dataset_id="d", resource_id="r", action="delete", record_id=["a", "b"]
    ).make_job()
    assert job.record_ids == ("a", "b")


@pytest.mark.parametrize("rendered", ["", "None"])
@pytest.mark.parametrize("argument", ["dataset_id", "record_id", "path"])
def test_a_template_that_renders_to_nothing_never_widens_a_search(argument: str, rendered: str) -> None:
    task = OdsSearchOperator(task_id="t", **{"dataset_id": "d"} | {argument: rendered})
    with pytest.raises(OdsConfigError, match=f"{argument} is empty"):
        task.make_job()


def test_mappings_are_understood_in_the_spelling_that_a_template_leaves() -> None:
    given = {"theme": ["Places", "It's"]}
    for text in (str(given), json.dumps(given)):
        task = OdsSearchOperator(task_id="t", refine=text, exclude=text)
        query = task.make_job().query
        assert query.refine == (("refine", "theme:Places"), ("refine", "theme:It's"))
        assert query.exclude == (("exclude", "theme:Places"), ("exclude", "theme:It's"))
        older = OdsSearchOperator(task_id="t", v1=str({"refine": given})).make_job()
        assert ("refine.theme", "It's") in older.query.params
    with pytest.raises(OdsConfigError, match="argument refine"):
        OdsSearchOperator(task_id="t", refine="{broken").make_job()
