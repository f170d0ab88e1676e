"""Prefect masks nothing in its logs: this filter does, for every secret of a connection that was opened here."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from ods_provider.core.redact import Secret, scrub

# Those that people see: run loggers send to Prefect's API, the root one to whatever the process prints to.
_LOGGERS = ("", "prefect", "prefect.flow_runs", "prefect.task_runs")


class _Filter(logging.Filter):
    def __init__(self) -> None:
        super().__init__()
        self.secrets: set[Secret] = set()
        self._formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            said = record.getMessage()
        except Exception:
            # Anybody's line: logging forgives one that does not fit its arguments, so that this must not raise either.
            record.msg, record.args = scrub(_unformatted(record), self.secrets), ()
        else:
            clean = scrub(said, self.secrets)
            if clean != said:
                record.msg, record.args = clean, ()
        if record.exc_info and not record.exc_text:
            # Formatters take the text where it is there already.
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = scrub(record.exc_text, self.secrets)
        return True


def _unformatted(record: logging.LogRecord) -> str:
    try:
        return f"{record.msg!r} {record.args!r}"
    except Exception:  # an object that cannot even be shown
        return "a log line that cannot be formatted"


_filter = _Filter()


def mask(secrets: Iterable[Secret]) -> None:
    """Cut these secrets out of all that Prefect logs from here on."""
    _filter.secrets |= set(secrets)
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        # A logger's own filter does not see what its children send up: the handlers do.
        for place in (logger, *logger.handlers):
            if _filter not in place.filters:
                place.addFilter(_filter)
