"""A code location for Dagster: every piece of docs/dagster.md, in one file that loads and runs."""

# [START first]
from dagster import Definitions, EnvVar

from ods_provider.schedulers.dagster import OdsResource, ods_dataset_asset

portal = OdsResource(host=EnvVar("ODS_HOST"), api_key=EnvVar("ODS_API_KEY"))
capitals = ods_dataset_asset("world-capitals", path="data/capitals.parquet")

defs = Definitions.merge(capitals.definitions(), Definitions(resources={"ods": portal}))
# [END first]

# [START narrowed]
large = ods_dataset_asset(
    "world-capitals",
    name="large_capitals",
    path="data/large.csv",
    format="csv",
    where="population > 5000000",
    order_by="population desc",
    format_options={"delimiter": ";"},
    asset_options={"key_prefix": "raw", "group_name": "places", "owners": ["team:maps"]},
)
# [END narrowed]

# [START daily]
from dagster import DailyPartitionsDefinition  # noqa: E402

rows_of_a_day = ods_dataset_asset(
    "synthetic-rows",
    path="data/rows/{partition}.parquet",
    partitions_def=DailyPartitionsDefinition("2026-01-01"),
    partition_field="at",
)
# [END daily]

# [START zones]
from dagster import StaticPartitionsDefinition  # noqa: E402

from ods_provider.core.odsql import literal  # noqa: E402

capitals_of_a_continent = ods_dataset_asset(
    "world-capitals",
    name="capitals_of_a_continent",
    path="data/{partition}.jsonl",
    format="jsonl",
    partitions_def=StaticPartitionsDefinition(["Africa", "Europe"]),
    partition_where=lambda key, window: f"startswith(timezone, {literal(key + '/')})",
)
# [END zones]

# [START more]
from ods_provider.schedulers.dagster import (  # noqa: E402
    ods_analysis_asset,
    ods_media_asset,
    ods_push_asset,
    ods_search_asset,
)

newest = ods_search_asset("newest_rows", dataset_id="synthetic-rows", order_by="at desc", limit=500)
by_zone = ods_analysis_asset(
    "capitals_by_zone", dataset_id="world-capitals", select="count(*) as capitals", group_by="timezone"
)
photos = ods_media_asset("landmark-photos", path="data/photos", kind="files")
# [END more]

# [START push]
from dagster import asset  # noqa: E402


@asset
def readings() -> list[dict[str, object]]:
    """Return what was measured."""
    return [{"sensor_id": "s-1", "at": "2026-02-01T08:00:00+00:00", "value": 21.5}]


on_the_portal = ods_push_asset("live-readings", "realtime", records=readings)
# [END push]

# [START updates]
from ods_provider.schedulers.dagster import ods_dataset_sensor  # noqa: E402

updated = ods_dataset_sensor(capitals, photos, minimum_interval_seconds=600)
# [END updates]

# [START ops]
from dagster import job  # noqa: E402

from ods_provider.schedulers.dagster import ods_download_op, ods_resume_sensor  # noqa: E402

download = ods_download_op(format="csv")


@job
def bring():
    """Bring the dataset that the run's config names."""
    download()


bring_resumes = ods_resume_sensor(jobs=[bring])
# [END ops]

# [START own]
from dagster import AssetExecutionContext, MaterializeResult  # noqa: E402

from ods_provider.core.outcome import Done  # noqa: E402
from ods_provider.jobs.push import PushJob  # noqa: E402


@asset(output_required=False)
def sent(context: AssetExecutionContext, ods: OdsResource):
    """Push what this asset itself makes up."""
    with ods.client() as client:
        capitals = client.count("world-capitals")
    record = {"sensor_id": "count", "at": "2026-02-02T08:00:00+00:00", "value": float(capitals)}
    done = ods.run_job(context, PushJob("live-readings", "realtime", records=[record]))
    if isinstance(done, Done):
        yield MaterializeResult(metadata={"batches": done.result["batches"]})


sent_resumes = ods_resume_sensor(sent)
# [END own]

pairs = [capitals, large, rows_of_a_day, capitals_of_a_continent, newest, by_zone, photos, on_the_portal]
defs = Definitions.merge(
    *(pair.definitions() for pair in pairs),
    Definitions(
        assets=[readings, sent],
        jobs=[bring],
        sensors=[updated, bring_resumes, sent_resumes],
        resources={"ods": portal},
    ),
)
