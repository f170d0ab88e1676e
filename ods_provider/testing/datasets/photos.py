"""``landmark-photos``: attachments, and an image in a field of every record; ``camera-shots``, which takes pushed ones.

The images are drawn here.
"""

from __future__ import annotations

import functools
import io
import json
import zipfile
from typing import Any

from ods_provider.testing.media import keep
from ods_provider.testing.schema import Attachment, Column, DatasetState

RECORDS = 40


def photos() -> tuple[DatasetState, list[dict[str, Any]]]:
    """Return the dataset, its files, and its rows."""
    state = DatasetState(
        "landmark-photos",
        "Photographs of landmarks",
        [
            Column("title", "text"),
            Column("taken_on", "date"),
            Column("place", "geo_point_2d"),
            Column("photo", "file", "Photograph"),
        ],
        description="<p>Files to fetch.</p>",
        theme=["Places"],
        keyword=["photo", "landmark"],
        attachments=_attachments(),
        alternative_exports=_alternatives(),
    )
    rows = []
    for number in range(RECORDS):
        title = f"Landmark {number}: Tür №{number}"
        photo = keep(state, _image(number), "image/png", f"Sehenswürdigkeit {number:02}.png")
        rows.append(
            {
                "title": title,
                "taken_on": f"2025-{1 + number % 12:02}-{1 + number % 28:02}",
                "place": {"lon": number / 2, "lat": 40 + number / 10},
                "photo": json.dumps(photo, ensure_ascii=False),
            }
        )
    return state, rows


def shots() -> tuple[DatasetState, list[dict[str, Any]]]:
    """Return a realtime dataset with a file in every record, and its one row."""
    state = DatasetState(
        "camera-shots",
        "Shots of cameras, live",
        [
            Column("shot", "text", annotations={"id": True}),
            Column("taken_at", "datetime"),
            Column("image", "file"),
        ],
        description="<p>Takes files through the realtime push API.</p>",
        theme=["Cameras"],
        keyword=["realtime", "photo"],
        unique_id=("shot",),
        realtime_resource="realtime",
    )
    image = keep(state, _image(99), "image/png", "first.png")
    row = {"shot": "first", "taken_at": "2026-01-05T08:00:00+00:00", "image": json.dumps(image, ensure_ascii=False)}
    return state, [row]


def _alternatives() -> list[Attachment]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(zipfile.ZipInfo("stops.txt", (2026, 1, 5, 8, 0, 0)), "stop_id,stop_name\r\n" + "1,Tür\r\n" * 500)
    content = archive.getvalue()
    return [
        Attachment("gtfs_zip", "gtfs.zip", "application/zip", content, "GTFS of 2026"),
        Attachment("archive_zip", "archive.zip", "application/zip", content, "kept elsewhere", elsewhere=True),
    ]


def _attachments() -> list[Attachment]:
    text = "Licence: CC BY 4.0\nZürich, 東京, Αθήνα\n" * 40
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        # A fixed date: the same bytes at every start.
        made.writestr(zipfile.ZipInfo("landmarks.csv", (2026, 1, 5, 8, 0, 0)), "id;name\r\n" + "1;Tür\r\n" * 5_000)
    return [
        Attachment("readme_txt", "readme.txt", "text/plain", text.encode()),
        Attachment("landmarks_zip", "landmarks.zip", "application/zip", archive.getvalue()),
        Attachment("ubersicht_2026_pdf", "../Übersicht 2026?.pdf", "application/pdf", b"%PDF-1.4\n" + b"0" * 50_000),
    ]


@functools.cache  # every portal of a process shows the same
def _image(number: int) -> bytes:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (160, 120), (number * 6 % 256, 90, 160))
    ImageDraw.Draw(image).rectangle((20, 20, 20 + number * 3, 100), fill=(250, 240, 200))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
