"""portalkit: what kind of portal it is, a search, rows by pages and by export, and an unknown dataset."""

import json
import sys
from pathlib import Path

# This file has the name of the package, and its folder stands first on the path.
sys.path = [place for place in sys.path if place != str(Path(__file__).parent)]
import portalkit as pk  # noqa: E402

url = sys.argv[1]
portal = pk.open(url, cache=False)
try:
    portal.dataset("nope").info  # noqa: B018  looking is asking
    unknown = None
except pk.DatasetNotFound as error:
    unknown = str(error)

capitals = portal.dataset("world-capitals")
paged = capitals.to_pandas(where="population > 0", select="name,population", order="population desc", limit=150)
whole = capitals.to_pandas()
types = portal.dataset("all-types").to_pandas(where="number=9")
print(
    json.dumps(
        {
            "kind": portal.name,
            "found": [info.id for info in pk.search(url, "capitals")],
            "all": sorted(info.id for info in portal.search(limit=100)),
            "rows": capitals.info.rows,
            "fields": [field.name for field in capitals.fields],
            "paged": paged["name"].tolist(),
            "whole": len(whole),
            "population": int(whole["population"].sum()),
            "at": str(types["at"][0]),
            "unknown": unknown,
        }
    )
)
