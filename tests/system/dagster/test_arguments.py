"""Ops and assets take what the builders take: the table that every face runs, in runs of Dagster's."""

import pytest
from dagster import Failure, StaticPartitionsDefinition, job, materialize
from faces import Ran, SameEverywhere, counted, faced, pytest_generate_tests, signature_of

from ods_provider.core.errors import OdsConfigError
from ods_provider.jobs import arguments
from ods_provider.schedulers.dagster import (
    OdsResource,
    ods_analysis_op,
    ods_dataset_asset,
    ods_download_op,
    ods_harvest_op,
    ods_load_op,
    ods_media_op,
    ods_metadata_op,
    ods_publish_file_op,
    ods_publish_op,
    ods_push_op,
    ods_search_asset,
    ods_search_op,
    ods_sync_op,
    ods_visibility_op,
)
from ods_provider.schedulers.dagster.arguments import MAX_BYTES, WORDS, config_of

__all__ = ["faced", "pytest_generate_tests"]

OPS = {
    "search": ods_search_op,
    "analysis": ods_analysis_op,
    "download": ods_download_op,
    "load": ods_load_op,
    "media": ods_media_op,
    "push": ods_push_op,
    "sync": ods_sync_op,
    "publish_file": ods_publish_file_op,
    "publish": ods_publish_op,
    "metadata": ods_metadata_op,
    "harvest": ods_harvest_op,
    "visibility": ods_visibility_op,
}


class TestOps(SameEverywhere):
    """Ops of a job that is run in this process."""

    jobs = tuple(OPS)

    def words(self, job):
        return WORDS

    def run(self, job_name, given, portal, folder) -> Ran:
        given = {WORDS.get(name, name): value for name, value in given.items()}
        made = OPS[job_name]("at_work", **given)

        @job(resource_defs={"ods": OdsResource(host=portal.url, api_key=portal.api_key, push_api_key=portal.push_key)})
        def alone():
            made()

        try:
            return counted(alone.execute_in_process().output_for_node("at_work"))
        except Failure as failure:
            # What a job finds at work, before it asked for anything.
            assert isinstance(failure.__cause__, OdsConfigError), failure
            assert str(failure.__cause__) in (failure.description or "")
            raise failure.__cause__ from None


@pytest.mark.parametrize("name", OPS)
def test_the_config_of_a_run_says_all_that_the_builder_takes(name):
    built = signature_of(getattr(arguments, f"{name}_job"), but=("records", "part"))
    assert set(config_of(getattr(arguments, f"{name}_job"))) == {WORDS.get(each, each) for each in built}


def test_an_asset_is_refused_where_it_is_written_down(tmp_path):
    with pytest.raises(OdsConfigError, match="dataset_id is empty"):
        ods_search_asset("cities", dataset_id="")
    with pytest.raises(OdsConfigError, match=r"max_bytes='much' is not a whole number.*\(max_bytes\)"):
        ods_search_asset("cities", dataset_id="world-capitals", max_bytes="much")
    assert MAX_BYTES == 10_000_000


def test_the_dot_of_a_partition_s_key_is_no_ending(faced, instance, tmp_path):
    made = ods_dataset_asset(
        "world-capitals",
        path=f"{tmp_path}/{{partition}}",
        partitions_def=StaticPartitionsDefinition(["St. Pierre"]),
        partition_where=lambda key, window: "population > 1000000",
    )
    ods = OdsResource(host=faced.url, api_key=faced.api_key)
    materialize([made.asset], resources={"ods": ods}, instance=instance, partition_key="St. Pierre")
    (written,) = [path for path in tmp_path.iterdir() if path.name.startswith("St")]
    assert written.read_bytes().startswith(b"PAR1")


def test_an_empty_word_of_an_asset_has_its_default(faced, instance, tmp_path):
    made = ods_search_asset("cities", dataset_id="world-capitals", limit="2", max_bytes="", lang="None", v1="")
    ods = OdsResource(host=faced.url, api_key=faced.api_key)
    result = materialize([made.asset], resources={"ods": ods}, instance=instance)
    assert len(result.output_for_node("cities")) == 2


def test_what_a_job_finds_at_work_is_told_in_the_words_of_the_op(faced, instance):
    made = ods_search_op("at_work", dataset_id="world-capitals", max_bytes=10)

    @job(resource_defs={"ods": OdsResource(host=faced.url, api_key=faced.api_key)})
    def alone():
        made()

    with pytest.raises(Failure, match=r"more than max_bytes \(10\)"):
        alone.execute_in_process(instance=instance)
