"""An error in the words of the face that shows it: the one place that knows what each face calls things.

Everything else speaks of ``setting("host")``, of arguments by their builders' names, and in the phrases below. Where a
setting stands is known to the connection, which carries the face that it was made by; what an argument is called, to
the face that took it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from ods_provider.core.errors import (
    OdsConfigError,
    OdsError,
    OdsIncomplete,
    OdsMoved,
    OdsPublicationFailed,
    OdsPublicationRunning,
)

# What to do about an argument that somebody computed, and about one that arrived as text.
COMPUTED = "if it is computed, check what it comes to"
ITSELF = "Pass the value itself, or JSON of it"
# How a dataset of the portal's other source is named.
MONITORED = "pass source='monitoring'"

_ABOUT = re.compile(r"arguments? (\w+(?:, \w+)*)")
# The name may be in the face's own words already.
_PASSED = re.compile(r"(?<![\w-])((?:--)?\w[\w-]{0,40})=('[^'\n]*'|\"[^\"\n]*\")")
_OURS = (OdsIncomplete, OdsMoved, OdsPublicationFailed, OdsPublicationRunning)
_BOUND = r"(?==| lets\b| allows\b)"
_SETTING = re.compile(r"\bthe (\w{1,40}) of the connection\b")


def setting(name: str) -> str:
    """Return a setting of the connection in the words that every face puts into its own."""
    return f"the {name} of the connection"


@dataclass(frozen=True, slots=True)
class Face:
    """What one way of making a connection, or of naming work, calls things.

    Attributes:
        kind: What it calls an optional setting.
        named: The settings with a name of their own.
        other: How it calls every other one; ``{name}`` and ``{NAME}`` stand for it.
        phrases: What it says instead of the phrases of this module.
        parts: Settings that have a place of their own there, and are none of the optional ones.
    """

    kind: str = "setting"
    named: Mapping[str, str] = field(default_factory=dict)
    other: str = setting("{name}")
    phrases: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[str, ...] = ("host", "api_key", "login")

    def setting(self, name: str) -> str:
        """Return what a setting is called here."""
        return self.named.get(name) or self.other.format(name=name, NAME=name.upper())

    def said(self, text: str) -> str:
        """Return a text of ours in the words of this face."""
        for phrase, instead in self.phrases.items():
            text = text.replace(phrase, instead)
        return _SETTING.sub(lambda found: self.setting(found[1]), text)

    def retold(self, error: OdsError) -> OdsError:
        """Return the same error, which speaks in the words of this face from here on."""
        error.reword(self.said, "where", "advice")
        if isinstance(error, OdsConfigError):
            # Of others it is what a portal answered, which is nobody's to reword.
            error.reword(self.said, "what")
        return error

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """Have what is raised meanwhile speak in the words of this face."""
        try:
            yield
        except OdsError as error:
            self.retold(error)
            raise


_SECRETS = ("push_api_key", "client_secret", "refresh_token")

PLAIN = Face()
PYTHON = Face(
    named={"host": "the host given to OdsClient"},
    other="OdsClient's argument {name}",
    phrases={MONITORED: "ask client.monitoring"},
)
AIRFLOW = Face(
    kind="extra",
    named={"host": "the connection's host", "api_key": "the connection's password", "login": "the connection's login"},
    other="{name} in the connection's extra",
    phrases={
        COMPUTED: "if it is a template, check what it renders to",
        ITSELF: "Pass the XCom itself (task.output), or set render_template_as_native_obj on the DAG",
    },
)
PREFECT = Face(
    named={name: f"the block's {name}" for name in ("host", "api_key", "login", "push_api_key")}
    | {name: f"{name} in the block's secret_settings" for name in ("proxy", "client_secret", "refresh_token")},
    other="{name} in the block's settings",
)
DAGSTER = Face(kind="field", other="the field {name} of the OdsResource")
LOGIN = Face(
    named={name: f"--{name.replace('_', '-')}" for name in ("host", "client_id", "login", "verify")}
    | {"client_secret": "--client-secret-file"}
)
ENVIRONMENT = Face(named={"push_api_key": "ODS_PUSH_API_KEY or --push-key-file"}, other="ODS_{NAME}")
OPTIONS = Face(
    named={
        "host": "--host",
        "api_key": "--key-file or ODS_API_KEY",
        "push_api_key": "--push-key-file or ODS_PUSH_API_KEY",
    },
    other="ODS_{NAME}",
)


def profile_face(name: str) -> Face:
    """Return the face of a profile in the configuration file, whose secrets stand in files."""
    files = {"api_key": "key_file"} | {secret: f"{secret}_file" for secret in _SECRETS}
    # Braces in a profile's name are no places for a setting's.
    there = f"of the profile {name}".replace("{", "{{").replace("}", "}}")
    return Face(
        named={secret: f"{file} of the profile {name}" for secret, file in files.items()}
        | {"push_api_key": f"push_api_key_file of the profile {name} or --push-key-file"},
        other=f"{{name}} {there}",
    )


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
    sure = [rf"\b{name}(?==| is\b| holds\b| names\b| writes\b| out\b)" for name in told if name in words]
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


def bare(text: str, words: Mapping[str, str], *, told: str = "") -> str:
    """Return a sentence of ours with arguments called as a face calls them: ``--min-rows`` in place of ``min_rows``.

    Only what can be no word of English is one, and never what stands in quotes or in a path: a field of a dataset may
    have the name of an argument.

    Args:
        text: The sentence.
        words: The face's name of each argument that has another one there.
        told: A pattern of what must follow a name.
    """
    names = "|".join(name for name in words if "_" in name)
    if not names:
        return text
    return re.sub(rf"""(?<![\w"'`./-])({names})(?![\w"'`(/]|\.\w){told}""", lambda found: words[found[1]], text)


def advise(error: OdsError, words: Mapping[str, str]) -> None:
    """Have an error name arguments as a face names them: ``--kind files`` in place of ``kind='files'``.

    Args:
        error: Whatever a job or a builder raised; what it says of a portal stays as it is.
        words: The face's name of each argument that has another one there.
    """

    def passed(found: re.Match[str]) -> str:
        word, value = words.get(found[1], found[1]), found[2][1:-1]
        if word == f"--{value}":
            return word  # a flag that is named after what it stands for
        # Quoted as a shell needs it: brackets and stars are its own.
        return f"{word} {shlex.quote(value)}" if word.startswith("-") else f"{word}={found[2]}"

    error.reword(lambda text: bare(_PASSED.sub(passed, text), words), "advice")
    if isinstance(error, _OURS):
        # It may quote a portal: only where a bound is named it is certainly us.
        error.reword(lambda text: bare(text, words, told=_BOUND), "what")
