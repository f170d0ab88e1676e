"""Tasks take what the builders take: the table that every face runs, called as functions."""

import pytest
from faces import Ran, SameEverywhere, counted, faced, pytest_generate_tests, signature_of

from ods_provider.jobs import arguments
from ods_provider.schedulers.prefect import (
    OdsCredentials,
    ods_analyse,
    ods_await_update,
    ods_download,
    ods_harvest,
    ods_load,
    ods_media,
    ods_metadata,
    ods_publish,
    ods_publish_file,
    ods_push,
    ods_search,
    ods_sync,
    ods_visibility,
)

__all__ = ["faced", "pytest_generate_tests"]

TASKS = {
    "search": ods_search,
    "analysis": ods_analyse,
    "download": ods_download,
    "load": ods_load,
    "media": ods_media,
    "push": ods_push,
    "sync": ods_sync,
    "publish_file": ods_publish_file,
    "publish": ods_publish,
    "metadata": ods_metadata,
    "harvest": ods_harvest,
    "visibility": ods_visibility,
    "watch": ods_await_update,
}


@pytest.mark.usefixtures("server")
class TestTasks(SameEverywhere):
    """Tasks called without a flow, which is how people try them."""

    def words(self, job):
        return {"max_xcom_bytes": "max_bytes"}

    def run(self, job, given, portal, folder) -> Ran:
        credentials = OdsCredentials(host=portal.url, api_key=portal.api_key, push_api_key=portal.push_key)
        given = {"max_bytes" if name == "max_xcom_bytes" else name: value for name, value in given.items()}
        return counted(TASKS[job].fn(**given, credentials=credentials, wait_mode="hold"))


@pytest.mark.parametrize("job", TASKS)
def test_a_task_takes_what_the_builder_takes(job):
    taken = signature_of(TASKS[job].fn, but=("credentials", "wait_mode"))
    ours = {"max_xcom_bytes" if name == "max_bytes" else name: default for name, default in taken.items()}
    assert ours == signature_of(getattr(arguments, f"{job}_job"))


def test_too_many_rows_are_told_in_the_task_s_own_words(server, faced):
    credentials = OdsCredentials(host=faced.url, api_key=faced.api_key)
    with pytest.raises(ValueError, match=r"more than max_bytes \(10\) \(max_bytes\)"):
        ods_search.fn("world-capitals", max_bytes=10, credentials=credentials)
