"""Ask Tallyman before an AI call whether it may run, and tell it afterwards what the call used.

    with tallyman.reserve(project="web", provider="anthropic", model="claude-sonnet-5",
                          input_tokens=12_000, max_output_tokens=4_000) as held:
        held.settle(client.messages.create(...))

Or only tell it, which takes no time and never fails:

    tallyman.record(client.messages.create(...), project="web", provider="anthropic")

One file for Python 3.9 and newer that needs nothing installed: copy it. Money is Decimal in the
ledger's currency, times are aware, durations are seconds. What `configure()` is not told comes
from TALLYMAN_URL, TALLYMAN_KEY, TALLYMAN_ORGANIZATION and TALLYMAN_FAIL ("open" or "closed").
"""

from __future__ import annotations

import asyncio
import atexit
import gzip
import http.client
import json
import logging
import os
import secrets
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import urlsplit

logger = logging.getLogger("tallyman")

_TRY_AGAIN = (429, 502, 503, 504)
# Different ones, so that clients that failed together do not come back together.
_PAUSES = (0.1, 0.15, 0.2, 0.25, 0.3)
_TOKENS = {"input_tokens", "max_output_tokens"}
_HOLD_ONLY = _TOKENS | {"amount", "reservation_key", "ttl_seconds", "on_expiry"}
_MONEY = ("limit", "spent", "reserved", "overage", "remaining", "amount")
_USED = ("_tokens", "_characters", "_cost", "meters")
_IDS = ("id", "response_id", "responseId")
_USAGE = {"usage", "usageMetadata", "eval_count", "tokens_predicted"}
# Of a whole response only what is counted or chooses a price leaves the process, never its text.
_COUNTED = {"prompt_eval_count", "tokens_evaluated", "total_duration", "model", "modelVersion"}
_COUNTED |= _USAGE | {"service_tier", "serviceTier"}
# As the fields of objects are called whose answers have other names.
_HOLDING_USAGE = {"usage", "usage_metadata"}
_PICKED = _COUNTED | _HOLDING_USAGE | {"model_version", "response"}

_BATCH, _BATCH_BYTES = 500, 4_000_000
_EVERY, _LONGEST_PAUSE, _LONGEST_ASKED = 1.0, 60.0, 3600.0
# How long the end of the process may be held up by events that are still to be told.
_AT_EXIT = 2.0
_READ = (200, 422)


@dataclass(frozen=True)
class Decision:
    """The answer to "may it run": `decision` is "allow", "warn" or "block".

    `estimated_cost` is None where no price is known, `binding` the id of the budget that decided.
    `answered` is False when the server could not be asked and the fail mode decided.
    """

    decision: str
    message: str
    estimated_cost: Decimal | None = None
    retry_at: datetime | None = None
    binding: int | None = None
    budgets: tuple[dict[str, Any], ...] = ()
    answered: bool = True

    @property
    def allowed(self) -> bool:
        """Whether the call may run, be it with a warning."""
        return self.decision != "block"


