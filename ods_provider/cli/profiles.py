"""The configuration file: portals under names, so that a command needs none of their addresses.

::

    default = "city"

    [profiles.city]
    host = "data.example.org"
    key_file = "~/.config/ods-provider/city.key"
    max_wait_s = 30

Every extra of a connection may stand in a profile. A secret stands in a file of its own, named by ``key_file`` (the API
key) or ``<extra>_file``.
"""

from __future__ import annotations

import os
import stat
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ods_provider.core.connection import EXTRAS, OdsConnection, from_parts
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faces import profile_face
from ods_provider.core.forgetting import forgets
from ods_provider.sinks.destination import no_file
from ods_provider.stores.state import expanded

CONFIG = "ODS_CONFIG"
# Never in the file itself: it is the kind of file that people show to each other.
_FILES = {
    "key_file": "api_key",
    "push_api_key_file": "push_api_key",
    "client_secret_file": "client_secret",
    "refresh_token_file": "refresh_token",
}
_PLAIN = ("host", "schema", "port", "login")
_TEXTS = ("host", "schema", "login", *_FILES)


def config_path() -> Path:
    """Return where the configuration file lies: ``ODS_CONFIG``, else below the user's configuration folder."""
    if named := os.environ.get(CONFIG):
        return Path(named)
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else expanded("~/.config")) / "ods-provider" / "config.toml"


def load_config() -> dict[str, Any]:
    """Return the configuration file, empty when there is none.

    Raises:
        OdsConfigError: It cannot be read.
    """
    path = config_path()
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise OdsConfigError(
            f"the configuration file cannot be read: {error}", where=str(path), advice="Correct it, or move it away"
        ) from None


def profile_names() -> list[str]:
    """Return the names of the profiles, none when the file cannot be read: for shell completion."""
    try:
        return sorted(_profiles(load_config()))
    except OdsConfigError:
        return []


def _profiles(config: dict[str, Any]) -> dict[str, Any]:
    found = config.get("profiles") or {}
    return found if isinstance(found, dict) else {}


def default_profile() -> str | None:
    """Return the name under ``default``, or the only profile's."""
    config = load_config()
    names = list(_profiles(config))
    named = config.get("default")
    if named is not None and not isinstance(named, str):
        raise OdsConfigError(
            "default is no text", where=str(config_path()), advice='Name a profile: default = "city", in quotes'
        )
    return named or (names[0] if len(names) == 1 else None)


@forgets
def from_profile(name: str, warn: Callable[[str], None]) -> OdsConnection:
    """Return the connection that a profile describes.

    Raises:
        OdsConfigError: There is no such profile, or it holds what it must not; the message never shows a secret.
    """
    where = f"{config_path()}, profile {name}"
    profiles = _profiles(load_config())
    given = profiles.get(name)
    if not isinstance(given, dict):
        raise OdsConfigError(
            "there is no such profile", where=where, advice=f"There are: {', '.join(sorted(profiles)) or 'none'}"
        )
    instead = {secret: file for file, secret in _FILES.items()} | {"password": "key_file", "key": "key_file"}
    allowed = [*_PLAIN, *(extra for extra in EXTRAS if extra not in instead), *_FILES]
    for key in given:
        if key in instead:
            raise OdsConfigError(
                f"the secret {key} stands in the configuration file itself",
                where=where,
                advice=f"Put it into a file of its own, and that file's path under {instead[key]}",
            )
        if key not in allowed:
            raise OdsConfigError(f"unknown key {key}", where=where, advice=f"Known are {', '.join(allowed)}")
        if key in _TEXTS and not isinstance(given[key], str):
            raise OdsConfigError(f"{key} is no text", where=where, advice="Put it in quotes")
        if key == "port" and not (str(given[key]).isdecimal() and 0 < int(given[key]) < 65536):
            raise OdsConfigError("port is no port", where=where, advice="Use a number from 1 to 65535")
    secrets = {
        secret: read_secret(given[file], warn, where=where) for file, secret in _FILES.items() if given.get(file)
    }
    password = secrets.pop("api_key", None)
    extra = {key: value for key, value in given.items() if key in EXTRAS} | secrets
    parts = {key: given.get(key) for key in _PLAIN}
    return from_parts(**parts, password=password, extra=extra, where=where, face=profile_face(name))


@forgets
def read_secret(name: str, warn: Callable[[str], None], *, where: str) -> str:
    """Return the secret in a file, ``-`` meaning standard input, without the line break at its end.

    Args:
        name: Path of the file.
        warn: Hears that everybody can read it.
        where: What named it, for messages.

    Raises:
        OdsConfigError: It cannot be read, or holds nothing.
    """
    path = expanded(name)
    try:
        text = sys.stdin.readline() if name == "-" else path.read_text(encoding="utf-8")
        if name != "-" and _readable_by_all(path):
            warn(f"{path} can be read by everybody on this machine: chmod 600 {path}")
    except (FileNotFoundError, IsADirectoryError):
        raise no_file(str(path), where=where) from None
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or "it is not text"
        raise OdsConfigError(f"the key cannot be read: {said}", where=str(path), advice="Check the path") from None
    if not text.strip():
        raise OdsConfigError("the key file is empty", where=str(path), advice="Put the key into it, alone")
    return text.strip()


def _readable_by_all(path: Path) -> bool:
    found = path.stat()
    # What another user put there (a mounted secret) is not this user's to change.
    return stat.S_ISREG(found.st_mode) and bool(found.st_mode & stat.S_IROTH) and found.st_uid == os.getuid()
