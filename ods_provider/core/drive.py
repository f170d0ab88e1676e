"""Run a plan over a transport: the only loop, for threads and for event loops, which share every decision."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Protocol, TypeVar

from ods_provider.core.bodies import Refetched, broke_off, decoded, expect_begun
from ods_provider.core.errors import OdsError, OdsNotAPortal, OdsQuotaExceeded
from ods_provider.core.events import Emit, QuotaSeen, RequestSent, ignore
from ods_provider.core.faces import PLAIN, Face, setting
from ods_provider.core.forgetting import forgets
from ods_provider.core.quota import QuotaBook
from ods_provider.core.retry import RetryRules, aretrying, retrying, worth_retrying
from ods_provider.core.segments import half_a_character
from ods_provider.core.times import utc_now
from ods_provider.core.verdict import check
from ods_provider.core.wire import ByteStream, Plan, Request, Response

T = TypeVar("T")
_SAID_CHARS = 500
log = logging.getLogger(__name__)


class Transport(Protocol):
    """What sends: one method. It never retries and never parses."""

    def send(self, request: Request) -> Response:
        """Send and return the answer, whatever its status.

        Raises:
            OdsTransportError: No answer came.
        """
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything a driver needs besides the plan.

    Attributes:
        portal: Name of the portal; calls that are made from an event loop share their threads with its others only.
        face: How the connection's settings are called in errors.
    """

    transport: Transport
    rules: RetryRules = field(default_factory=RetryRules)
    quota: QuotaBook = field(default_factory=QuotaBook)
    emit: Emit = ignore
    now: Callable[[], datetime] = utc_now
    sleep: Callable[[float], None] = time.sleep
    asleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    warned: set[str] = field(default_factory=set)
    portal: str = ""
    face: Face = PLAIN


def drive(plan: Plan[T], terms: Terms) -> T:
    """Run ``plan`` to its end in this thread and return its result.

    Raises:
        OdsError: What a request ended with after its retries, unless the plan handles it.
    """
    exchange = _Exchange(terms)
    loop = retrying(terms.rules, now=terms.now, sleep=terms.sleep, emit=terms.emit, worth=exchange.worth)
    try:
        request = _begun(plan)
        while True:
            try:
                if request.after_s > 0:
                    terms.sleep(request.after_s)
                came: list[Response] = [loop.copy()(exchange, request)]
            except OdsError as error:
                request = plan.throw(error)
            else:
                # Handed over and not kept: an answer may repeat a key, and this frame outlives an error.
                request = _answered(plan, came.pop())
    except StopIteration as end:
        result: T = end.value
        return result


async def adrive(plan: Plan[T], terms: Terms) -> T:
    """Run ``plan`` to its end without blocking the event loop; as ``drive`` otherwise."""
    exchange = _Exchange(terms)
    policy = aretrying(terms.rules, now=terms.now, sleep=terms.asleep, emit=terms.emit, worth=exchange.worth)

    async def in_thread(request: Request) -> Response:
        return await asyncio.get_running_loop().run_in_executor(_threads(terms.portal), exchange, request)

    try:
        request = _begun(plan)
        while True:
            try:
                if request.after_s > 0:
                    await terms.asleep(request.after_s)
                came: list[Response] = [await policy.copy()(in_thread, request)]
            except OdsError as error:
                request = plan.throw(error)
            else:
                request = _answered(plan, came.pop())
    except StopIteration as end:
        result: T = end.value
        return result


def _begun(plan: Plan[T]) -> Request:
    """Return what the plan asks first.

    Raises:
        OdsConfigError: A text of the caller's cannot be written into a request.
    """
    try:
        return next(plan)
    except UnicodeEncodeError:
        raise half_a_character() from None


