"""``landmark-photos``: attachments, and an image in a field of every record; the images are drawn here."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

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
    )
    rows = []
    for number in range(RECORDS):
        title = f"Landmark {number}: Tür №{number}"
        content = _image(number)
        file_id = hashlib.md5(content, usedforsecurity=False).hexdigest()
        state.files[file_id] = ("image/png", content)
        photo = {
            "id": file_id,
            "filename": f"Sehenswürdigkeit {number:02}.png",
            "mimetype": "image/png",
            "format": "PNG",
            "width": 160,
            "height": 120,
            "thumbnail": True,
            "etag": None,
            "last_synchronized": "2026-01-05T08:00:00.000000",
            "color_summary": ["rgba(242, 241, 241, 1.00)"],
            "exif_orientation": None,
            "url": f"{{base}}/api/explore/v2.1/catalog/datasets/{state.dataset_id}/files/{file_id}",
        }
        rows.append(
            {
                "title": title,
                "taken_on": f"2025-{1 + number % 12:02}-{1 + number % 28:02}",
                "place": {"lon": number / 2, "lat": 40 + number / 10},
                "photo": json.dumps(photo, ensure_ascii=False),
            }
        )
    return state, rows


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


def _image(number: int) -> bytes:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (160, 120), (number * 6 % 256, 90, 160))
    ImageDraw.Draw(image).rectangle((20, 20, 20 + number * 3, 100), fill=(250, 240, 200))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
