"""dlt's `rest_api` source: pages of records, up to an offset where one is told."""

import os
import sys

import dlt
from dlt.sources.rest_api import rest_api_source

portal, database, folder, *most = sys.argv[1:]
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
paginator = {"type": "offset", "limit": 100, "total_path": "total_count"}
if most:
    paginator |= {"maximum_offset": int(most[0])}
source = rest_api_source(
    {
        "client": {"base_url": f"{portal}/api/explore/v2.1/catalog/datasets/"},
        "resource_defaults": {"write_disposition": "replace"},
        "resources": [
            {"name": "t", "endpoint": {"path": "numbers/records", "data_selector": "results", "paginator": paginator}}
        ],
    }
)
pipeline = dlt.pipeline(
    "records", destination=dlt.destinations.postgres(database), dataset_name="public", pipelines_dir=folder
)
pipeline.run(source)
