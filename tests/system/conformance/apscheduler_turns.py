"""One process of APScheduler that does a work of the suite to its end, with one thread; run by ``test_apscheduler``."""

import json
import logging
import signal
import sys
import threading
from pathlib import Path

import ods_apscheduler
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from ods_provider.conformance.work import Work
from ods_provider.core.outcome import Done


def main() -> int:
    logging.basicConfig(level=logging.DEBUG)
    work = Work.from_json(Path(sys.argv[1]).read_text())
    over, ends = threading.Event(), []

    def heard(event):
        if event.exception is not None or isinstance(event.retval, Done):
            ends.append(event)
            over.set()

    scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(1)})
    scheduler.add_listener(heard, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    signal.signal(signal.SIGTERM, lambda *_: ods_apscheduler.stop())
    ods_apscheduler.use(scheduler)
    ods_apscheduler.add(work.name, work.job, connection="city", **work.arguments)
    scheduler.start()
    while not over.wait(0.1):
        pass
    if ends[0].exception is not None:
        return 143 if isinstance(ends[0].exception, SystemExit) else 1
    print(json.dumps(ends[0].retval.result))
    assert not scheduler.get_jobs()
    return 0


if __name__ == "__main__":
    sys.exit(main())
