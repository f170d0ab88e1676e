"""Where the endpoints of Explore v2.1 are, and how an answer is read.

Source: Explore v2.1 reference, endpoint table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

from ods_provider.core.datasetid import dataset_named
from ods_provider.core.errors import OdsConfigError, OdsNotAPortal
from ods_provider.core.faces import setting
from ods_provider.core.limits import URL_BYTES
from ods_provider.core.segments import segment
from ods_provider.core.source import CATALOG, root
from ods_provider.core.wire import Kind, Params, Request, Response

ROOT = root(CATALOG)  # plans ask the catalogue; ``sources`` has them ask elsewhere


def path(*parts: str, dataset_id: str | None = None) -> str:
    """Return the path of an endpoint of the catalogue or of one dataset, ids percent-encoded (Q44).

    Raises:
        OdsConfigError: The dataset is named by nothing, or by an address.
    """
    inside = () if dataset_id is None else ("datasets", dataset_named(dataset_id))
    return "/".join([ROOT, *(segment(part) for part in (*inside, *parts))])


def get(*parts: str, dataset_id: str | None = None, params: Params = (), kind: Kind = "api") -> Request:
    """Return a GET on that endpoint.

    Raises:
        OdsConfigError: The query is longer than any server takes as a URL, and this API takes no POST.
    """
    size_bytes = sum(len(name) + len(quote_plus(value)) + 2 for name, value in params)
    if size_bytes > URL_BYTES:
        raise OdsConfigError(
            f"the query takes {size_bytes} bytes, more than a URL may hold ({URL_BYTES})",
            where=f"query of {dataset_id or 'the catalogue'}",
            advice="Shorten the filter or split it over several calls; v1={…} sends long queries as a POST",
        )
    return Request(path(*parts, dataset_id=dataset_id), params, kind=kind, dataset_id=dataset_id)


def json_object(response: Response, *keys: str) -> Mapping[str, Any]:
    """Return the JSON object of an answer.

    Raises:
        OdsNotAPortal: It is no object, or lacks one of ``keys``: something else answers on this host.
    """
    why = ""
    try:
        body = response.json()
    except ValueError as error:
        body, why = None, response.quoted(str(error))[:100]
    if not isinstance(body, dict) or any(key not in body for key in keys):
        raise not_shaped(*keys, where=f"GET {response.url}", status=response.status, why=why)
    return body


def not_shaped(*keys: str, where: str, status: int = 200, why: str = "") -> OdsNotAPortal:
    """Return the error of an answer that lacks ``keys``, or is no JSON at all; ``why`` tells what the decoder said."""
    expected = f": {', '.join(keys)} expected" if keys else ""
    return OdsNotAPortal(
        f"The answer is not shaped like a portal's{expected}" + (f" ({why})" if why else ""),
        status=status,
        where=where,
        advice=f"Check {setting('host')}; some portals only imitate Explore v2.1 (Q26)",
    )
