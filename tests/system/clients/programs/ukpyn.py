"""ukpyn: the catalogue, one dataset, records, facets and exports, and what it makes of refusals."""

import asyncio
import json
import sys
from pathlib import Path

# This file has the name of the package, and its folder stands first on the path.
sys.path = [place for place in sys.path if place != str(Path(__file__).parent)]
from ukpyn import UKPNClient  # noqa: E402
from ukpyn.exceptions import UKPNError  # noqa: E402

url, key, _ = sys.argv[1:]


async def refusal(call):
    try:
        await call
    except UKPNError as error:
        return [type(error).__name__, error.message]
    return None


async def calls():
    async with UKPNClient(api_key=key, base_url=url) as client, UKPNClient(api_key="wrong", base_url=url) as wrong:
        listed = await client.list_datasets(limit=100, order_by="dataset_id")
        dataset = await client.get_dataset("world-capitals")
        records = await client.get_records(
            "world-capitals",
            columns=["name", "population"],
            where="population > 1000000",
            order_by="population desc",
            refine={"country_code": "FR"},
        )
        typed = await client.get_records("all-types", where="number=9")
        groups = await client.get_records("world-capitals", select="count(*) as n", group_by="country_code", limit=5)
        facets = await client.get_facets("world-capitals")
        exports = {
            name: (await client.export_data("world-capitals", format=name, limit=3, order_by="name"))[:4].hex()
            for name in ("json", "csv", "xlsx", "geojson", "kml")
        }
        return {
            "total": listed.total_count,
            "ids": [item.dataset.dataset_id for item in listed.datasets],
            "fields": [field.name for field in dataset.fields],
            "records": [record.fields for record in records.records],
            "at": typed.records[0].fields["at"],
            "groups": len(groups.records),
            "facets": {group.name: len(group.facets) for group in facets.facets},
            "exports": exports,
            "exported": json.loads(await client.export_data("gated-loads")),
            "wrong key": await refusal(wrong.list_datasets()),
            "unknown": await refusal(client.get_dataset("nope")),
            "bad query": await refusal(client.get_records("world-capitals", where="nope > 1")),
            "bad limit": await refusal(client.get_records("world-capitals", limit=101)),
        }


print(json.dumps(asyncio.run(calls()), default=str))
