"""A small file of this machine that an option names, read whole."""

from __future__ import annotations

import sys

from ods_provider.core.errors import OdsConfigError
from ods_provider.sinks.destination import no_file
from ods_provider.stores.state import expanded


def typed_file(name: str, *, where: str) -> str:
    """Return the text of a file, ``-`` meaning standard input.

    Args:
        name: Its path, as it was typed.
        where: What named it, for messages.

    Raises:
        OdsConfigError: There is none, or it cannot be read.
    """
    try:
        return sys.stdin.read() if name == "-" else expanded(name).read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError):
        raise no_file(name, where=where) from None
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or "it is not text"
        raise OdsConfigError(f"{name} cannot be read: {said}", where=where, advice="Check the file") from None
