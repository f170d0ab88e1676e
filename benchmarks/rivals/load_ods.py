"""Ours: the command, as it would stand in a crontab."""

import sys

from ods_provider.cli import main

portal, database, folder = sys.argv[1:]
main(["--host", portal, "--quiet", "load", "numbers", "t", "--to", database, "--staging", folder])
