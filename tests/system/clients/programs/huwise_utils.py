"""huwise-utils-py (Basel): a dataset made, described, configured, published and deleted, and many at once."""

import json
import sys
from urllib.parse import urlsplit

from huwise_utils_py import HuwiseConfig, HuwiseDataset, bulk_get_dataset_ids, bulk_get_metadata, bulk_update_metadata
from huwise_utils_py.errors import HuwiseAutomationError

url, key, _ = sys.argv[1:]
config = HuwiseConfig(api_key=key, domain=urlsplit(url).netloc)


def refusal(call):
    try:
        call()
    except HuwiseAutomationError as error:
        return [error.response.status_code, error.detail]
    return None


made = HuwiseDataset.create(title="Basel", dataset_id="100999", is_restricted=True, config=config)
found = HuwiseDataset.from_id("100999", config=config)
found.set_title("Renamed", publish=False).set_keywords(["a", "b"], publish=False)
found.set_license("5sylls5", license_name="CC BY 4.0", publish=False)
found.set_custom_field("my-field", "v", publish=False)
found.update_configuration(is_restricted=False)
capitals = HuwiseDataset.from_id("world-capitals", config=config)
label = {"type": "rename", "from_name": "name", "to_name": "name", "field_label": "City"}
appended = capitals.append_field_configuration(label)
capitals.update_field_configuration(appended["uid"], {**label, "field_label": "The city"})
capitals.set_description("Described").set_publisher("Basel", publish=False)
told = {
    "uid": made.uid,
    "found": found.uid,
    "title": found.get_title(),
    "keywords": found.get_keywords(),
    "licence": found.get_license(),
    "custom": found.get_custom_field("my-field"),
    "metadata": found.get_metadata(),
    "fields": capitals.list_field_configurations(limit=5),
    "ids": bulk_get_dataset_ids(config),
    "bulk": bulk_get_metadata(dataset_ids=["100999", "nope"], config=config),
    "updated": bulk_update_metadata([{"dataset_id": "100999", "title": "Again"}], config, publish=False),
    "flat resource": refusal(lambda: found.upsert_http_resource(source_url="https://example.org/a.csv", title="a")),
    "unknown": refusal(HuwiseDataset(uid="da_nope", config=config).get_metadata),
}
found.delete()
told["after"] = bulk_get_dataset_ids(config)
print(json.dumps(told))
