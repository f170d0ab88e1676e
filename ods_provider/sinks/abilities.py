"""What a filesystem can do, told in one place by its protocol: asking it proves nothing.

fsspec's base class has commit and discard too, and they do nothing; the memory filesystem commits on opening whatever
it is told; and makedirs of a misspelt bucket makes one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the sinks may count on.

    Attributes:
        folders: A name is a file or a folder, and folders are made before files; else there are keys only, of which one
            may be the beginning of others.
        renames: A file on this machine's own system: it is renamed over an older one in one step, and may be a link, a
            pipe or a device.
        uploads: What is written shows under its name when it is committed, and not before.
    """

    folders: bool = True
    renames: bool = False
    uploads: bool = False


_KEYS = Abilities(folders=False)
_UPLOADS = Abilities(folders=False, uploads=True)
_KNOWN = {
    "file": Abilities(renames=True),
    **dict.fromkeys(("s3", "s3a", "gs", "gcs"), _UPLOADS),  # s3fs and gcsfs keep fsspec's contract of commit
    **dict.fromkeys(("abfs", "abfss", "az", "adl", "oss", "oci"), _KEYS),
}
_OTHER = Abilities()


def abilities_of(fs: Any) -> Abilities:
    """Return what an fsspec filesystem can do."""
    names = (fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol
    return next((_KNOWN[name] for name in names if name in _KNOWN), _OTHER)
