"""``live-readings``: a realtime dataset that takes pushes; ``gated-loads``: one whose records are not for everybody."""

from __future__ import annotations

from typing import Any

from ods_provider.testing.schema import Column, DatasetState


def readings() -> tuple[DatasetState, list[dict[str, Any]]]:
    """Return the realtime dataset; sensor and time together are its unique id."""
    state = DatasetState(
        "live-readings",
        "Readings of sensors, live",
        [
            Column("sensor_id", "text", "Sensor", annotations={"facet": True, "id": True}),
            Column("at", "datetime", "Time", annotations={"id": True, "timeserie_precision": "second"}),
            Column("value", "double", "Value"),
            Column("note", "text", "Note"),
        ],
        description="<p>Takes records through the realtime push API.</p>",
        theme=["Sensors"],
        keyword=["realtime"],
        unique_id=("sensor_id", "at"),
        realtime_resource="realtime",
    )
    rows = [
        {"sensor_id": f"s-{number}", "at": f"2026-01-05T08:0{number}:00+00:00", "value": number * 1.5, "note": None}
        for number in range(3)
    ]
    return state, rows


def gated() -> tuple[DatasetState, list[dict[str, Any]]]:
    """Return the dataset whose description everybody sees and whose records need a key."""
    state = DatasetState(
        "gated-loads",
        "Loads of substations, on request",
        [
            Column("substation", "text", annotations={"facet": True}),
            Column("peak_mw", "double", "Peak (MW)"),
            Column("year", "date", annotations={"timeserie_precision": "year"}),
        ],
        theme=["Sensors"],
        data_visible=False,
    )
    rows = [
        {"substation": f"Substation {number}", "peak_mw": number / 7, "year": f"{2015 + number % 10}-01-01"}
        for number in range(40)
    ]
    return state, rows
