"""No face speaks in another's words: the tree is read, and every text outside a face's own room is looked at."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import ods_provider

TREE = Path(ods_provider.__file__).parent
# The words of each face, and the rooms where they may be said. What each calls things is known to one place.
AIRFLOW = (
    r"\bthe connection'?s? (password|extra|login)|\bextras?\b|[Cc]lear the task|\bXCom|\btemplate|\bDAG\b|the triggerer"
)
COMMANDS = r"(?<![-\w])--[a-z]|\bprofile\b|\b(environment )?ODS_(HOST|API_KEY|PUSH_API_KEY)\b|key_file"
PREFECT = r"\bblocks?\b|secret_settings|flow run"
DAGSTER = r"OdsResource|run's config|\bop\b"
PYTHON = r"OdsClient\b"
EVERYWHERE = r"of the connection|in the connection\b|the connection's"
ROOMS = {
    AIRFLOW: (
        "airflow",
        "hooks",
        "operators",
        "sensors",
        "triggers",
        "plugins/airflow.py",
        "assets.py",
        "core/asseturis.py",
    ),
    COMMANDS: ("cli", "plugins/builtin.py", "airflow/commands.py"),
    PREFECT: ("schedulers/prefect",),
    DAGSTER: ("schedulers/dagster",),
    PYTHON: ("client",),
    # ``setting`` says this, for each face to put into its own words.
    EVERYWHERE: (
        "airflow",
        "hooks",
        "operators",
        "sensors",
        "triggers",
        "plugins/airflow.py",
        "assets.py",
        "core/asseturis.py",
    ),
}
ONE_PLACE = "core/faces.py"
# Speak to those who write plugins, or pages, or are no part of any face.
BESIDE = ("testing", "conformance", "example_dags", "get_provider_info.py")
ALLOWED = {
    # The command that every face's users authorise an application with.
    ("core/oauth.py", "ods login --host "),
    ("core/oauth.py", " --seed` and put the new token into "),
    # The variable that a key is best kept in there, by the name that it has elsewhere.
    ("schedulers/dagster/resource.py", 'API key: EnvVar("ODS_API_KEY"). Empty calls anonymously.'),
    ("schedulers/dagster/component.py", "{{ env.ODS_HOST }}"),
    ("schedulers/dagster/component.py", "{{ env.ODS_API_KEY }}"),
    # Told to those who install plugins.
    ("plugins/manager.py", "Install the extra of that scheduler; `ods plugins` lists what is loaded"),
    # `ods login` makes connections for other faces, and the local portal a demonstration of Airflow's.
    ("cli/login.py", "Put this into the connection's extras (the client secret too, where there is one):\n"),
    ("cli/login.py", "Store nothing here: print the refresh token for the connection."),
    ("cli/login.py", "The connection's login, where several users share one application."),
    ("cli/login.py", "; leave refresh_token out of the connection."),
    ("cli/portal.py", "demo adds the real GeoNames cities (extra [demo])."),
    ("cli/connecting.py", "Use --host, --profile or ODS_HOST, or run the command in Airflow's environment"),
}


@cache
def texts(path: Path) -> list[tuple[int, str]]:
    """Return the sentences of a module: texts with a space in them that are no docstrings."""
    every = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    silent = {id(node.value) for node in every if isinstance(node, ast.Expr)}
    return [
        (node.lineno, node.value)
        for node in every
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in silent
        and " " in node.value.strip()
    ]


def strangers(name: str, path: Path) -> list[str]:
    found = []
    for words, rooms in ROOMS.items():
        if name == ONE_PLACE or name.startswith(rooms):
            continue
        found += [
            f"{name}:{line}: {text!r}"
            for line, text in texts(path)
            if re.search(words, text) and (name, text) not in ALLOWED
        ]
    return found


MODULES = {
    str(path.relative_to(TREE)): path
    for path in sorted(TREE.rglob("*.py"))
    if not str(path.relative_to(TREE)).startswith(BESIDE)
}


def test_a_text_says_nothing_in_the_words_of_another_face() -> None:
    assert not [found for name, path in MODULES.items() for found in strangers(name, path)]


@pytest.mark.parametrize(
    "text",
    [
        "put an API key into the connection's password",
        "Correct it and clear the task",
        "use --key-file or the profile's",
        "(environment ODS_HOST)",
        "Save the block again",
        "a field of the OdsResource",
        "the arguments of OdsClient here",
    ],
)
def test_each_face_s_words_are_known(text: str, tmp_path: Path) -> None:
    module = tmp_path / "said.py"
    module.write_text(f"ERROR = {text!r}\n", encoding="utf-8")
    assert strangers("core/said.py", module)


def test_what_is_allowed_is_still_said() -> None:
    said = {(name, text) for name, path in MODULES.items() for _, text in texts(path)}
    assert said >= ALLOWED