class TallymanError(Exception):
    """`message` is for people, `response` what the server sent, empty where it sent nothing."""

    def __init__(self, message: str, response: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message, self.response = message, response or {}


class Blocked(TallymanError):
    """A budget forbids the call: `message` can be posted as it is."""

    @property
    def decision(self) -> Decision:
        """Every budget that was tested, the binding one first."""
        return _decision(self.response)

    @property
    def retry_at(self) -> datetime | None:
        """When the binding budget begins anew; None where it never does."""
        return self.decision.retry_at


class Unavailable(TallymanError):
    """The server could not be asked."""


class Refused(TallymanError):
    """The server did not understand or did not permit what was asked; again is no use."""


class Dropped(TallymanError):
    """Recorded events were given up, because the buffer was full or the process ended."""


class Reservation:
    """Money held for one call: settle it with what the call used, or release it.

    `status` is "unanswered", with `id`, `amount` and `expires_at` None, while a call runs that
    the server could not be asked about; `cost` is None until it is settled and priced.
    """

    def __init__(
        self, client: Client, request: dict[str, Any], on_error: str, keep_alive: bool
    ) -> None:
        """Holds nothing yet; `Client.reserve` makes one and holds."""
        self.key: str = request["reservation_key"]
        self.status = "unanswered"
        self.decision = Decision("allow", "", answered=False)
        self.id: str | None = None
        self.amount: Decimal | None = None
        self.cost: Decimal | None = None
        self.expires_at: datetime | None = None
        self._client, self._request = client, request
        self._began = datetime.now(timezone.utc)
        self._on_error, self._keep_alive, self._spent = on_error, keep_alive, False
        self._ended = threading.Event()

    def hold(self) -> None:
        """Ask for the money; asking again finds the same reservation. Raises TallymanError."""
        answer = self._client.ask("reservations/", self._request)
        self.decision = _decision(answer)
        self._read(answer)
        if self._keep_alive and not self._ended.is_set():
            threading.Thread(target=self._extend_until_ended, daemon=True).start()

    def settle(self, usage: object = None, **event: Any) -> Decimal | None:
        """Tell what the call used; returns its cost, None while unpriced or untold.

        `usage` is the provider's usage object or whole response, `event` any field of an event in
        place of the reservation's: `output_tokens=500`, `status="error"`. With neither usage nor
        counts an estimate in tokens stands, until a later settle with usage corrects it.
        """
        body = _told(usage, event)
        if "usage" not in body and not any(name.endswith(_USED) for name in body):
            body["estimated"] = True
        if not self.id:
            body.setdefault("occurred_at", self._began)
        self._spent = True
        self._end("settle", json.loads(_encoded(body)))
        return self.cost

    def settle_estimate(self) -> Decimal | None:
        """Settle at the estimate, for a call whose usage nobody reported."""
        return self.settle()

    async def asettle(self, usage: object = None, **event: Any) -> Decimal | None:
        """`settle` without blocking the event loop."""
        return await asyncio.to_thread(self.settle, usage, **event)

    def release(self) -> None:
        """Give the money back: the call did not run."""
        self._end("release", {})

    def extend(self, ttl: int | None = None) -> None:
        """Hold for `ttl` seconds from now, else as long as at first. Failure is only logged."""
        if not self.id:
            return
        body = {"ttl_seconds": ttl or self._request["ttl_seconds"]}
        try:
            answer = self._client.ask(f"reservations/{self.id}/extend/", body)
            self.expires_at = _instant(answer.get("expires_at"))
        except TallymanError as error:
            if not self._ended.is_set():
                logger.warning("reservation %s is not extended: %s", self.key, error)

    def deliver(self, action: str, body: dict[str, Any]) -> None:
        """Send how the reservation ended. Raises TallymanError.

        A hold that was not answered may exist: before it is settled it is asked for by its key
        once more. What is then blocked is spent already and becomes an event without it.
        """
        if not self.id and action == "settle":
            try:
                self.hold()
            except Blocked:
                answer = self._client.ask("events/", self._event(body))
                self.cost = _money((answer.get("results") or [{}])[0].get("cost"))
        if self.id:
            self._read(self._client.ask(f"reservations/{self.id}/{action}/", body))
        else:
            self.status = "settled" if action == "settle" else "released"

    def __enter__(self) -> Reservation:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self.status not in ("held", "unanswered"):
            return
        if not error and not self._spent:
            logger.warning("reservation %s: its block told nothing of what was used", self.key)
        counts = self._spent or not error or self._on_error == "settle"
        if counts and _TOKENS & self._request.keys():
            self._end("settle", {"estimated": True}, quiet=error is not None)
        else:
            self._end("release", {}, quiet=error is not None)

    def _end(self, action: str, body: dict[str, Any], *, quiet: bool = False) -> None:
        self._ended.set()
        try:
            self.deliver(action, body)
        except TallymanError as error:
            if isinstance(error, Unavailable):
                self.status = "unsent"
                self._client.unsent.append((self, action, body))
            logger.error("%s of reservation %s: %s", action, self.key, error)
            if self._client.fails_closed and not quiet:
                raise

    def _read(self, answer: Mapping[str, Any]) -> None:
        self.id, self.status = answer.get("id", self.id), answer.get("status", self.status)
        self.amount, self.cost = _money(answer.get("amount")), _money(answer.get("cost"))
        self.expires_at = _instant(answer.get("expires_at"))

    def _event(self, body: dict[str, Any]) -> dict[str, Any]:
        call = {name: value for name, value in self._request.items() if name not in _HOLD_ONLY}
        call.update({"event_id": self.key, "occurred_at": self._began, **body})
        if body.get("estimated"):
            call.setdefault("input_tokens", self._request.get("input_tokens", 0))
            call.setdefault("output_tokens", self._request.get("max_output_tokens", 0))
        return call

    def _extend_until_ended(self) -> None:
        while not self._ended.wait(self._request["ttl_seconds"] / 2):
            self.extend()


class Client:
    """How to reach one Tallyman, from any number of threads.

    `unsent` keeps in memory the newest 10,000 ends of reservations that could not be told,
    `outbox` the events that are still to be sent.
    """

    def __init__(self, **settings: Any) -> None:
        """Takes what `configure` takes."""
        self.unsent: deque[tuple[Reservation, str, dict[str, Any]]] = deque(maxlen=10_000)
        self._flushing = threading.Lock()
        self.configure(**settings)
        self.outbox = Outbox(self)
        _clients.add(self)

    def start_anew(self) -> None:
        """Begin a forked process, in which threads do not live on nor give back what they hold."""
        self._flushing = threading.Lock()
        self.outbox.start_anew()

    def configure(
        self, url: str | None = None, key: str | None = None, organization: str | None = None,
        timeout: float = 2.0, fail: Literal["open", "closed"] | None = None, retries: int = 2,
        buffer: int = 10_000, on_error: Callable[[TallymanError], object] | None = None,
    ) -> None:  # fmt: skip
        """Set everything anew; what is None is read from the environment when it is needed.

        `organization` is for keys of the whole site. `timeout` bounds connecting and each wait
        for data; what fails for a moment is tried `retries` times more. At most `buffer` recorded
        events wait; what becomes of those that cannot be told is said to `on_error`: Refused,
        Unavailable or Dropped, mostly from another thread.
        """
        self._settings = {"url": url, "key": key, "organization": organization, "fail": fail}
        self.timeout, self.retries = timeout, retries
        self.buffer, self.on_error = max(1, buffer), on_error

    @property
    def fails_closed(self) -> bool:
        """Whether a call is stopped that nobody can be asked about; so is it by a mistyped mode."""
        return self._setting("fail") not in ("", "open")

    def check(self, **call: object) -> Decision:
        """May such a call run? Holds nothing. Raises Refused where the question is wrong.

        `call` is `amount`, or `input_tokens` and `max_output_tokens`, and what is known of it:
        project, subject, team, provider, model, action, agent_type, session_id, run_id…
        """
        try:
            return _decision(self.ask("budgets/check/", self._question(call)))
        except Unavailable as error:
            return self._unanswered(error)

    def reserve(
        self, *, ttl: int = 300, key: str | None = None, keep_alive: bool = False,
        on_expiry: Literal["release", "settle"] = "release",
        on_error: Literal["release", "settle"] = "release", **call: object,
    ) -> Reservation:  # fmt: skip
        """Hold what a call may cost for `ttl` seconds; `call` is as for `check`.

        `key` names the reservation for a caller that may ask again. Where a `with` block tells
        nothing, its estimate in tokens stands, or after an exception `on_error` says what counts.
        `on_expiry` is for a hold that nobody ends; `keep_alive` extends it until the block ends.
        Raises Blocked, Refused, and Unavailable where the fail mode is "closed".
        """
        request = self._question(call)
        request.update(
            reservation_key=key or secrets.token_hex(16), ttl_seconds=ttl, on_expiry=on_expiry
        )
        held = Reservation(self, request, on_error, keep_alive)
        try:
            held.hold()
        except Unavailable as error:
            held.decision = self._unanswered(error)
            if not held.decision.allowed:
                raise
        if held.status not in ("held", "unanswered"):
            raise Refused(f"The reservation {held.key} is {held.status} already: take a new key.")
        return held

    async def acheck(self, **call: object) -> Decision:
        """`check` without blocking the event loop."""
        return await asyncio.to_thread(self.check, **call)

    @asynccontextmanager
    async def areserve(self, **options: Any) -> AsyncIterator[Reservation]:
        """`reserve` for `async with`; settle with `await held.asettle(…)`."""
        held = await asyncio.to_thread(self.reserve, **options)
        try:
            yield held
        except BaseException as error:
            await asyncio.to_thread(held.__exit__, type(error), error, None)
            raise
        await asyncio.to_thread(held.__exit__, None, None, None)

    def record(self, usage: object = None, **event: Any) -> str:
        """Tell of a call that ran, soon and from another thread; returns the event's id.

        `usage` is the provider's usage object or whole response, `event` any field of an event:
        provider, model (else the response's own), project, subject, session_id, status, tags,
        or counts such as `output_tokens=500`. The id is the response's, else a new one, and the
        call occurred now, unless `event` says otherwise. Never blocks and never raises: what is
        wrong is logged and said to `on_error`.
        """
        name = ""
        try:
            told = _told(usage, event)
            counted = told.get("usage", {})
            name = str(told.get("event_id") or _response_id(usage) or secrets.token_hex(16))
            called = {
                "model": counted.get("model") or counted.get("modelVersion"),
                "occurred_at": datetime.now(timezone.utc).isoformat(),
            }
            self.outbox.put(_event_bytes(self._question({**called, **told, "event_id": name})))
        except Exception as error:
            logger.exception("Event %s is not recorded", name)
            self.report(Refused(f"Event {name} is not recorded: {error}"), quiet=True)
        return name

    def report(self, error: TallymanError, *, quiet: bool = False) -> None:
        """Say what became of recorded events to the log, unless `quiet`, and to `on_error`."""
        if not quiet:
            logger.warning("%s", error.message)
        if self.on_error:
            try:
                self.on_error(error)
            except Exception:
                logger.exception("on_error failed")

    def flush(self, timeout: float = 10.0) -> int:
        """Tell now what is still to be told; returns how many were taken. Raises nothing.

        First the ends of reservations, up to the first that still cannot be told; one that the
        server refuses is logged and dropped. Then recorded events, for `timeout` seconds at most.
        """
        return self._flush_ends() + self.outbox.flush(timeout)

    def _flush_ends(self) -> int:
        told = 0
        with self._flushing:
            while self.unsent:
                held, action, body = self.unsent.popleft()
                try:
                    held.deliver(action, body)
                    told += 1
                except Unavailable:
                    self.unsent.appendleft((held, action, body))
                    break
                except TallymanError as error:
                    logger.error("%s of reservation %s: %s", action, held.key, error)
        return told

    def ask(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST `body` below /api/v1/, again after a failure of a moment. Raises TallymanError."""
        url, key = self.address()
        content, trouble, wait = _encoded(body), "", ""
        for attempt in range(self.retries + 1):
            pause = float(wait) if wait.isdecimal() else attempt * secrets.choice(_PAUSES)
            if pause > self.timeout:
                break
            time.sleep(pause)
            try:
                status, answer, wait = _post(f"{url}/api/v1/{path}", key, content, self.timeout)
            except _LOST as error:
                trouble, wait = f"{type(error).__name__}: {error}", ""
            else:
                if status not in _TRY_AGAIN:
                    return _accepted(status, answer)
                trouble = f"HTTP {status}"
        raise Unavailable(f"Tallyman could not be asked ({trouble}).")

    def address(self) -> tuple[str, str]:
        """The site's URL without its last slash, and the key. Raises ValueError without them."""
        url, key = self._setting("url").rstrip("/"), self._setting("key")
        if not url.startswith(("http://", "https://")) or not key:
            raise ValueError("Set TALLYMAN_URL (http or https) and TALLYMAN_KEY, or configure().")
        return url, key

    def _setting(self, name: str) -> str:
        given = self._settings[name]
        return (os.environ.get(f"TALLYMAN_{name.upper()}", "") if given is None else given).strip()

    def _question(self, call: Mapping[str, object]) -> dict[str, Any]:
        asked = {"organization": self._setting("organization") or None, **call}
        return {name: value for name, value in asked.items() if value is not None}

    def _unanswered(self, error: Unavailable) -> Decision:
        if self.fails_closed:
            return Decision("block", f"{error} Nothing runs unasked.", answered=False)
        logger.warning("%s The call runs unasked.", error)
        return Decision("allow", f"{error} The call runs unasked.", answered=False)


class Outbox:
    """Recorded events on their way, the oldest first; a thread of its own sends them in batches.

    What is told again after a lost answer has the same id and the same words, so it counts once.
    `told` counts the events that the server has taken, `given_up` those that were dropped.
    """

    def __init__(self, client: Client) -> None:
        """Holds nothing yet, and no thread runs before the first event."""
        self._client = client
        self.start_anew()

    def start_anew(self) -> None:
        """Hold nothing; what a process recorded before it forked, it sends itself."""
        self.told = self.given_up = 0
        self._waiting: deque[bytes] = deque()
        self._batch: list[bytes] = []
        self._most = _BATCH
        # A signal may interrupt whoever counts, and record something itself.
        self._counting = threading.Condition(threading.RLock())
        self._sending = threading.Lock()
        self._thread: threading.Thread | None = None
        self._connection: http.client.HTTPConnection | None = None
        self._connected: tuple[str, float] | None = None
        self._untold, self._is_down = 0, False

    def __len__(self) -> int:
        return len(self._waiting) + len(self._batch)

    def put(self, event: bytes) -> None:
        """Add an event; of a full buffer the oldest gives way."""
        with self._counting:
            self._waiting.append(event)
            if len(self._waiting) > self._client.buffer:
                self._waiting.popleft()
                self._untold += 1
            if self._thread is None:
                self._start()
            if len(self._waiting) in (1, _BATCH):
                self._counting.notify()

    def flush(self, timeout: float) -> int:
        """Send what there is, for `timeout` seconds at most; how many events were taken."""
        before, until = self.told, time.monotonic() + timeout
        while self and (left := until - time.monotonic()) > 0:
            if self._sending.acquire(timeout=left):
                try:
                    asked = self._send_all(until)
                finally:
                    self._sending.release()
                if asked is not None:
                    time.sleep(min(max(asked, 0.1), max(0.0, until - time.monotonic())))
        return self.told - before

    def finish(self) -> None:
        """What the end of the process does: tell what can be told, and say what cannot."""
        # Nothing bounds how long names of hosts are looked up, so another thread waits for that.
        sender = threading.Thread(target=self.flush, args=(_AT_EXIT,), daemon=True)
        try:
            sender.start()
        except RuntimeError:
            # From Python 3.12 on no thread begins at the end.
            self.flush(_AT_EXIT)
        else:
            sender.join(_AT_EXIT + min(_AT_EXIT, self._client.timeout))
        self._untold += len(self)
        self._waiting.clear()
        self._batch = []
        self._say_given_up("the process ended")

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="tallyman", daemon=True)
        atexit.register(self.finish)
        # A process made by multiprocessing ends without atexit.
        if processes := sys.modules.get("multiprocessing.util"):
            processes.Finalize(self, self.finish, exitpriority=10)
        try:
            self._thread.start()
        except RuntimeError as error:
            logger.warning("No thread sends events, only flush does: %s", error)

    def _run(self) -> None:
        while True:
            self._await_some()
            failures = 0
            while (asked := self._try_all()) is not None:
                pause = min(2.0**failures, _LONGEST_PAUSE) * (0.5 + secrets.randbelow(100) / 100)
                time.sleep(max(pause, asked))
                failures = min(failures + 1, 10)

    def _await_some(self) -> None:
        with self._counting:
            while not self:
                self._counting.wait()
            until = time.monotonic() + _EVERY
            while len(self._waiting) < _BATCH and (left := until - time.monotonic()) > 0:
                self._counting.wait(left)

    def _try_all(self) -> float | None:
        try:
            with self._sending:
                return self._send_all()
        except Exception:
            logger.exception("Events wait")
            return _LONGEST_PAUSE

    def _send_all(self, until: float | None = None) -> float | None:
        """None once nothing waits, else the seconds that the server asks to be left alone."""
        while self._take():
            asked = self._send_batch()
            self._say_given_up("the buffer is full")
            if asked is not None or (until and time.monotonic() > until):
                return asked or 0.0
        return None

    def _take(self) -> list[bytes]:
        size = sum(map(len, self._batch))
        with self._counting:
            while self._waiting and len(self._batch) < self._most and size < _BATCH_BYTES:
                self._batch.append(self._waiting.popleft())
                size += len(self._batch[-1])
        return self._batch

    def _send_batch(self) -> float | None:
        try:
            status, answer, wait = self._post(b"[%s]" % b",".join(self._batch))
        except (*_LOST, ValueError) as error:
            return self._wait(f"{type(error).__name__}: {error}", "")
        known = _known(answer)
        # A 400 that names no fault is about a host or a proxy that is set wrong, not the events.
        unreadable = status == 413 or (status == 400 and bool(known.get("errors")))
        if status in _READ and "results" in known:
            self._read(known["results"])
        elif unreadable and len(self._batch) > 1:
            self._halve()
        elif unreadable:
            name = json.loads(self._batch.pop())["event_id"]
            self._client.report(Refused(f"Event {name} is refused: {_why(status, known)}", known))
        else:
            return self._wait(_why(status, known), wait)
        self._is_down = False
        return None

    def _post(self, content: bytes) -> tuple[int, bytes, str]:
        url, key = self._client.address()
        headers = {**_headers(key), "Content-Encoding": "gzip"}
        address = (url, self._client.timeout)
        if self._connection is None or self._connected != address:
            if self._connection:
                self._connection.close()
            self._connection, self._connected = _connection(*address), address
        connection = self._connection
        path, packed = f"{urlsplit(url).path}/api/v1/events/", gzip.compress(content, 3)
        was_open = connection.sock is not None
        try:
            return _exchange(connection, path, packed, headers)
        except _LOST:
            connection.close()
            if not was_open:
                raise
        # A server closes what it has not heard from for a while.
        try:
            return _exchange(connection, path, packed, headers)
        except _LOST:
            connection.close()
            raise

    def _read(self, results: list[dict[str, Any]]) -> None:
        refused = [each for each in results if each.get("status") in ("rejected", "conflict")]
        for position, receipt in enumerate(refused):
            faults = [f"{each['field']}: {each['message']}" for each in receipt.get("errors", ())]
            reason = " ".join(faults) or "its id is taken by an event that says otherwise."
            more = f" {len(refused) - 1} more were refused." if len(refused) > 1 else ""
            error = Refused(f"Event {receipt.get('event_id')} is refused: {reason}{more}", receipt)
            self._client.report(error, quiet=position > 0)
        self.told += len(self._batch) - len(refused)
        self._batch = []
        self._most = _BATCH

    def _halve(self) -> None:
        """Whatever cannot be read together is sent apart, until the one at fault is alone."""
        self._most = len(self._batch) // 2
        with self._counting:
            self._waiting.extendleft(reversed(self._batch[self._most :]))
        self._batch = self._batch[: self._most]

    def _wait(self, trouble: str, asked: str) -> float:
        if not self._is_down:
            self._is_down = True
            self._client.report(Unavailable(f"{len(self)} events wait to be told ({trouble})."))
        return min(float(asked), _LONGEST_ASKED) if asked.isdecimal() else 0.0

    def _say_given_up(self, reason: str) -> None:
        with self._counting:
            count, self._untold = self._untold, 0
        if count:
            self.given_up += count
            message = f"{count} events are given up: {reason}."
            self._client.report(Dropped(message, {"events": count}))


_clients: weakref.WeakSet[Client] = weakref.WeakSet()
_LOST = (OSError, http.client.HTTPException)


def _start_anew() -> None:
    for each in list(_clients):
        each.start_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)


