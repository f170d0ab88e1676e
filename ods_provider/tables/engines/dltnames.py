"""How dlt names tables and columns in our child process: as they are, its own tables with a prefix of ours.

dlt keeps books (``_dlt_loads`` and others) beside the tables it loads. Ours are for one run only; other names keep them
from being taken for those of a pipeline of the user's in the same schema.
"""

from __future__ import annotations

from typing import ClassVar

from dlt.common.normalizers.naming import direct


class NamingConvention(direct.NamingConvention):  # type: ignore[misc,unused-ignore]
    """``direct``, with ``_dlt`` replaced."""

    books: ClassVar[str] = "_ods_dlt"

    def normalize_identifier(self, identifier: str) -> str:
        """Return a name as the database gets it."""
        if identifier.startswith("_dlt_") or identifier == "_dlt":
            identifier = self.books + identifier.removeprefix("_dlt")
        # Not its own way of it, which takes quotation marks out of names and blanks off them.
        return str(self.shorten_identifier(identifier, identifier, self.max_length))
