"""Keep secrets out of everything that can be read: values that do not print, and text with its secrets cut out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Generic, NoReturn, TypeVar

MASK = "***"

# Every name under which a portal takes a credential in a query or a form body (portal API, authentication table).
# The last three sign the addresses of files in a store (X-Amz-Signature, X-Amz-Security-Token, Azure's sig).
_NAMES = "apikey|api_key|pushkey|push_api_key|access_token|refresh_token|client_secret|password|signature|token|sig"
# In an address within an address the marks around them are encoded, twice when that one is in another.
_PARAMETER = re.compile(
    rf"(?i)(?=[acprst])(?:\b|(?<=%3F)|(?<=%26)|(?<=%253F)|(?<=%2526))({_NAMES})(=|%(?:25)?3D)([^&\s\"'<>)\]]+)"
)
_AUTHORIZATION = re.compile(r"(?i)(?=[ab])\b(apikey|bearer|basic)(\s+)([A-Za-z0-9._~+/=-]{4,})")
_USERINFO = re.compile(r"(://)[^/\s\"']*@")
_WITHIN = re.compile(r"://[^/:\s\"'@]*:([^/\s\"']*)@")

# The same in JSON: how the key of a credential ends, without its underscores; keys of addresses, which may hold one;
# and headers that no server takes for one.
_KEY = re.compile(
    r"(password|passwd|passphrase|pwd|secret|token|signature|authorization|connectionstring"
    r"|(api|push|access|secret|shared|account|private)key)\Z"
)
_ADDRESSES = frozenset({"url", "relative_url", "push_url"})
_PLAIN_HEADERS = frozenset(
    {"accept", "accept-charset", "accept-encoding", "accept-language", "content-type", "user-agent"}
)


class Secret:
    """A text that prints as ``***`` and refuses to be pickled; ``reveal()`` gives it at the moment of sending.

    Args:
        text: The text.
        shown: What it prints as where more than ``***`` may be seen, such as an address without its password.
    """

    __slots__ = ("_shown", "_text")

    def __init__(self, text: str, shown: str = MASK) -> None:
        self._text = text
        self._shown = shown

    def reveal(self) -> str:
        """Return the text itself. Call it only where it goes onto the wire or to a masker."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({self._shown})"

    def __str__(self) -> str:
        return self._shown

    def __format__(self, spec: str) -> str:
        return format(self._shown, spec)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is never pickled: look the connection up again where it is needed")


T = TypeVar("T")


class Sealed(Generic[T]):
    """Something whose parts hold secrets in the clear, such as a pool of connections: it neither prints nor pickles."""

    __slots__ = ("_kept",)

    def __init__(self, kept: T) -> None:
        self._kept = kept

    def open(self) -> T:
        """Return what is kept. Call it only where it is used, and never keep what it gives."""
        return self._kept

    def __repr__(self) -> str:
        return f"Sealed({MASK})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("what is sealed is never pickled: it holds open connections and keys")


def scrub(text: str, secrets: Iterable[Secret] = ()) -> str:
    """Return ``text`` with credentials cut out: by their names in URLs and headers, ``secrets`` wherever they stand."""
    text = without(text, secrets)
    if "=" in text or "%" in text:
        text = _PARAMETER.sub(rf"\1\2{MASK}", text)
    text = _AUTHORIZATION.sub(_mask_scheme, text)
    return _USERINFO.sub(rf"\1{MASK}@", text)


def without(text: str, secrets: Iterable[Secret]) -> str:
    """Return ``text`` with ``secrets`` cut out, however they are encoded, and with nothing else changed."""
    for secret in secrets:
        plain = secret.reveal()
        if plain:
            text = text.replace(plain, MASK)
            if "%" in text or "+" in text:
                text = _encoded(plain).sub(MASK, text)
    return text


@lru_cache(maxsize=256)
def _encoded(plain: str) -> re.Pattern[str]:
    """Return what finds a text whatever part of it is percent-encoded, up to three times over."""
    return re.compile("".join(_spellings(letter) for letter in plain))