@forgets
def _answered(plan: Plan[T], response: Response) -> Request:
    """Give the plan its answer and return what it asks next.

    Raises:
        OdsNotAPortal: The plan stumbled over an answer of another shape. Something else answers on this host, or a
            portal changed: neither is worth a check in front of every field that a plan reads.
    """
    try:
        return plan.send(response)
    except OdsError as error:
        error.cut_out(response.secrets)
        raise
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        # In place of the foreign error, which holds the answer: where it stumbled, without what it read.
        log.debug("A plan stumbled over its answer:\n%s", "".join(traceback.format_tb(error.__traceback__)))
        said = response.quoted(str(error), most_chars=100)
        raise OdsNotAPortal(
            f"The answer is not shaped like a portal's ({type(error).__name__}: {said})",
            status=response.status,
            where=response.url,
            advice=f"Check {setting('host')}; some portals only imitate the API",
        ) from None


@cache
def _threads(portal: str) -> ThreadPoolExecutor:
    # Our own and bounded: the default executor is shared with everything else that runs in a triggerer. One for each
    # portal: looks at one that is silent hold their threads until the timeout, and must not keep the others waiting.
    return ThreadPoolExecutor(max_workers=8, thread_name_prefix="ods-portal")


class _Exchange:
    """One request, one answer, judged and read: the part that both drivers repeat."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._reading = self._once = False

    @forgets
    def __call__(self, request: Request) -> Response:
        """Return the answer: read, where the request says how; a stream that nobody read yet heals itself."""
        self._reading, self._once = False, request.once
        with self._terms.face.speaking():  # here already: of what is tried again, people hear as well
            return self._asked(request)

    def _asked(self, request: Request) -> Response:
        response = self._ask(request)
        if request.read is not None:
            self._reading = True
            return self._read(request.read, response)
        if response.stream is None:
            return response

        def ask() -> ByteStream:
            stream = self._ask(request).stream
            assert stream is not None  # as the first answer had one
            return stream

        return replace(response, stream=Refetched(response, ask, self._again))

    def worth(self, error: BaseException) -> bool:
        """Return whether ``error``, which the exchange raised, is worth another one."""
        if self._once and not isinstance(error, OdsQuotaExceeded):
            return False  # the portal may have done it: the plan looks
        return broke_off(error) if self._reading else worth_retrying(error)

    def _again(self, once: Callable[[], bytes], tries: int) -> bytes:
        """Run ``once`` under the rules of a request that used up so many tries."""
        terms = self._terms
        rules = replace(terms.rules, max_retries=max(0, terms.rules.max_retries - tries))

        def spoken() -> bytes:
            with terms.face.speaking():
                return once()

        return retrying(rules, now=terms.now, sleep=terms.sleep, emit=terms.emit, worth=broke_off)(spoken)

    @staticmethod
    def _read(read: Callable[[Response], object], response: Response) -> Response:
        try:
            return replace(response, content=read(response), stream=None)
        except OdsError as error:
            error.cut_out(response.secrets)
            raise
        finally:
            if response.stream is not None:
                response.stream.close()

    def _ask(self, request: Request) -> Response:
        terms = self._terms
        started = time.monotonic()
        response = terms.transport.send(request)
        wait_s = time.monotonic() - started
        terms.emit(RequestSent(request.method, response.url, response.status, wait_s, request.kind, request.dataset_id))
        # Before the verdict: a refusal may carry the quota too (Q30).
        if terms.quota.observe(response.headers, request.dataset_id, now=terms.now()):
            quota = terms.quota.tightest(request.dataset_id)
            if quota:
                terms.emit(QuotaSeen(request.dataset_id, quota))
        self._warn(response)
        try:
            expect_begun(request, response)
            check(request, response, now=terms.now())
            return decoded(request, response)
        except OdsError as error:
            error.cut_out(response.secrets)
            if response.stream:
                response.stream.close()
            if isinstance(error, OdsQuotaExceeded) and error.retry_at is None:
                error.retry_at = terms.quota.reset_when_spent(request.dataset_id)
            raise

    def _warn(self, response: Response) -> None:
        """Log what the portal says of the API's end, once per client (Q46)."""
        link = response.headers.get("link", "")
        said = response.headers.get("ods-explore-api-deprecation") or (link if 'rel="deprecation"' in link else None)
        if said is None or said in self._terms.warned:
            return
        self._terms.warned.add(said)
        what = response.quoted(f"{said} {link}", most_chars=_SAID_CHARS)
        log.warning("The portal says that this API is deprecated: %s (%s)", what, response.url)
