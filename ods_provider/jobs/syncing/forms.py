"""Rows in lists, each value made what is pushed and what is compared, and digests of both: of the key, and of all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from ods_provider.core.batches import encoder
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faithful import Unfaithful
from ods_provider.core.schema import Field
from ods_provider.core.strictjson import decode
from ods_provider.jobs.syncing.sameness import is_fine
from ods_provider.jobs.syncing.values import Make, Unfit, cutter, lenient, maker, shown_maker

Row = Mapping[str, Any]
Columns = list[list[Any]]
DIGEST_BYTES = 16  # two of a billion rows have the same one with a chance of 1 in 10**21


@dataclass(frozen=True, slots=True)
class Digests:
    """What tells rows apart, of as many rows as were given: 16 bytes each.

    Attributes:
        keys: Of what their key fields hold.
        rows: Of what all compared fields hold.
    """

    keys: list[bytes]
    rows: list[bytes]


class Forms:
    """The compared fields of a dataset, and how their values are made.

    Args:
        fields: Those that the file names, key fields included.
        key: Names of the key fields.
        where: Where the file's records come from, for messages.
    """

    def __init__(self, fields: Sequence[Field], key: Sequence[str], where: str) -> None:
        self.fields = tuple(fields)
        self.key = tuple(key)
        self.names = [each.name for each in fields]
        self._where = where
        self._makers = [maker(each) for each in fields]
        self._readers = [shown_maker(each) for each in fields]
        self._cutters = [cutter(each) for each in fields]
        self._key_at = [self.names.index(name) for name in key]
        self._moments = {at: each.name for at, each in enumerate(fields) if each.type == "datetime"}
        self._encode = encoder()
        self.finest: set[str] = set()
        """Fields of moments in which the portal was seen to show a part of a second."""

    def of_file(self, rows: Sequence[Row], first_row: int) -> Columns:
        """Return what is pushed of records, a list for each field.

        Raises:
            OdsConfigError: A value is none of its field's type; the message names record and field.
        """
        return [self._column(at, make, rows, first_row) for at, make in enumerate(self._makers)]

    def of_portal(self, rows: Sequence[Row]) -> Columns:
        """Return the same of rows that a portal shows, and note how finely it shows moments."""
        made = [_shown(make, name, rows) for make, name in zip(self._readers, self.names, strict=True)]
        for at, name in self._moments.items():
            if name not in self.finest and any(map(is_fine, made[at])):
                self.finest.add(name)
        return made

    def row(self, shown: Row) -> dict[str, Any]:
        """Return one row that a portal shows in the form that is pushed."""
        return {name: column[0] for name, column in zip(self.names, self.of_portal([shown]), strict=True)}

    def digests(self, columns: Columns) -> Digests:
        """Return what tells rows apart.

        Args:
            columns: From ``of_file`` or ``of_portal``.
        """
        cut = [
            column if make is None else [None if value is None else make(value) for value in column]
            for make, column in zip(self._cutters, columns, strict=True)
        ]
        whole = list(map(self._digest, zip(*cut, strict=True)))
        keys = list(map(self._digest, zip(*(cut[at] for at in self._key_at), strict=True)))
        return Digests(keys, whole)

    def without_key(self, columns: Columns) -> list[int]:
        """Return the places of rows in which a key field holds nothing."""
        empty = {at for column in self._key_at for at, value in enumerate(columns[column]) if value is None}
        return sorted(empty)

    def _digest(self, values: tuple[Any, ...]) -> bytes:
        try:
            told = self._encode(values)
        except ValueError:  # half a character, which a portal may show and no file may hold
            told = repr(values).encode("ascii", "backslashreplace")
        return blake2b(told, digest_size=DIGEST_BYTES).digest()

    def _column(self, at: int, make: Make, rows: Sequence[Row], first_row: int) -> list[Any]:
        name = self.names[at]
        try:
            return _made(make, name, rows)
        except (Unfit, Unfaithful):
            pass  # which of them it is, is looked for below
        for number, row in enumerate(rows, start=first_row):
            try:
                _made(make, name, [row])
            except (Unfit, Unfaithful) as error:
                raise OdsConfigError(
                    f"record {number}, field {name}: {error}",
                    where=f"{self._where}, field {name}",
                    advice=f"It holds {self.fields[at].type}. Correct the value, or leave it empty; nothing was sent",
                ) from None
        raise AssertionError("what is refused in a list is refused alone")


def _made(make: Make, name: str, rows: Sequence[Row]) -> list[Any]:
    return [None if (value := row.get(name)) is None else make(value) for row in rows]


def _shown(make: Make, name: str, rows: Sequence[Row]) -> list[Any]:
    try:
        return _made(make, name, rows)
    except (Unfit, Unfaithful):
        return _made(lenient(make), name, rows)


def line_decoder() -> Callable[[bytes], Any]:
    """Return what decodes one line of JSON, the fastest at hand; half a character is kept as it is."""
    try:
        import msgspec
    except ImportError:
        return decode
    fast = msgspec.json.Decoder().decode

    def decoded(line: bytes) -> Any:
        try:
            return fast(line)
        except ValueError:
            return decode(line)

    return decoded
