"""The parent's half of the talk with the child process in which dlt runs."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from typing import Any

from ods_provider.core.errors import OdsConfigError, OdsTableBusy, OdsTableError
from ods_provider.core.redact import Secret, scrub
from ods_provider.tables.engines.dltcredentials import package_of
from ods_provider.tables.engines.dltprocess import COMMAND, give_back, take
from ods_provider.tables.engines.sqlstates import UNKNOWN, meaning
from ods_provider.tables.target import Target

_PASSES = {"OperationalError", "InterfaceError", "ConnectionError", "TimeoutError", "ConnectionResetError"}
_PASSES |= {"NetworkError", "SocketTimeoutError", "EndpointConnectionError", "MaxRetryError", "RequestError"}


class Child:
    """A child process and its one database.

    Args:
        target: The database.
        books: Prefix of the tables that dlt keeps for itself.
        command: What is run; the child of ours.
    """

    def __init__(self, target: Target, *, books: str, command: tuple[str, ...] = COMMAND) -> None:
        self._target = target
        self._books = books
        self._secrets = [Secret(text) for text in _texts(target)]
        self._process = take(command)
        self._failed = False
        self._ending = threading.Lock()
        self._gone = False

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def open(self, dataset: str) -> dict[str, Any]:
        """Connect, and return what the database can."""
        spec = {
            "kind": self._target.kind,
            "url": self._target.url.reveal(),
            "options": dict(self._target.options),
            "secrets": {name: secret.reveal() for name, secret in self._target.secrets.items()},
            "books": self._books,
            "dataset": dataset,
        }
        found: dict[str, Any] = self.ask("open", **spec)
        return found

    def ask(self, do: str, **words: Any) -> Any:
        """Have the child do something, and return what it answers.

        Raises:
            OdsTableError: The database refused, or the child ended.
        """
        self._process.send(json.dumps({"do": do, **words}).encode())
        answer = self._answer()
        if "error" in answer:
            self._failed = True
            raise self._error(answer["error"])
        return answer["ok"]

    def cancel(self) -> None:
        """End the child, and what the database does for it; from any thread, any number of times."""
        with self._ending:
            self._failed = True
            if not self._gone:  # or it works for somebody else by now
                self._process.end()

    def close(self) -> None:
        """Disconnect, and let the child wait for the next load, where nothing went wrong with this one."""
        if not self._gone and self._process.running:
            with suppress(OdsTableError, ValueError):
                self.ask("close")
        with self._ending:
            gone, self._gone = self._gone, True
            if not gone and (self._failed or not self._process.running):
                self._process.close()
            elif not gone:
                give_back(self._process)

    def _answer(self) -> dict[str, Any]:
        try:
            line = self._process.receive()
            answer = None if line is None else json.loads(line)
        except ValueError:
            raise self._garbled() from None
        if line is None:
            raise self._ended()
        if not isinstance(answer, dict) or not {"ok", "error"} & set(answer):
            raise self._garbled()
        return answer

    def _garbled(self) -> OdsTableError:
        self.cancel()
        return OdsTableError(
            "the process that loads answered what is no answer of ours",
            where=self._target.label,
            advice="Look for a package that prints when it is imported, and report it to us",
        )

    def _ended(self) -> OdsTableError:
        self._failed = True
        code, words = self._process.last_words()
        by = f"signal {-code}" if code < 0 else f"code {code}"
        said = scrub(f": {words}" if words else "", self._secrets)
        return OdsTableError(
            f"the process that loads ended by {by}{said[:300]}",
            where=self._target.label,
            advice="The table is as it was; run it again, with more memory if the system ended it",
            transient=code < 0 or code == 143,
        )

    def _error(self, told: dict[str, Any]) -> OdsTableError | OdsConfigError:
        what = scrub(str(told["what"]), self._secrets)[:400]
        if told["package"]:
            return OdsConfigError(
                f"this database needs dlt and its driver: {told['package']} is missing",
                where=self._target.label,
                advice=f"Run: pip install 'ods-provider[dlt]' '{package_of(self._target.kind)}'",
            )
        if told["config"]:
            return OdsConfigError(what, where=self._target.label, advice=told["advice"])
        known = meaning(str(told["code"] or ""))
        passes = known.transient or bool(told["transient"]) or (known is UNKNOWN and told["kind"] in _PASSES)
        advice = known.advice if known is not UNKNOWN else "Run it again" if passes else "Mend what the database says"
        said = f"{known.what}: " + (what if known is not UNKNOWN else f"{told['kind']}: {what}")
        return (OdsTableBusy if passes else OdsTableError)(said, where=self._target.label, advice=advice)


def _texts(target: Target) -> list[str]:
    from urllib.parse import unquote, urlsplit

    password = urlsplit(target.url.reveal()).password or ""
    return [target.url.reveal(), unquote(password), *(secret.reveal() for secret in target.secrets.values())]
