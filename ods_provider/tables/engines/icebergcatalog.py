"""Catalogues of Iceberg tables: a file in a folder of this machine, or one that pyiceberg's configuration names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ods_provider.core.errors import OdsConfigError, OdsError, OdsTableBusy, OdsTableError
from ods_provider.core.redact import Secret, scrub
from ods_provider.tables.engines.lake import Lake
from ods_provider.tables.load import TableName
from ods_provider.tables.target import Target

CATALOG_FILE = "_iceberg_catalog.db"
NAMESPACE = "default"
_HIDDEN = ("key", "token", "secret", "password", "credential")
_LOCKED = "database is locked"
_WAIT_S = 60


class Catalogue:
    """The catalogue of a lake, opened when it is first asked.

    Args:
        target: The lake, as it is told of.
        lake: The same, taken apart.

    Raises:
        OdsConfigError: It needs a catalogue that is not named.
    """

    def __init__(self, target: Target, lake: Lake) -> None:
        self._target = target
        self._lake = lake
        self._name = lake.settings.get("catalog")
        self._open: Any = None
        self._file: Path | None = None
        if not self._name:
            if not lake.url.startswith("file://"):
                raise OdsConfigError(
                    "Iceberg tables in a store need a catalogue, and none is named",
                    where=target.label,
                    advice=f"Write {target.label.partition('?')[0]}?format=iceberg&catalog=NAME, with a catalogue of "
                    "~/.pyiceberg.yaml or of PYICEBERG_CATALOG__NAME__URI and the like (REST, Glue, SQL)",
                )
            self._file = Path(lake.url.removeprefix("file://")) / CATALOG_FILE

    @property
    def ours(self) -> bool:
        """Whether it is the file in the folder."""
        return self._file is not None

    def opened(self, *, make: bool = False) -> Any:
        """Return pyiceberg's catalogue; None where its file does not stand and is not to be made."""
        if self._open is None:
            if self._file is None:
                self._open = self._named()
            elif make or self._file.exists():
                from pyiceberg.catalog.sql import SqlCatalog

                self._file.parent.mkdir(parents=True, exist_ok=True)
                uri = f"sqlite:///{self._file}?timeout={_WAIT_S}"
                self._open = SqlCatalog(NAMESPACE, uri=uri, warehouse=self._lake.url.rstrip("/"))
        return self._open

    def table(self, table: TableName) -> Any:
        """Return a table, None where none stands."""
        from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError

        self._lake.folder(table)  # refuses what cannot be a name
        catalog = self.opened()
        if catalog is None:
            return None
        try:
            return catalog.load_table(identifier(table))
        except (NoSuchTableError, NoSuchNamespaceError):
            return None

    def location(self, table: TableName) -> str:
        """Return where a new table lies; what would end a path within an address is encoded."""
        folder = self._lake.folder(table)
        return folder.replace("%", "%25").replace("#", "%23").replace("?", "%3F")

    def close(self) -> None:
        """Close its connections."""
        if self._open is not None:
            self._open.close()
            self._open = None

    @contextmanager
    def speaking(self, table: TableName) -> Iterator[None]:
        """Turn what pyiceberg raises into errors of ours."""
        from pyiceberg import exceptions

        try:
            yield
        except OdsError:
            raise
        except Exception as error:
            if lost_a_race(error):
                raise OdsTableBusy(
                    f"somebody else changed the table while it was loaded: {self._scrubbed(error)}",
                    where=f"{self._target.label}, table {table}",
                    advice="Run it again: the table is as they left it",
                ) from None
            locked = _LOCKED in str(error) or isinstance(
                error,
                exceptions.CommitStateUnknownException
                | exceptions.ServiceUnavailableError
                | exceptions.TooManyRequestsError,
            )
            raise OdsTableError(
                f"the lake refused: {self._scrubbed(error)}",
                where=f"{self._target.label}, table {table}",
                advice="Run it again" if locked else "Mend what it says",
                transient=locked,
            ) from None

    def _named(self) -> Any:
        from pyiceberg.catalog import load_catalog

        assert self._name
        try:
            return load_catalog(self._name, **self._lake.for_iceberg())
        except Exception as error:
            raise OdsConfigError(
                f"The catalogue {self._name!r} cannot be opened: {self._scrubbed(error)}",
                where=self._target.label,
                advice="Describe it in ~/.pyiceberg.yaml or by "
                f"PYICEBERG_CATALOG__{self._name.upper()}__URI and the like",
            ) from None

    def _scrubbed(self, error: Exception) -> str:
        from pyiceberg.utils.config import Config

        configured = Config().get_catalog_config(self._name) if self._name else None
        hidden = [Secret(text) for given in (self._lake.settings, configured or {}) for text in _secrets_of(given)]
        return scrub(f"{type(error).__name__}: {error}", hidden)[:300]


def identifier(table: TableName) -> tuple[str, str]:
    """Return a table as catalogues have it."""
    return (table.schema or NAMESPACE, table.name)


def lost_a_race(error: BaseException) -> bool:
    """Return whether a commit certainly did not come, since somebody else's came before it."""
    from pyiceberg import exceptions

    return isinstance(
        error,
        exceptions.CommitFailedException | exceptions.ValidationException | exceptions.TableAlreadyExistsError,
    )


def _secrets_of(given: Mapping[str, Any]) -> Iterator[str]:
    for name, value in given.items():
        if isinstance(value, Mapping):
            yield from _secrets_of(value)
        elif isinstance(value, str) and any(word in name.lower() for word in _HIDDEN):
            yield value
        elif isinstance(value, str) and "://" in value and (password := urlsplit(value).password):
            yield from (password, unquote(password))
