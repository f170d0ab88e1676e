"""``postal-codes@public``: a federated dataset, whose id holds an ``@`` (Q44)."""

from __future__ import annotations

from typing import Any

from ods_provider.testing.schema import Column, DatasetState

_ROWS = """
AT|1010|Wien|48.208|16.372
AT|5020|Salzburg|47.800|13.045
BE|1000|Bruxelles|50.846|4.352
BE|9000|Gent|51.054|3.717
CH|3000|Bern|46.948|7.447
CH|8000|Zürich|47.377|8.541
DE|10115|Berlin|52.532|13.385
DE|20095|Hamburg|53.551|10.001
DE|80331|München|48.135|11.571
FR|13001|Marseille|43.299|5.384
FR|69001|Lyon|45.769|4.829
FR|75001|Paris|48.862|2.336
GB|EC1A|London|51.520|-0.098
IT|00118|Roma|41.892|12.511
NL|1011|Amsterdam|52.373|4.905
PL|00-001|Warszawa|52.231|21.006
"""


def postal_codes() -> tuple[DatasetState, list[dict[str, Any]]]:
    """Return the dataset and its rows; codes are texts, since some begin with 0."""
    state = DatasetState(
        "postal-codes@public",
        "Postal codes",
        [
            Column("country_code", "text", annotations={"facet": True}),
            Column("postal_code", "text"),
            Column("place_name", "text"),
            Column("coordinates", "geo_point_2d"),
        ],
        description="<p>Shared by another portal.</p>",
        theme=["Post"],
        keyword=["postal code"],
        source_domain="public",
    )
    rows = []
    for line in _ROWS.strip().splitlines():
        code, postal, name, lat, lon = line.split("|")
        at = {"lon": float(lon), "lat": float(lat)}
        rows.append({"country_code": code, "postal_code": postal, "place_name": name, "coordinates": at})
    return state, rows
