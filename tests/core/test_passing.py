"""What passes is decided in one place: from an error's class, and from the foreign exception behind it."""

from __future__ import annotations

import ast
import errno
from pathlib import Path

import pytest

import ods_provider
from ods_provider.core import errors
from ods_provider.core.errors import OdsConfigError, OdsError, OdsSinkError, passes

PACKAGE = Path(ods_provider.__file__).parent


def test_no_constructor_of_ours_decides_whether_its_error_passes() -> None:
    deciding = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            written = [word.value for word in node.keywords if word.arg == "transient"]
            if isinstance(getattr(errors, node.func.id, None), type) and any(
                isinstance(value, ast.Constant | ast.UnaryOp | ast.Compare) for value in written
            ):
                deciding.append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    assert deciding == []


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (TimeoutError("the vault is slow"), True),
        (ConnectionResetError(), True),
        (RuntimeError("503 Slow Down"), True),
        (OSError(errno.EIO, "I/O error"), True),
        (FileNotFoundError("no such bucket"), False),
        (PermissionError("AccessDenied"), False),
        (OSError(errno.ENOSPC, "No space left on device"), False),
        (OSError(errno.EROFS, "Read-only file system"), False),
        (OdsConfigError("a bad argument"), False),
        (errors.OdsTimeout("silent"), True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_a_cause_says_of_itself_is_what_its_error_says(cause: Exception, expected: bool) -> None:
    assert passes(cause) is expected
    assert OdsSinkError("the destination failed", cause=cause).transient is expected
    assert OdsSinkError("the destination failed", cause=cause, transient=not expected).transient is not expected


@pytest.mark.parametrize(
    ("cls", "of", "expected"),
    [
        (errors.OdsMismatch, errors.OdsIncomplete, True),
        (errors.OdsUnreachable, errors.OdsTransportError, False),
        (errors.OdsWaitTooLong, errors.OdsQuotaExceeded, False),
        (errors.OdsBrokenPlugin, errors.OdsPluginError, False),
    ],
)
def test_where_a_kind_of_error_passes_and_sometimes_does_not_the_class_says_it(
    cls: type[OdsError], of: type[OdsError], expected: bool
) -> None:
    assert (cls.transient, of.transient) == (expected, not expected)
