"""Keep secrets out of everything that can be read: values that do not print, and text with its secrets cut out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Generic, NoReturn, TypeVar

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


class Secret:
    """A text that prints as ``***`` and refuses to be pickled; ``reveal()`` gives it at the moment of sending."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself. Call it only where it goes onto the wire or to a masker."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

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
