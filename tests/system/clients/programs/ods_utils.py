"""ods-utils-py (Basel): finding datasets, metadata by template and whole, licence, temporal coverage, publishing."""

import json
import os
import sys
from urllib.parse import urlsplit

url, key, _ = sys.argv[1:]
os.environ |= {"ODS_API_KEY": key, "ODS_DOMAIN": urlsplit(url).netloc, "ODS_API_TYPE": "automation/v1.0"}

import ods_utils_py as ods  # noqa: E402
from ods_utils_py import _requests_utils as http  # noqa: E402
from ods_utils_py._config import get_base_url  # noqa: E402

made = http.requests_post(
    f"{get_base_url()}/datasets/",
    json={
        "dataset_id": "100999",
        "metadata": {"default": {"title": {"value": "Basel"}}, "internal": {"license_id": {"value": "cc_by"}}},
    },
).json()
uid = made["uid"]
one = f"{get_base_url()}/datasets/{uid}"
file = http.requests_post(f"{one}/resources/files", files={"file": ("a.csv", "Name;N\na;1\nb;2\n")}).json()
source = {"type": "uploaded_file", "file": {"uid": file["uid"]}}
http.requests_post(
    f"{one}/resources", json={"type": "csvfile", "title": "a", "params": {"separator": ";"}, "datasource": source}
)
ods.set_dataset_public(dataset_id="100999")
licence = ods.get_dataset_license(dataset_id="100999")
ods.set_dataset_license("5sylls5", dataset_uid=uid, publish=False)
ods.set_dataset_metadata_temporal_period("2024-01-01/2024-12-31", dataset_id="100999", publish=False)
ods.set_dataset_metadata_temporal_coverage_start_date("2024-01-01", dataset_id="100999", publish=False)
ods.set_dataset_metadata_temporal_coverage_end_date("2024-12-31", dataset_id="100999", publish=False)
ods.set_template_metadata("custom", {"value": "v"}, "my-field", dataset_uid=uid)

print(
    json.dumps(
        {
            "uid": uid,
            "found": ods.get_uid_by_id("100999"),
            "number": ods.get_number_of_datasets(),
            "ids": ods.get_all_dataset_ids(cooldown=0),
            "title": ods.get_dataset_title(dataset_id="100999"),
            "licence before": licence,
            "licence": ods.get_dataset_license(dataset_id="100999"),
            "period": ods.get_dataset_metadata_temporal_period(dataset_id="100999"),
            "metadata": ods.get_dataset_metadata(dataset_id="100999"),
            "template": ods.get_template_metadata("custom", dataset_id="100999"),
        }
    )
)
