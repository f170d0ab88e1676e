"""A plan that is shown before it is carried out, and a question to whoever sits there where it takes something away."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from ods_provider.cli.settings import Settings
from ods_provider.core.errors import OdsConfigError

Plan = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before a plan is carried out.

    Attributes:
        text: The question, which yes or no answers.
        unasked: The error where nobody can be asked.
    """

    text: str
    unasked: OdsConfigError


def agreeing(
    settings: Settings, *, show: Callable[[Plan], None], question: Callable[[Plan], Question | None]
) -> Callable[[Plan], None]:
    """Return what shows a plan and asks, once it is made.

    Args:
        settings: The shared options.
        show: Prints a plan to standard error.
        question: Makes the question of a plan, None where none is due.
    """

    def agree(plan: Plan) -> None:
        seen = sys.stderr.isatty() and not settings.quiet
        asked = question(plan)
        if asked and not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise asked.unasked
        if not seen and not asked:
            return  # a line has told it
        assert settings.shown is not None  # the job is at work
        with settings.shown.aside():
            show(plan)
            if asked:
                click.confirm(asked.text, abort=True, err=True)

    return agree
