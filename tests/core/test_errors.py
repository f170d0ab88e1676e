"""The error tree is drawn, exported, picklable and free of secrets."""

import inspect
import pickle
import re
from datetime import UTC, datetime

import pytest

from ods_provider import errors as public
from ods_provider.core import errors

CLASSES = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, errors.OdsError)]


def make(cls: type[errors.OdsError]) -> errors.OdsError:
    known = {"what": "it failed", "where": "GET https://data.example.org/api?apikey=s3cret", "advice": "try again"}
    if issubclass(cls, errors.OdsResponseError):
        return cls(**known, status=429, code="10002", retry_at=datetime(2030, 1, 1, tzinfo=UTC))
    return cls(**known)


def test_the_tree_drawn_in_the_docstring_is_the_tree_of_the_classes() -> None:
    drawn: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"    ([│├└─ ]*)(Ods\w+)", line)
        if match:
            depth = len(match[1]) // 4
            path = [*path[:depth], match[2]]
            drawn[match[2]] = path[depth - 1] if depth else "Exception"
    actual = {cls.__name__: cls.__mro__[1].__name__ for cls in CLASSES}
    assert drawn == actual


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_survives_pickling_with_all_it_knows(cls: type[errors.OdsError]) -> None:
    error = make(cls)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is cls
    assert str(copy) == str(error)
    assert copy.__dict__ == error.__dict__
    assert copy.transient == error.transient


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_message_says_what_where_and_what_to_do_without_the_key(cls: type[errors.OdsError]) -> None:
    text = str(make(cls))
    assert text == "it failed (GET https://data.example.org/api?apikey=***). try again."


def test_public_names_are_exactly_the_tree() -> None:
    assert set(public.__all__) == {cls.__name__ for cls in CLASSES}
    assert all(getattr(public, name) is getattr(errors, name) for name in public.__all__)


def test_transience_can_be_overruled_for_one_error() -> None:
    assert errors.OdsTransportError("x").transient
    assert not errors.OdsTransportError("x", transient=False).transient
    assert not errors.OdsConfigError("x").transient


def test_a_message_that_ends_with_a_question_has_no_full_stop_after_it() -> None:
    error = errors.OdsConfigError("there is no field 'titel'", advice="Did you mean 'title'?")
    assert str(error) == "there is no field 'titel'. Did you mean 'title'?"