def _post(url: str, key: str, content: bytes, timeout: float) -> tuple[int, bytes, str]:
    connection = _connection(url, timeout)
    try:
        return _exchange(connection, urlsplit(url).path, content, _headers(key))
    finally:
        connection.close()


def _connection(url: str, timeout: float) -> http.client.HTTPConnection:
    where = urlsplit(url)
    secure = where.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    return kind(where.netloc, timeout=timeout)


def _headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}


def _exchange(
    connection: http.client.HTTPConnection, path: str, content: bytes, headers: dict[str, str]
) -> tuple[int, bytes, str]:
    # http.client follows no redirect, which would turn a POST into a GET that tells nothing.
    connection.request("POST", path, content, headers)
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.getheader("Retry-After", "")


def _known(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content, parse_float=Decimal)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _why(status: int, known: Mapping[str, Any]) -> str:
    return str(known.get("message") or known.get("detail") or f"HTTP {status} without reason")


def _accepted(status: int, content: bytes) -> dict[str, Any]:
    known = _known(content)
    if known and status < 300:
        return known
    message = _why(status, known)
    if status == 402:
        raise Blocked(message, known)
    if status >= 500 or status < 300:
        raise Unavailable(f"Tallyman could not be asked ({message}).", known)
    faults = [f"{fault.get('field')}: {fault.get('message')}" for fault in known.get("errors", ())]
    raise Refused(" ".join((message, *faults)), known)


