"""Every error of the package: one tree, each message says what happened, where, and what to do.

::

    OdsError
    ├── OdsConfigError            an argument, a connection or an environment that cannot work
    ├── OdsTransportError         no usable answer came
    │   ├── OdsTimeout            the portal was silent for longer than allowed
    │   ├── OdsTruncated          the answer ended before it was whole
    │   └── OdsUnreachable        none will come as things are set: a certificate, a proxy, a circle of redirects
    ├── OdsResponseError          the portal answered, and the answer is an error
    │   ├── OdsQueryError         400: the query is malformed or out of bounds
    │   ├── OdsAuthError          401, 403, or a login page where data was asked
    │   ├── OdsNotFound           404, 410: no such dataset, record, file or endpoint
    │   ├── OdsNotAPortal         the host answers, but not as a portal
    │   ├── OdsQuotaExceeded      429: calls used up until ``reset_at``
    │   │   └── OdsWaitTooLong    all that may be waited for the portal has been waited
    │   └── OdsServerError        5xx: the portal failed
    ├── OdsIncomplete             rows are missing: a cap, a gate, a count that does not hold
    │   └── OdsMismatch           what came is not what the portal counted, or took: it may settle
    ├── OdsMoved                  the dataset was republished while it was read
    ├── OdsPublicationFailed      the portal could not publish, or what it published is not what was wanted
    ├── OdsPublicationRunning     a publication or a harvest has not ended within the time that was given for it
    ├── OdsColumnsChanged         the fields of a dataset are not the columns of its table
    ├── OdsSinkError              the destination refused or failed
    │   └── OdsTableError         a database did
    │       └── OdsTableBusy      for now: it is locked, or the load was stopped
    └── OdsPluginError            a plugin that supplies something failed
        └── OdsBrokenPlugin       it cannot work: another version's, another type than asked for

``transient`` tells whether the same call may succeed later; Airflow does not retry a task on a final error. It follows
from the class, and where a foreign exception is behind an error, from that ``cause`` (``passes``): no place that raises
decides it by itself. All of them survive pickling, because schedulers carry errors between processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Literal

from ods_provider.core.legible import MOST_CHARS, legible
from ods_provider.core.redact import Secret, scrub

__all__ = [
    "OdsAuthError",
    "OdsBrokenPlugin",
    "OdsColumnsChanged",
    "OdsConfigError",
    "OdsError",
    "OdsIncomplete",
    "OdsMismatch",
    "OdsMoved",
    "OdsNotAPortal",
    "OdsNotFound",
    "OdsPluginError",
    "OdsPublicationFailed",
    "OdsPublicationRunning",
    "OdsQueryError",
    "OdsQuotaExceeded",
    "OdsResponseError",
    "OdsServerError",
    "OdsSinkError",
    "OdsTableBusy",
    "OdsTableError",
    "OdsTimeout",
    "OdsTransportError",
    "OdsTruncated",
    "OdsUnreachable",
    "OdsWaitTooLong",
]

# What no waiting cures, of all that the world outside raises. UnicodeError: a name that this system has no signs for.
_FINAL = (UnicodeError, PermissionError, FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError)
_FINAL_ERRNO = {27, 28, 30, 36, 40, 122}  # file too large, no space, read-only, name too long, links in a circle, quota


class OdsError(Exception):
    """Base of all errors of the package.

    Args:
        what: What happened, one sentence without a final stop. It may quote what others wrote: like the other two it
            ends up legible, on one line, without secrets, and not too long.
        where: The call, file or argument it happened at.
        advice: What the reader can do, one sentence.
        transient: Whether the same call may succeed later; None, which is what we pass ourselves, takes the class's own
            answer, or that of the cause. A plugin that knows better says so.
        cause: The foreign exception behind it, which decides whether it passes; it is not kept.
    """

    transient: bool = False

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        advice: str | None = None,
        transient: bool | None = None,
        cause: BaseException | None = None,
    ) -> None:
        self.what = _said(what).rstrip(". ")
        self.where = _said(where) if where else None
        self.advice = _said(advice).rstrip(". ") if advice else None
        if transient is None and cause is not None:
            transient = passes(cause)
        if transient is not None:
            self.transient = transient
        super().__init__(self._sentence())

    def cut_out(self, secrets: Iterable[Secret]) -> None:
        """Cut secrets out of everything that the error says, in place: an answer may quote the key that it refuses."""
        known = list(secrets)
        for name, value in vars(self).items():
            if isinstance(value, str):
                setattr(self, name, scrub(value, known))
        self.args = (self._sentence(),)

    def reword(self, change: Callable[[str], str], *parts: Literal["what", "where", "advice"]) -> None:
        """Say parts of it in other words, in place: the error stays the one that was raised.

        Args:
            change: Returns a text in the other words.
            parts: Which are changed, where the error has them.
        """
        for part in parts:
            if getattr(self, part):
                setattr(self, part, _said(change(getattr(self, part))).rstrip(". "))
        self.args = (self._sentence(),)

    def _sentence(self) -> str:
        place = f" ({self.where})" if self.where else ""
        return _ended(f"{self.what}{place}") + (f" {_ended(self.advice)}" if self.advice else "")

    def __str__(self) -> str:
        return self._sentence()

    def __reduce__(self) -> tuple[Any, ...]:
        # The default rebuilds from args alone, which loses every keyword argument of a subclass.
        return _rebuild, (type(self), self.args, self.__dict__)


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith("?") else f"{sentence}."


def _said(text: str) -> str:
    # Cut out first: of a key that is cut in half, one half would be seen.
    return legible(scrub(text), most_chars=MOST_CHARS)


def passes(error: BaseException) -> bool:
    """Return whether trying again may help, of any exception.

    Ours say it by their class. Of foreign ones those are final that name what is missing, forbidden or full; of the
    others, such as a store or a vault that timed out, nobody knows: another try is worth it.
    """
    if isinstance(error, OdsError):
        return error.transient
    return not isinstance(error, _FINAL) and getattr(error, "errno", None) not in _FINAL_ERRNO


def _rebuild(cls: type[OdsError], args: tuple[Any, ...], state: dict[str, Any]) -> OdsError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class OdsConfigError(OdsError, ValueError):
    """An argument, a connection or an environment that cannot work, whatever the portal says."""


class OdsTransportError(OdsError):
    """No usable answer came: the host was not reached, refused, or broke off."""

    transient = True


class OdsTimeout(OdsTransportError):
    """The portal was silent for longer than the connect or idle timeout."""


class OdsTruncated(OdsTransportError):
    """The answer ended before it was whole."""


class OdsUnreachable(OdsTransportError):
    """No answer will come as things are set: an untrusted certificate, a proxy's refusal, a circle of redirects."""

    transient = False


