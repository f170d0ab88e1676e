"""``python -m ods_provider.cli``, and the script ``ods``: the commands as a process of their own."""

import os
import sys

from ods_provider.cli import main
from ods_provider.cli.ending import INTERRUPTED, TERMINATED


def run() -> None:
    """Run the command line, and end at once when it was told to."""
    try:
        main(_words(sys.argv[1:]), prog_name="ods")
    except SystemExit as end:
        if end.code in (INTERRUPTED, TERMINATED):
            # Threads may still read from a portal that is silent, and Python would wait for them. Nothing of theirs is
            # confirmed.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(end.code)
        raise


def _words(given: list[str]) -> list[str]:
    """Return the words of the command line, those read as UTF-8 that the locale has no signs for."""
    return [word if word.isascii() else _as_utf8(word) for word in given]


def _as_utf8(word: str) -> str:
    try:
        word.encode()
    except UnicodeEncodeError:
        try:
            return os.fsencode(word).decode("utf-8")
        except UnicodeError:
            return word
    return word


if __name__ == "__main__":
    run()
