"""The arguments of Dagster's assets and ops: those of the builders, in code and in a run's config."""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, get_type_hints

from dagster import Array, Field, Noneable, ScalarUnion

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faces import in_words
from ods_provider.jobs.arguments.kinds import Flag, Mapped, Number, Place, Text, Texts
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
]
_INPUTS = ("records",)

Builder = Callable[..., Job]


def job_of(make: Builder, given: Mapping[str, Any]) -> Job:
    """Return the job that the arguments of an asset or an op describe; without a path, rows may take 10 MB.

    Raises:
        OdsConfigError: An argument is bad; the message names it as it is called here.
    """
    arguments = {_OF_THE_JOB.get(name, name): value for name, value in given.items()}
    if "max_xcom_bytes" in signature(make).parameters:
        arguments.setdefault("max_xcom_bytes", MAX_BYTES)
    try:
        return make(**arguments)
    except OdsConfigError as error:
        raise in_words(error, WORDS) from None


def config_of(make: Builder) -> dict[str, Any]:
    """Return what a run's config may say of a job: every argument but inputs, none of them required."""
    kinds = get_type_hints(make)
    return {
        WORDS.get(name, name): Field(Noneable(_kind(kinds[name])), is_required=False)
        for name in signature(make).parameters
        if name not in _INPUTS
    }


def _kind(hint: Any) -> Any:
    return next(kind for known, kind in _KINDS if known == hint)
