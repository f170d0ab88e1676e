"""An error about arguments in the words of the face where they were typed: ``group_by`` may be ``--group-by`` there."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ods_provider.core.errors import OdsConfigError

_ABOUT = re.compile(r"arguments? (\w+(?:, \w+)*)")


def in_words(error: OdsConfigError, words: Mapping[str, str]) -> OdsConfigError:
    """Return the error with the arguments that it is about called as a face calls them.

    Args:
        error: What a builder or a job said, in its own words.
        words: The face's name of each argument that has another one there.
    """
    about = _ABOUT.match(error.where or "")
    if about is None or not words:
        return error
    told = about[1].split(", ")
    # "path" and "limit" are words of English too: in a sentence, only what can be nothing else is a name.
    sure = [rf"\b{name}(?==| is\b| holds\b| names\b)" for name in told if name in words]
    sure += [rf"\b{name}\b" for name in words if "_" in name]
    names = re.compile("|".join(sure) or "(?!)")

    def renamed(text: str) -> str:
        return names.sub(lambda found: words[found[0]], text)

    head = "" if told[0] in words else about[0][: about.start(1)]
    return OdsConfigError(
        renamed(error.what),
        where=head + ", ".join(words.get(name, name) for name in told) + (error.where or "")[about.end() :],
        advice=renamed(error.advice) if error.advice else None,
        transient=error.transient,
    )
