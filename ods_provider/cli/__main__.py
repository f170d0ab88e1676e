"""``python -m ods_provider.cli``: the same as ``ods``, for an environment whose scripts are not on the path."""

from ods_provider.cli import main

main(prog_name="ods")
