"""The optional settings of a connection: what each of them takes, as a value or as text, and becomes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, get_args
from typing import Literal as OneOf
from urllib.parse import urlsplit

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faces import setting
from ods_provider.core.given import truth
from ods_provider.core.redact import Secret

Auth = OneOf["auto", "anonymous", "apikey", "basic", "oauth2"]
PrivateFiles = OneOf["auto", "refuse", "allow"]


def _bad(name: str, where: str, expected: str) -> OdsConfigError:
    # The value itself stays out of the message: somebody may have pasted a key into the wrong box.
    return OdsConfigError(f"{setting(name)} is not {expected}", where=where, advice="Correct it")


def _seconds(name: str, value: Any, where: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if isinstance(value, bool) or not 0 <= number < float("inf") or (number == 0 and name.endswith("timeout_s")):
        raise _bad(name, where, "a number of seconds")
    return number


def _count(name: str, value: Any, where: str) -> int:
    text = str(value).strip()
    if isinstance(value, bool) or not re.fullmatch("[0-9]{1,9}", text):
        raise _bad(name, where, "a whole number")
    return int(text)


def _one_of(known: Any) -> Callable[[str, Any, str], Any]:
    def read(name: str, value: Any, where: str) -> Any:
        text = str(value).strip().lower()
        if text not in get_args(known):
            raise _bad(name, where, f"one of {', '.join(get_args(known))}")
        return text

    return read


def _bytes_a_second(name: str, value: Any, where: str) -> float:
    try:
        return _seconds(name, value, where)
    except OdsConfigError:
        raise _bad(name, where, "a number of bytes a second") from None


def _verify(name: str, value: Any, where: str) -> bool | str:
    try:
        return truth(name, value)
    except OdsConfigError:
        if isinstance(value, str) and ("/" in value or value.endswith((".pem", ".crt"))):
            return value.strip()
    raise _bad(name, where, "true, false or the path of a CA bundle")


def _push_keys(name: str, value: Any, where: str) -> dict[str, Secret]:
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise _bad(name, where, 'a key or a mapping {"dataset/resource": "key"}') from None
    if isinstance(value, str):
        return {"": Secret(value.strip())}
    if isinstance(value, Mapping) and all(isinstance(key, str) and key for key in value.values()):
        return {str(resource): Secret(key) for resource, key in value.items()}
    raise _bad(name, where, 'a key or a mapping {"dataset/resource": "key"}')


def _hosts(name: str, value: Any, where: str) -> tuple[str, ...]:
    items = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise _bad(name, where, "a list of host names")
    return tuple(item.strip().lower() for item in items)


def _text(name: str, value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _bad(name, where, "a text")
    return value.strip()


def _secret(name: str, value: Any, where: str) -> Secret:
    if not isinstance(value, str):
        raise _bad(name, where, "a text")
    return Secret(value.strip())


def _proxy(name: str, value: Any, where: str) -> Secret:
    secret = _secret(name, value, where)
    try:
        parts = urlsplit(secret.reveal())
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        named = False
    if not named or parts.scheme not in ("http", "https", "socks5", "socks5h"):
        raise _bad(name, where, "the URL of a proxy, such as http://user:password@proxy.example.org:3128")
    return secret


READERS: dict[str, Callable[[str, Any, str], Any]] = {
    "auth": _one_of(Auth),
    "push_api_key": _push_keys,
    "timeout_s": _seconds,
    "connect_timeout_s": _seconds,
    "min_bytes_s": _bytes_a_second,
    "max_retries": _count,
    "max_wait_s": _seconds,
    "max_quota_wait_s": _seconds,
    "verify": _verify,
    "proxy": _proxy,
    "allowed_hosts": _hosts,
    "private_files": _one_of(PrivateFiles),
    "client_id": _text,
    "client_secret": _secret,
    "refresh_token": _secret,
}