def _decision(answer: Mapping[str, Any]) -> Decision:
    return Decision(
        # A reservation that is found again was admitted, and does not say so a second time.
        answer.get("decision", "block") or "allow",
        answer.get("message", ""),
        _money(answer.get("estimated_cost")),
        _instant(answer.get("retry_at")),
        answer.get("binding"),
        tuple(
            {
                **budget,
                **{name: _money(budget.get(name)) for name in _MONEY},
                **{name: _instant(budget.get(name)) for name in ("start", "end")},
            }
            for budget in answer.get("budgets", ())
        ),
    )


def _money(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


def _counted(usage: object) -> dict[str, Any]:
    found = usage if isinstance(usage, Mapping) else _picked(usage)
    for wrapper in ("response", "usage_metadata"):
        if isinstance(found, Mapping) and isinstance(found.get(wrapper), Mapping):
            found = found[wrapper]
    if not isinstance(found, Mapping):
        return {}
    told = {name: value for name, value in found.items() if value is not None}
    if _USAGE.isdisjoint(found):
        return told
    return {} if _USAGE.isdisjoint(told) else {name: told[name] for name in _COUNTED & told.keys()}


def _told(usage: object, event: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in event.items() if value is not None}
    counted = _counted(usage)
    return {**told, "usage": counted} if counted else told


def _response_id(usage: object) -> str:
    """The provider's own id of a call, by which others that tell of the call name it too."""
    response = usage if isinstance(usage, Mapping) else getattr(usage, "__dict__", {})
    name = next((response[each] for each in _IDS if response.get(each)), "")
    # Some servers of local models count to a thousand instead.
    return name if isinstance(name, str) and 20 <= len(name) <= 128 else ""


def _picked(usage: object) -> Any:
    """What of a provider's object may be counted, without turning a long text inside out."""
    if usage is None:
        return None
    if hasattr(usage, "model_dump") and not _HOLDING_USAGE.isdisjoint(vars(usage)):
        return usage.model_dump(by_alias=True, include=_PICKED)
    return _plain(usage)


def _encoded(body: object) -> bytes:
    return json.dumps(body, default=_plain).encode()


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(by_alias=True)
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "__dict__"):
        return {name: item for name, item in vars(value).items() if not name.startswith("_")}
    return str(value)


# What is no number, and half a character, would make a whole batch unreadable.
_event_text = json.JSONEncoder(default=_plain, allow_nan=False, ensure_ascii=False).encode


def _event_bytes(event: Mapping[str, Any]) -> bytes:
    return _event_text(event).encode()


client = Client()
configure = client.configure
check = client.check
reserve = client.reserve
record = client.record
flush = client.flush
acheck = client.acheck
areserve = client.areserve
