"""The arguments of Dagster's assets and ops: those of the builders, in code and in a run's config."""

from collections.abc import Callable, Iterable, Mapping
from inspect import signature
from typing import Any, get_type_hints

from dagster import Array, Field, Noneable, ScalarUnion

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faces import in_words
from ods_provider.core.nearest import listed, nearest
from ods_provider.jobs.arguments.kinds import Flag, Mapped, Number, Place, Seconds, Span, Text, Texts
from ods_provider.jobs.context import Job

MAX_BYTES = 10_000_000
# Rows go to an IO manager here and not to an XCom.
WORDS = {"max_xcom_bytes": "max_bytes"}
_OF_THE_JOB = {word: name for name, word in WORDS.items()}
_KINDS: list[tuple[Any, Any]] = [
    (Text, str),
    (Texts, ScalarUnion(str, Array(str))),
    (Mapped, dict),
    (Number, int),
    (Flag, bool),
    (Place, str),
    (Span, str),
    (Seconds, float),
]
_INPUTS = ("records", "part")  # what comes from another op or asset, and never from a config

Builder = Callable[..., Job]


def job_of(make: Builder, given: Mapping[str, Any], *, beside: Iterable[str] = ()) -> Job:
    """Return the job that the arguments of an asset or an op describe; without a path, rows may take 10 MB.

    Args:
        make: The job's builder.
        given: The arguments.
        beside: What else could have been meant by an argument that there is not.

    Raises:
        OdsConfigError: An argument is bad; the message names it as it is called here.
    """
    arguments = {_OF_THE_JOB.get(name, name): value for name, value in given.items()}
    known = [WORDS.get(name, name) for name in signature(make).parameters]
    for name in given:
        if name not in known:
            meant = nearest(name, [*known, *(each for each in beside if each != name)])
            raise OdsConfigError(
                f"there is no argument {name}",
                where=f"argument {name}",
                advice=(f"Perhaps {listed(meant)} is meant. " if meant else "") + f"Known are {', '.join(known)}",
            )
    if "max_xcom_bytes" in signature(make).parameters:
        arguments.setdefault("max_xcom_bytes", MAX_BYTES)
    try:
        return make(**arguments)
    except OdsConfigError as error:
        raise in_words(error, WORDS) from None


def config_of(make: Builder, *, takes: str | None = None) -> dict[str, Any]:
    """Return what a run's config may say of a job: every argument but inputs, none of them required.

    Args:
        make: The job's builder.
        takes: The argument that is an input of the op.
    """
    kinds = get_type_hints(make)
    return {
        WORDS.get(name, name): Field(Noneable(_kind(kinds[name])), is_required=False)
        for name in signature(make).parameters
        if name not in _INPUTS and name != takes
    }


def _kind(hint: Any) -> Any:
    return next(kind for known, kind in _KINDS if known == hint)
