"""``python -m ods_provider.cli``, and the script ``ods``: the commands as a process of their own."""

import os
import sys

from ods_provider.cli import main
from ods_provider.cli.ending import INTERRUPTED, TERMINATED


def run() -> None:
    """Run the command line, and end at once when it was told to."""
    try:
        main(prog_name="ods")
    except SystemExit as end:
        if end.code in (INTERRUPTED, TERMINATED):
            # Threads may still read from a portal that is silent, and Python would wait for them. Nothing of theirs is
            # confirmed.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(end.code)
        raise


if __name__ == "__main__":
    run()
