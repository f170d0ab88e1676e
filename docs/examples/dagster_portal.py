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
    key_prefix="raw",
    group_name="places",
    owners=["team:maps"],
)
# [END narrowed]

# [START checks]
checked = ods_dataset_asset(
    "world-capitals",
    name="checked_capitals",
    path="data/checked.csv",
    checks={"rows_counted": True, "min_rows": 100, "schema_unchanged": True, "fresh": "36 hours"},
)
# [END checks]

# [START load]
from ods_provider.schedulers.dagster import ods_load_asset  # noqa: E402

# The URL is in a variable: nobody reads its password in the code or in a run's config.
in_the_warehouse = ods_load_asset(
    "world-capitals",
    name="capitals_table",
    table="capitals",
    destination=EnvVar("WAREHOUSE_URL"),
    if_unchanged="keep",
)
# [END load]

# [START daily]
from dagster import DailyPartitionsDefinition  # noqa: E402

rows_of_a_day = ods_dataset_asset(
    "synthetic-rows",
    path="data/rows/{partition}.parquet",
    partitions_def=DailyPartitionsDefinition("2026-01-01"),
    partition_field="at",
)
# [END daily]

# [START range]
from dagster import BackfillPolicy  # noqa: E402

table_of_days = ods_load_asset(
    "synthetic-rows",
    name="table_of_days",
    table="days",
    destination=EnvVar("WAREHOUSE_URL"),
    mode="merge",
    primary_key="id",
    partitions_def=DailyPartitionsDefinition("2026-01-01"),
    partition_field="at",
    backfill_policy=BackfillPolicy.single_run(),
)
# [END range]

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

# [START parts]
from ods_provider.schedulers.dagster import ods_assemble_op, ods_partition_op  # noqa: E402

name_parts = ods_partition_op(dataset_id="synthetic-rows", path="data/in_parts", parts=4)
fetch_part = ods_download_op("fetch_part")
assemble = ods_assemble_op()


@job
def in_parts():
    """Fetch each part in a step of its own, and commit all of them."""
    assemble(name_parts().map(fetch_part).collect())


in_parts_resumes = ods_resume_sensor(jobs=[in_parts])
# [END parts]

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

# [START together]
from dagster import AutomationCondition  # noqa: E402

from ods_provider.schedulers.dagster import ods_definitions  # noqa: E402

together = ods_definitions(
    capitals,
    checked,
    jobs=[bring],
    resources={"ods": portal},
    upstream_options={"automation_condition": AutomationCondition.on_cron("*/15 * * * *")},
)
# [END together]

pairs = [
    capitals,
    large,
    checked,
    in_the_warehouse,
    rows_of_a_day,
    table_of_days,
    capitals_of_a_continent,
    newest,
    by_zone,
    photos,
    on_the_portal,
]
defs = Definitions.merge(
    *(pair.definitions() for pair in pairs),
    Definitions(
        assets=[readings, sent],
        jobs=[bring, in_parts],
        sensors=[updated, bring_resumes, in_parts_resumes, sent_resumes],
        resources={"ods": portal},
    ),
)
