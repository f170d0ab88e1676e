"""odsclient: a dataset as CSV and as JSON, a gated one, a push, and what it makes of refusals."""

import json
import sys
import tempfile
from pathlib import Path

# This file has the name of the package, and its folder stands first on the path.
sys.path = [place for place in sys.path if place != str(Path(__file__).parent)]
from odsclient import ODSClient, ODSException  # noqa: E402

url, key, push_key = sys.argv[1:]
open_client = ODSClient(base_url=url)
client = ODSClient(base_url=url, apikey=key)


def refusal(call):
    try:
        call()
    except ODSException as error:
        return [error.status_code, error.error_msg, sorted(error.details)]
    return None


with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "capitals.csv"
    client.get_whole_dataset("world-capitals", to_path=str(file), csv_separator=",")
    streamed = file.read_text(encoding="utf-8")

pushed = client.push_dataset_realtime(
    "live-readings", "sensor_id;at;value\ns-7;2026-02-01T10:00:00+00:00;7.5\n", push_key
)
told = {
    "csv": open_client.get_whole_dataset("world-capitals", use_labels_for_header=False),
    "labels": open_client.get_whole_dataset("live-readings").splitlines()[0],
    "streamed": streamed,
    "json": json.loads(open_client.get_whole_dataset("all-types", format="json", timezone="Europe/Paris")),
    "gated": json.loads(client.get_whole_dataset("gated-loads", format="json")),
    "pushed": pushed.json(),
    "wrong key": refusal(lambda: ODSClient(base_url=url, apikey="wrong").get_whole_dataset("world-capitals")),
    "unknown": refusal(lambda: client.get_whole_dataset("nope")),
    "forbidden": refusal(lambda: open_client.get_whole_dataset("gated-loads")),
    "bad format": refusal(lambda: client.get_whole_dataset("world-capitals", format="nope")),
}
print(json.dumps(told))
