"""How datasets are called among schedulers: ``ods://data.example.org/cities``, in one spelling.

``ods://data.example.org/monitoring/cities`` is kept in the monitoring source: no id holds a slash.
``ods://my_conn@/cities`` leaves the host to a scheduler's connection, as paths of other stores do.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, quote, unquote, urlsplit

SCHEME = "ods"
_SOURCE = "monitoring/"
_REF = re.compile(r"[\w.-]{1,250}")
_ADVICE = "Write it as ods://data.example.org/dataset-id; how to reach the portal stands in the connection"


def of_portal(base_url: str, name: str) -> str:
    """Return the URI of a dataset of the portal at ``base_url``, called as ``core.source.named`` calls it."""
    return f"{namespace(base_url)}/{_spelled(name)}"


def of_connection(ref: str, name: str) -> str:
    """Return the URI of a dataset of whatever portal the scheduler's connection ``ref`` leads to.

    Raises:
        ValueError: ``ref`` names no connection.
    """
    if not _REF.fullmatch(ref):
        raise ValueError(f"{ref!r} is no connection id")
    return f"{SCHEME}://{ref}@/{_spelled(name)}"


def namespace(base_url: str) -> str:
    """Return what the names of all datasets of a portal stand in: ``ods://data.example.org``."""
    return f"{SCHEME}://{_authority(urlsplit(base_url))}"


def connection_of(uri: SplitResult) -> str | None:
    """Return the connection that a URI names in place of a host, None where it names a host."""
    return uri.username if uri.netloc.endswith("@") else None


def sanitized(uri: SplitResult) -> SplitResult:
    """Return the one spelling of a dataset's URI.

    Raises:
        ValueError: It names no dataset, or holds what does not belong there.
    """
    ref = connection_of(uri)
    if "@" in uri.netloc and not (ref and _REF.fullmatch(ref) and uri.password is None):
        # Not quoted: what stands before the @ may be a key.
        raise ValueError(f"the URI of an ods asset holds credentials. {_ADVICE}")
    if not ref and not uri.hostname:
        raise ValueError(f"the URI of an ods asset names no host. {_ADVICE}")
    authority = f"{ref}@" if ref else _authority(uri)
    name = unquote(uri.path).strip("/")
    dataset_id = name.removeprefix(_SOURCE)
    if not dataset_id or "/" in dataset_id or uri.query:
        raise ValueError(f"the URI of an ods asset on {authority} names no dataset, or more than one. {_ADVICE}")
    # Dataset ids know their case (Q44), host names do not.
    return uri._replace(netloc=authority, path=f"/{_spelled(name)}")


def _spelled(name: str) -> str:
    return quote(name, safe="/@*")


def _authority(uri: SplitResult) -> str:
    """Return host and port in one spelling.

    Raises:
        ValueError: The host or the port is none.
    """
    host = unquote(uri.hostname or "").rstrip(".").lower()
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    host = f"[{host}]" if ":" in host else host
    return host if uri.port in (None, 443) else f"{host}:{uri.port}"
