"""dlt alone: a generator of the export's lines, loaded as dlt does by default, or as Parquet."""

import json
import os
import sys

import dlt
import requests

portal, database, folder, *how = sys.argv[1:]
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"


@dlt.resource(name="t", write_disposition="replace")
def lines():
    url = f"{portal}/api/explore/v2.1/catalog/datasets/numbers/exports/jsonl"
    with requests.get(url, stream=True, timeout=60) as response:
        response.raise_for_status()
        for line in response.iter_lines():
            yield json.loads(line)


pipeline = dlt.pipeline(
    "numbers", destination=dlt.destinations.postgres(database), dataset_name="public", pipelines_dir=folder
)
pipeline.run(lines, loader_file_format="parquet" if how == ["parquet"] else None)
