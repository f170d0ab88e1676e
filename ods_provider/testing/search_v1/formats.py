"""Answers in the formats that calls may ask for: JSON, JSONP, CSV, feeds.

Source: Search API v1.0, parameter format.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from starlette.responses import Response

from ods_provider.testing.search_v1.parameters import Parameters
from ods_provider.testing.search_v1.refusal import bad
from ods_provider.testing.writing import JSON

_CALLBACK = re.compile(r"[A-Za-z_$][\w$.]*\Z")


def chosen(parameters: Parameters, *offered: str) -> str:
    """Return the format that was asked for, the first one unless said.

    Raises:
        V1Refusal: 400 for one that is not offered.
    """
    name = parameters.one("format", offered[0])
    if name not in offered:
        raise bad(f"Unknown format: {name}. Known are {', '.join(offered)}")
    return name


def json_answer(body: Any, parameters: Parameters, headers: Mapping[str, str] | None = None) -> Response:
    """Return JSON, in a call of ``callback`` where one is named."""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    if parameters.flag("pretty_print"):
        text = json.dumps(json.loads(text), ensure_ascii=False, indent=4)
    callback = parameters.one("callback")
    if callback or parameters.one("format").endswith("jsonp"):
        callback = callback or "callback"
        if not _CALLBACK.match(callback):
            raise bad(f"Invalid value for parameter callback: {callback}")
        return Response(f"{callback}({text});", media_type="application/javascript", headers=dict(headers or {}))
    return Response(text.encode(), headers={"content-type": JSON, **(headers or {})})


def csv_answer(rows: Iterable[Mapping[str, Any]], names: list[str], parameters: Parameters) -> Response:
    """Return rows as CSV, ``;`` between cells unless said."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator(parameters), lineterminator="\r\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_plain(row.get(name)) for name in names])
    return Response(out.getvalue().encode(), headers={"content-type": "text/csv; charset=utf-8"})


def separator(parameters: Parameters) -> str:
    """Return ``csv_separator``."""
    given = parameters.one("csv_separator", ";")
    wanted = {"\\t": "\t", "tab": "\t"}.get(given, given)
    if len(wanted) != 1:
        raise bad(f"Invalid value for parameter csv_separator: {given}")
    return wanted


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


def feed(kind: str, title: str, link: str, entries: Iterable[tuple[str, str, str]]) -> Response:
    """Return an RSS or Atom feed of ``(id, title, text)`` entries."""
    items = []
    for key, name, text in entries:
        where, what, told = (escape(part) for part in (f"{link}#{key}", name, text))
        if kind == "rss":
            item = f'<item><guid isPermaLink="false">{escape(key)}</guid><title>{what}</title>'
            items.append(f"{item}<link>{where}</link><description>{told}</description></item>")
        else:
            items.append(f"<entry><id>{where}</id><title>{what}</title><summary>{told}</summary></entry>")
    inside = "".join(items)
    if kind == "rss":
        text = f"<channel><title>{escape(title)}</title><link>{escape(link)}</link>{inside}</channel>"
        text = f'<rss version="2.0">{text}</rss>'
    else:
        text = f"<id>{escape(link)}</id><title>{escape(title)}</title>{inside}"
        text = f'<feed xmlns="http://www.w3.org/2005/Atom">{text}</feed>'
    body = f'<?xml version="1.0" encoding="UTF-8"?>{text}'
    return Response(body.encode(), headers={"content-type": f"application/{kind}+xml; charset=utf-8"})
