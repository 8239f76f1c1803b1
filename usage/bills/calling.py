"""Asking providers for reports over HTTP: bounded in time, size and tries; all failures BillFaults.

Redirects are not followed, so that a key goes only to the address that is set.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType

import httpx
from django.template.defaultfilters import pluralize

from usage.answers import quoted, seconds_asked
from usage.bills.values import BillFault

MOST_TRIES = 5
"""How often one page is asked for while the provider is busy or out of order."""
MAX_BYTES = 32 * 1024 * 1024
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_FIRST_WAIT = 1.0
_AGAIN = frozenset((408, 425, 429, 500, 502, 503, 504, 529))
_ENOUGH = 640
_LONGEST_WORD = 12
_REFUSED = (401, 403)


@dataclass(slots=True)
class Patience:
    """How long it may take: waiting ends, and nothing is asked for, after `deadline`."""

    deadline: float
    sleep: Callable[[float], None] = field(default=time.sleep)

    @classmethod
    def of(cls, seconds: float) -> "Patience":
        """From now on."""
        return cls(time.monotonic() + seconds)

    @property
    def left(self) -> float:
        """Seconds that are left; none or fewer: it is over."""
        return self.deadline - time.monotonic()


class Caller:
    """Asks one provider, one page after the other."""

    def __init__(self, base: str, headers: Mapping[str, str], patience: Patience) -> None:
        self._base, self._patience = base, patience
        words = (word for text in headers.values() for word in text.split())
        self._secrets = [word for word in words if len(word) > _LONGEST_WORD]
        self._client = httpx.Client(timeout=_TIMEOUT, follow_redirects=False, headers=headers)

    def __enter__(self) -> "Caller":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def get(self, path: str, parameters: Sequence[tuple[str, str]]) -> bytes:
        """The answer's body. Busy providers are asked again, when they say or ever later."""
        wait = _FIRST_WAIT
        for attempt in range(1, MOST_TRIES + 1):
            found, fault, asked = self._try(path, parameters)
            if found is not None:
                return found
            pause = max(asked, wait)
            if attempt == MOST_TRIES or pause > self._patience.left:
                break
            self._patience.sleep(pause)
            wait *= 2
        raise BillFault(f"{fault} Tried {attempt} time{pluralize(attempt)}.")

    def _try(
        self, path: str, parameters: Sequence[tuple[str, str]]
    ) -> tuple[bytes | None, str, float]:
        """The body, or what was wrong and the seconds that the provider asks to wait."""
        url = f"{self._base}{path}"
        host = httpx.URL(url).host
        try:
            with self._client.stream("GET", url, params=list(parameters)) as answer:
                if answer.is_success:
                    return self._body(host, answer), "", 0
                return None, *self._refused(host, answer)
        except httpx.TimeoutException:
            return None, f"{host} did not answer in time.", 0
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            said = quoted(self._without_key(str(error))) or type(error).__name__
            return None, f"{host} cannot be reached: {said}.", 0

    def _body(self, host: str, answer: httpx.Response) -> bytes:
        body = bytearray()
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > MAX_BYTES:
                raise BillFault(f"{host} sent more than {MAX_BYTES:,} bytes.")
            if self._patience.left < 0:
                raise BillFault(f"{host} took too long to send its report.")
        return bytes(body)

    def _refused(self, host: str, answer: httpx.Response) -> tuple[str, float]:
        """What a busy provider says; BillFault where asking again is of no use."""
        code = answer.status_code
        if code in _AGAIN:
            return f"{host} answered {code}.", seconds_asked(answer.headers.get("retry-after", ""))
        if code in _REFUSED:
            # What is said then may quote the key.
            raise BillFault(f"{host} does not accept the key (it answered {code}).")
        if answer.is_redirect:
            raise BillFault(f"{host} redirects elsewhere ({code}), which is not followed.")
        said = quoted(self._without_key(_beginning(answer)))
        raise BillFault(f"{host} answered {code}: {said}.")

    def _without_key(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text


def _beginning(answer: httpx.Response) -> str:
    said = bytearray()
    for chunk in answer.iter_bytes():
        said += chunk
        if len(said) >= _ENOUGH:
            break
    return said[:_ENOUGH].decode("utf-8", "replace")