def _spellings(letter: str) -> str:
    encoded = "".join(f"%(?:25){{0,2}}(?i:{byte:02X})" for byte in letter.encode("utf-8", "surrogatepass"))
    # A form writes a space as +, which the next encoding takes for a letter.
    return f"(?:{re.escape(letter)}|{encoded}{'|[+]|%(?:25){0,2}2[Bb]' if letter == ' ' else ''})"


def _mask_scheme(match: re.Match[str]) -> str:
    # "Basic authentication" is prose, "Basic dXNlcjpwYXNz" a credential: words hold no digit and no capital inside.
    word = match[3]
    if word.isalpha() and (word.islower() or word.istitle()) and len(word) < 24:
        return match[0]
    return f"{match[1]}{match[2]}{MASK}"


def sealed(value: Any) -> Any:
    """Return JSON values with every credential in them as a ``Secret``: known by its key, its header or its address.

    What a portal is sent goes through here before it waits for anything, and what a portal tells before anybody sees
    it.
    """
    if isinstance(value, Mapping):
        return {key: _sealed_under(str(key), inside) for key, inside in value.items()}
    if isinstance(value, (list, tuple)):
        return [sealed(inside) for inside in value]
    return value


def _sealed_under(key: str, value: Any) -> Any:
    if isinstance(value, str) and value:
        if _KEY.search(re.sub("[-_ ]", "", key.lower())):
            return Secret(value)
        if key in _ADDRESSES and (shown := scrub(value)) != value:
            return Secret(value, shown)
        return value
    if key == "headers" and isinstance(value, (list, tuple)):
        return [_sealed_header(header) for header in value]
    if key == "headers" and isinstance(value, Mapping):
        return {name: _sealed_value(str(name), text) for name, text in value.items()}
    return sealed(value)


def _sealed_header(header: Any) -> Any:
    if not isinstance(header, Mapping) or "value" not in header:
        return sealed(header)
    return {**header, "value": _sealed_value(str(header.get("name")), header["value"])}


def _sealed_value(name: str, text: Any) -> Any:
    plain = not isinstance(text, str) or not text or name.strip().lower() in _PLAIN_HEADERS
    return text if plain else Secret(text)


def masked(value: Any) -> Any:
    """Return sealed JSON values as they may be seen: each ``Secret`` as it prints."""
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, Mapping):
        return {key: masked(inside) for key, inside in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(inside) for inside in value]
    return value


def kept(given: Any, before: Any) -> Any:
    """Return sealed values that were changed by who saw them masked: what still reads as it was shown is as it was.

    Args:
        given: The new values, sealed.
        before: The ones that they replace, sealed.

    Returns:
        The new values; a mask for which there is nothing before becomes None, as portals show credentials themselves.
    """
    if isinstance(given, (Secret, str)):
        text = given.reveal() if isinstance(given, Secret) else given
        if isinstance(before, Secret) and text == str(before):
            return before
        return None if isinstance(given, Secret) and text == MASK else given
    if isinstance(given, Mapping):
        old = before if isinstance(before, Mapping) else {}
        return {key: kept(inside, old.get(key)) for key, inside in given.items()}
    if isinstance(given, (list, tuple)):
        rest = list(before) if isinstance(before, (list, tuple)) else []
        return [kept(inside, rest[at] if at < len(rest) else None) for at, inside in enumerate(given)]
    return given


def secrets_in(value: Any) -> Iterator[Secret]:
    """Yield every secret of sealed values; of an address the password within it too, which may be quoted alone."""
    if isinstance(value, Secret):
        yield value
        text = value.reveal()
        if str(value) != MASK:
            yield from (Secret(part) for part in _WITHIN.findall(text) if part)
            yield from (Secret(found[3]) for found in _PARAMETER.finditer(text))
    elif isinstance(value, Mapping):
        for inside in value.values():
            yield from secrets_in(inside)
    elif isinstance(value, (list, tuple)):
        for inside in value:
            yield from secrets_in(inside)
