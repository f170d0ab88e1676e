"""``v1={...}`` on the operators: the right job, and no mixture of two languages."""

import pytest

from ods_provider.errors import OdsConfigError
from ods_provider.jobs.v1 import V1AnalysisJob, V1DownloadJob, V1SearchJob
from ods_provider.jobs.v1_media import V1MediaJob
from ods_provider.operators.analysis import OdsAnalysisOperator
from ods_provider.operators.download import OdsDownloadOperator
from ods_provider.operators.media import OdsMediaOperator
from ods_provider.operators.search import OdsSearchOperator


def operator(kind, /, **arguments):
    needs = {
        OdsSearchOperator: {},
        OdsAnalysisOperator: {"dataset_id": "d"},
        OdsDownloadOperator: {"dataset_id": "d", "path": "/tmp/never-written.csv"},
        OdsMediaOperator: {"dataset_id": "d", "path": "/tmp/never-written"},
    }
    return kind(task_id="t", **{**needs[kind], **arguments})


def test_each_operator_makes_the_job_of_the_older_api():
    made = operator(OdsSearchOperator, dataset_id="d", v1={"q": "paris", "rows": "20"}).make_job()
    assert isinstance(made, V1SearchJob)
    assert made.query.params == (("q", "paris"), ("rows", "20"), ("timezone", "UTC"))
    asked = {"x": "country_code", "y": {"n": {"func": "COUNT"}}, "refine": {"city": "Paris"}}
    analysis = operator(OdsAnalysisOperator, v1=asked).make_job()
    assert isinstance(analysis, V1AnalysisJob)
    assert ("y.n.func", "COUNT") in analysis.query.params
    download = operator(OdsDownloadOperator, v1='{"q": "paris"}', min_rows="3").make_job()
    assert isinstance(download, V1DownloadJob)
    assert (download.format.name, download.min_rows) == ("csv", 3)
    media = operator(OdsMediaOperator, kind="files", parallel="2", v1={"q": "paris", "rows": "9"}).make_job()
    assert isinstance(media, V1MediaJob)
    assert (media.kind, media.parallel, media.limit) == ("files", 2, 9)


def test_a_dataset_may_be_named_in_the_older_words():
    assert operator(OdsSearchOperator, v1={"dataset": "d", "q": "x"}).make_job().dataset_id == "d"


@pytest.mark.parametrize(
    ("kind", "argument", "value"),
    [
        *[
            (kind, argument, value)
            for kind in (OdsSearchOperator, OdsAnalysisOperator, OdsDownloadOperator)
            for argument, value in {
                "select": "name",
                "where": "a > 1",
                "order_by": "a",
                "refine": {"a": "b"},
                "exclude": {"a": "b"},
                "lang": "fr",
                "timezone": "Europe/Paris",
                "limit": 5,
            }.items()
        ],
        (OdsAnalysisOperator, "group_by", "a"),
        (OdsAnalysisOperator, "facet", "a"),
        (OdsDownloadOperator, "group_by", "a"),
        (OdsDownloadOperator, "format_options", {"delimiter": ","}),
        (OdsMediaOperator, "where", "a > 1"),
        (OdsMediaOperator, "refine", {"a": "b"}),
        (OdsMediaOperator, "exclude", {"a": "b"}),
        (OdsMediaOperator, "limit", 5),
    ],
)
def test_arguments_of_explore_are_refused_beside_v1(kind, argument, value):
    with pytest.raises(OdsConfigError, match=f"excludes {argument}"):
        operator(kind, v1={"y.n.func": "COUNT"}, **{argument: value}).make_job()


@pytest.mark.parametrize("kind", [OdsSearchOperator, OdsAnalysisOperator, OdsDownloadOperator, OdsMediaOperator])
def test_v1_may_be_a_template(kind):
    assert "v1" in kind.template_fields