class OdsResponseError(OdsError):
    """The portal answered, and the answer is an error.

    Args:
        what: What happened.
        status: HTTP status.
        code: The portal's own code (``error_code`` text or ``errorcode`` number as text), None when it gave none.
        retry_at: When the portal says to come back (aware UTC), None when it did not say.
    """

    def __init__(
        self,
        what: str,
        *,
        status: int,
        code: str | None = None,
        retry_at: datetime | None = None,
        where: str | None = None,
        advice: str | None = None,
        transient: bool | None = None,
        cause: BaseException | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.retry_at = retry_at
        super().__init__(what, where=where, advice=advice, transient=transient, cause=cause)


class OdsQueryError(OdsResponseError):
    """400: the portal refuses the query."""


class OdsAuthError(OdsResponseError):
    """401, 403, or a login page where data was asked."""


class OdsNotFound(OdsResponseError):
    """404 or 410: no such dataset, record, file or endpoint, or none that this key may see."""


class OdsNotAPortal(OdsResponseError):
    """The host answers, but not as an Opendatasoft portal."""


class OdsQuotaExceeded(OdsResponseError):
    """429: the calls of a quota are used up until ``reset_at`` (aware UTC; None when the portal did not say)."""

    transient = True

    @property
    def reset_at(self) -> datetime | None:
        """When the quota returns."""
        return self.retry_at


class OdsWaitTooLong(OdsQuotaExceeded):
    """The portal asks for more waiting than ``max_quota_wait_s`` allows, all waits of one piece of work together."""

    transient = False


class OdsServerError(OdsResponseError):
    """5xx, 408 or 425: the portal failed or asks for patience."""

    transient = True


class OdsIncomplete(OdsError):
    """Rows are missing: a cap was reached, a gate emptied the answer, or a count does not hold."""


class OdsMismatch(OdsIncomplete):
    """What came is not what the portal counted, or took; it may be republishing, or slow, and settle."""

    transient = True


class OdsMoved(OdsError):
    """The dataset was republished while it was read."""

    transient = True


class OdsPublicationFailed(OdsError):
    """The portal could not publish a dataset or harvest, or what it published is not what was wanted."""


class OdsPublicationRunning(OdsError):
    """A publication or a harvest has not ended within the time that was given for it; the portal goes on."""

    transient = True


class OdsSinkError(OdsError):
    """The destination refused or failed."""


class OdsTableError(OdsSinkError):
    """A database refused or failed."""


class OdsTableBusy(OdsTableError):
    """A database refused or failed for now: it is locked or busy, or the load was stopped."""

    transient = True


class OdsColumnsChanged(OdsError):
    """The fields of a dataset are not the columns of the table that it is loaded into, and must not change it."""


class OdsPluginError(OdsError):
    """A plugin that supplies something (a connection, a store, a destination) failed: it may answer the next time."""

    transient = True


class OdsBrokenPlugin(OdsPluginError):
    """A plugin that cannot work: it does not load, wants another version, or gives another type than asked for."""

    transient = False
