"""Both sides on this machine, in lines: the records as they are pushed, and the portal's rows as it shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BufferedReader
from itertools import accumulate, islice
from pathlib import Path
from typing import Any, Self

from ods_provider.core.batches import encoded, encoder, too_large
from ods_provider.core.counting import counted, verb
from ods_provider.core.errors import OdsConfigError, OdsIncomplete, OdsSinkError
from ods_provider.core.jsonl import lines_decoder
from ods_provider.core.limits import PUSH_BYTES
from ods_provider.core.schema import Dataset
from ods_provider.core.shapes import Names, names_of
from ods_provider.core.strictjson import BOM
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.syncing.database import Database, Filling, Side
from ods_provider.jobs.syncing.forms import Columns, Forms, line_decoder

Record = Mapping[str, Any]
Read = Callable[[], Iterable[Record]]
_LIST_ROWS = 500
_LINES_BYTES = 262_144
_SHOWN = 3


class FileSide:
    """The records of a file, or those of an earlier task.

    Args:
        ctx: The job's.
        dataset: What they go into.
        key: Names of the key fields.
        read: Begins reading the records anew.
        where: Where they come from, for messages.
        send_unknown: Whether names that the dataset does not know are sent, for a processor of its.
    """

    def __init__(
        self,
        ctx: JobContext,
        dataset: Dataset,
        key: tuple[str, ...],
        read: Read,
        where: str,
        *,
        send_unknown: bool,
    ) -> None:
        self._ctx = ctx
        self._dataset = dataset
        self._key = key
        self._read = read
        self._where = where
        self._send_unknown = send_unknown
        self._known = set(names_of(dataset))
        self.extra: set[str] = set()
        """Names that the dataset does not know, which are sent and not compared."""

    def stage(self, database: Database, path: Path) -> tuple[Forms, int]:
        """Write the records to ``path``, their digests into the database, and return what they are and how many.

        Raises:
            OdsConfigError: A record has no key, or that of another, or a value that is none of its field's type.
        """
        named: set[str] = set()
        while True:
            forms = self._forms(named or self._first_names())
            before = set(forms.names)
            with path.open("wb") as file:
                rows, named = self._staged(forms, database.filling("file"), file)
            # A field that later records are the first to name makes every digest another one.
            if named <= before:
                break
            named |= before
        self._expect_apart(database, path, forms)
        return forms, rows

    def _first_names(self) -> set[str]:
        found: set[str] = set()
        for record in islice(self._read(), _LIST_ROWS):
            found |= record.keys() if isinstance(record, Mapping) else set()
        return found & self._known or self._known

    def _forms(self, named: set[str]) -> Forms:
        fields = [each for each in self._dataset.fields if each.name in named or each.name in self._key]
        for each in fields:
            if each.type == "file" and each.name in named:
                raise OdsConfigError(
                    f"the field {each.name} holds files, which cannot be compared",
                    where=f"{self._where}, field {each.name}",
                    advice="Leave it out of the records, and push the files by themselves",
                )
        return Forms([each for each in fields if each.type != "file"], self._key, self._where)

    def _staged(self, forms: Forms, filling: Filling, file: Any) -> tuple[int, set[str]]:
        encode, at, rows = encoder(), 0, 0
        compared, named = set(forms.names), set[str]()
        keyless: list[int] = []
        each = iter(self._read())
        while some := list(islice(each, _LIST_ROWS)):
            self._ctx.check()
            self._look(some, rows, named)
            rows += len(some)
            if not named <= compared:
                continue  # the rest is only looked through for names
            columns = forms.of_file(some, rows - len(some))
            keyless += [rows - len(some) + number for number in forms.without_key(columns)]
            starts = []
            for number, record in enumerate(self._sent(forms, some, columns), start=rows - len(some)):
                # What the fields hold was made plain; what else is sent was not looked at.
                line = encoded(encode, record, number) if self.extra else encode(record)
                if len(line) + 2 > PUSH_BYTES:
                    raise too_large(number, len(line), PUSH_BYTES)
                file.write(line + b"\n")
                starts.append(at)
                at += len(line) + 1
            filling.add(forms.digests(columns), starts)
            self._ctx.progress(rows, None, "rows")
        filling.end()
        if keyless:
            more = f" and {len(keyless) - _SHOWN} more" if len(keyless) > _SHOWN else ""
            raise OdsConfigError(
                f"{counted(len(keyless), 'records')} {verb(len(keyless), 'holds', 'hold')} nothing in a key field: "
                f"{', '.join(map(str, keyless[:_SHOWN]))}{more}",
                where=f"{self._where}, key {', '.join(self._key)}",
                advice="Give every record a key, or name other key fields; nothing was sent",
            )
        return rows, named

    def _look(self, some: list[Record], first_row: int, named: set[str]) -> None:
        """Collect the names in records; one that is no field is refused, or noted to be sent all the same."""
        if not all(isinstance(record, Mapping) for record in some):
            for number, record in enumerate(some, start=first_row):
                encoded(encoder(), record, number)  # says which of them is none
        found = set().union(*(record.keys() for record in some))
        unknown = found - self._known
        if unknown and not self._send_unknown:
            names = Names(self._where)
            for number, record in enumerate(some, start=first_row):
                names.see(record, number)
            names.expect_known(self._dataset)
        self.extra |= {str(name) for name in unknown}
        named |= found & self._known

    def _sent(self, forms: Forms, some: list[Record], columns: Columns) -> Iterator[dict[str, Any]]:
        for record, values in zip(some, zip(*columns, strict=True), strict=True):
            made = dict(zip(forms.names, values, strict=True))
            if self.extra:
                made |= {name: record[name] for name in record.keys() & self.extra}
            yield made

    def _expect_apart(self, database: Database, path: Path, forms: Forms) -> None:
        count, pairs = database.several("file", _SHOWN)
        if not count:
            return
        with Lines(path) as lines:
            told = "; ".join(key_told(forms.key, lines.row(first)) for first, _ in pairs)
        more = f" and {count - len(pairs)} more" if count > len(pairs) else ""
        raise OdsConfigError(
            f"{counted(count, 'keys')} {verb(count, 'stands', 'stand')} in more than one record: {told}{more}",
            where=f"{self._where}, key {', '.join(self._key)}",
            advice="Keep one record of each, or name more key fields; nothing was sent",
        )


def stage_portal(
    ctx: JobContext, database: Database, path: Path, forms: Forms, side: Side, *, unique: bool, where: str
) -> None:
    """Bring the digests of an export of JSON lines into the database.

    Args:
        ctx: The job's.
        database: Where they go.
        path: The export.
        forms: Of the compared fields.
        side: Which state of the portal it is.
        unique: Whether a key must stand in one row only, since the portal itself tells rows apart by it.
        where: The dataset, for messages.

    Raises:
        OdsIncomplete: A key stands in several rows.
    """
    filling, at, rows = database.filling(side), 0, 0
    decode, one = lines_decoder(), line_decoder()
    with path.open("rb") as file:
        if file.read(len(BOM)) == BOM:
            at = len(BOM)
        file.seek(at)
        while lines := file.readlines(_LINES_BYTES):
            ctx.check()
            starts = [at, *accumulate(map(len, lines), initial=at)][1:]
            at = starts.pop()
            held = [(line, start) for line, start in zip(lines, starts, strict=True) if line.strip()]
            try:
                some = decode(b"".join(line for line, _ in held))
            except ValueError:  # half a character
                some = [one(line) for line, _ in held]
            if some:
                filling.add(forms.digests(forms.of_portal(some)), (start for _, start in held))
            rows += len(some)
            ctx.progress(rows, None, "rows")
    filling.end()
    count, pairs = database.several(side, _SHOWN) if unique else (0, [])
    if count:
        with Lines(path) as found:
            told = "; ".join(key_told(forms.key, found.row(first)) for first, _ in pairs)
        raise OdsIncomplete(
            f"{counted(count, 'keys')} {verb(count, 'stands', 'stand')} in more than one row of the portal, although "
            f"its fields are annotated as id: {told}",
            where=where,
            advice="Publish the dataset anew, so that the portal tells its rows apart by them",
        )


class Lines:
    """The lines of a file by where they begin; ``with`` opens and closes it.

    Args:
        path: A file of JSON lines.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._decode = line_decoder()
        self._file: BufferedReader | None = None
        self._at = -1

    def __enter__(self) -> Self:
        try:
            self._file = self._path.open("rb")
        except OSError as error:
            raise OdsSinkError(
                f"the rows that were prepared are gone: {error.strerror}",
                where=str(self._path),
                advice="Run it again: they are prepared anew",
            ) from None
        return self

    def __exit__(self, *exc: object) -> None:
        if self._file is not None:
            self._file.close()

    def row(self, at: int) -> dict[str, Any]:
        """Return the row whose line begins there."""
        assert self._file is not None
        if at != self._at:  # a seek throws away what was read ahead
            self._file.seek(at)
        line = self._file.readline()
        self._at = at + len(line)
        row: dict[str, Any] = self._decode(line)
        return row


def key_told(key: Iterable[str], row: Record) -> str:
    """Return a row's key as messages show it."""
    return ", ".join(f"{name}={str(row.get(name))[:60]!r}" for name in key)
