"""Where a PostgreSQL server is, as its driver is told: the target's address with what keeps a load from hanging."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.redact import Secret
from ods_provider.tables.target import Target

_LOCK_WAIT = "lock_timeout_s"
# A server that is gone without a word is missed within a minute and a half; what the address says itself outranks it.
_DEFAULTS = {
    "connect_timeout": "30",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}


@dataclass(frozen=True, slots=True)
class Address:
    """What it takes to get in.

    Attributes:
        uri: For libpq, password included.
        secrets: What no message may quote.
        application: The name of our connections at the server, which tells those of one run.
        lock_wait_s: How long a locked table is waited for.
    """

    uri: Secret
    secrets: tuple[Secret, ...]
    application: str
    lock_wait_s: float


def address(target: Target, token: str) -> Address:
    """Return what the driver is told of a target.

    Raises:
        OdsConfigError: The address cannot be read, or an option of ours is no number.
    """
    split = urlsplit(target.url.reveal())
    query = dict(parse_qsl(split.query, keep_blank_values=True)) | {k: str(v) for k, v in target.options.items()}
    waited = query.pop(_LOCK_WAIT, "60")
    try:
        lock_wait_s = float(waited)
    except ValueError:
        raise OdsConfigError(
            f"{_LOCK_WAIT} is {waited!r}", where=target.label, advice="Give seconds, such as 60"
        ) from None
    application = f"ods-load {hashlib.sha256(token.encode()).hexdigest()[:16]}"
    secret = {name: value.reveal() for name, value in target.secrets.items()}
    query = _DEFAULTS | query | secret | {"application_name": application}
    # libpq takes a plus sign for itself, not for a space.
    uri = f"postgresql://{split.netloc}{split.path}?{urlencode(query, quote_via=quote)}"
    return Address(Secret(uri), _hidden(target), application, lock_wait_s)


def _hidden(target: Target) -> tuple[Secret, ...]:
    split = urlsplit(target.url.reveal())
    coded = split.netloc.rpartition("@")[0].partition(":")[2]
    words = [target.url.reveal(), coded, split.password or "", *(each.reveal() for each in target.secrets.values())]
    words += [unquote(word) for word in words]
    return tuple(Secret(word) for word in dict.fromkeys(words) if len(word) > 2)
