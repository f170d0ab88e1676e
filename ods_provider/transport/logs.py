"""Keep keys out of urllib3's own log lines, which print the path with its query, and headers that it cannot read."""

from __future__ import annotations

import logging

from ods_provider.core.redact import scrub

_UNREAD = "Failed to parse headers"


class _Scrub(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if str(record.msg).startswith(_UNREAD):
            # What could not be read is quoted, and again in the traceback: a portal may repeat the key in it.
            record.msg, record.args, record.exc_info = f"{_UNREAD} of an answer; it is read without them", (), None
        if record.args:
            record.msg, record.args = record.getMessage(), ()
        record.msg = scrub(str(record.msg))
        return True


_FILTER = _Scrub()


def guard_logs() -> None:
    """Put the filter on urllib3's loggers; calling it again changes nothing."""
    for name in ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry", "urllib3.response", "requests"):
        logging.getLogger(name).addFilter(_FILTER)
