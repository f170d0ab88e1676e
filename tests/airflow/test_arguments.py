"""Operators take what the builders take: the same names, the same defaults, and all of them may be templates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from airflow_task import run_task
from faces import Ran, SameEverywhere, counted, faced, pytest_generate_tests, signature_of

from ods_provider.airflow.arguments import kept_as
from ods_provider.errors import OdsConfigError
from ods_provider.jobs import arguments
from ods_provider.operators.analysis import OdsAnalysisOperator
from ods_provider.operators.assemble import OdsAssembleOperator
from ods_provider.operators.download import OdsDownloadOperator
from ods_provider.operators.harvest import OdsHarvestOperator
from ods_provider.operators.load import OdsLoadOperator
from ods_provider.operators.media import OdsMediaOperator
from ods_provider.operators.metadata import OdsMetadataOperator
from ods_provider.operators.partition import OdsPartitionOperator
from ods_provider.operators.publish import OdsPublishFileOperator, OdsPublishOperator
from ods_provider.operators.push import OdsPushOperator
from ods_provider.operators.search import OdsSearchOperator
from ods_provider.operators.sync import OdsSyncOperator
from ods_provider.operators.visibility import OdsVisibilityOperator
from ods_provider.testing.portal import LocalPortal

__all__ = ["faced", "pytest_generate_tests"]

OPERATORS: dict[str, Any] = {
    "search": OdsSearchOperator,
    "analysis": OdsAnalysisOperator,
    "download": OdsDownloadOperator,
    "load": OdsLoadOperator,
    "media": OdsMediaOperator,
    "partition": OdsPartitionOperator,
    "assemble": OdsAssembleOperator,
    "push": OdsPushOperator,
    "sync": OdsSyncOperator,
    "publish_file": OdsPublishFileOperator,
    "publish": OdsPublishOperator,
    "metadata": OdsMetadataOperator,
    "harvest": OdsHarvestOperator,
    "visibility": OdsVisibilityOperator,
}


class TestOperators(SameEverywhere):
    """Operators, rendered and executed as a task is."""

    jobs = tuple(OPERATORS)

    @pytest.fixture(autouse=True)
    def _connection(self, faced: LocalPortal, monkeypatch: pytest.MonkeyPatch) -> None:
        extra = {"push_api_key": faced.push_key}
        parts = {"conn_type": "ods", "host": faced.url, "password": faced.api_key, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_ODS_DEFAULT", json.dumps(parts))

    def run(self, job: str, given: dict[str, Any], portal: LocalPortal, folder: Path) -> Ran:
        try:
            return counted(run_task(OPERATORS[job](task_id="t", **given)))
        except AirflowFailException as failure:
            error = failure.__cause__ or failure.__context__
            assert isinstance(error, OdsConfigError)
            raise error from None


@pytest.mark.parametrize("job", OPERATORS)
def test_an_operator_takes_what_the_builder_takes(job: str) -> None:
    operator = OPERATORS[job]
    built = signature_of(getattr(arguments, f"{job}_job"))
    assert signature_of(operator.__init__) == built
    # A part holds values of the portal, and those may look like templates.
    names = [kept_as(name) for name in signature_of(operator.__init__) if name != "part"]
    assert operator.template_fields == ("ods_conn_id", *names)


def test_an_operator_of_one_s_own_keeps_the_templates_and_the_job() -> None:
    class Capitals(OdsSearchOperator):
        template_fields = (*OdsSearchOperator.template_fields, "greeting")

        def __init__(self, *, greeting: str = "", **kwargs: Any) -> None:
            super().__init__(dataset_id="world-capitals", **kwargs)
            self.greeting = greeting

    assert Capitals(task_id="t", limit="2").make_job().limit == 2  # type: ignore[union-attr]
