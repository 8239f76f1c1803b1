"""The one way out for messages over HTTP: to public addresses, and internal ones that are allowed.

A host is looked up once, every address found is checked, and the connection goes to the checked
address, so that a name cannot lead elsewhere in between. Redirects are not followed. Public
receivers are reached by HTTPS on its own port only; receivers in TALLYMAN_ALLOWED_NETWORKS by
HTTP, too, and on any port. Proxies of the environment are not used: they would look hosts up
themselves.
"""

import contextlib
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx
from django.conf import settings
from django.core.exceptions import ValidationError
from drawbridge import (
    BlockedAddressError,
    DrawbridgeDNSError,
    DrawbridgeError,
    DrawbridgeResponse,
    Policy,
    SyncClient,
)

from budgets.channels.parcels import SENT, Tried, failed, refused
from budgets.models import Delivery
from usage.answers import quoted, seconds_asked

TOTAL_SECONDS = 20.0
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_LONGEST_ADDRESS = 2_000
_LARGEST_ANSWER = 64 * 1024
_ENOUGH = 640
"""Bytes of an answer that more is never quoted from."""
_HTTPS_PORT = 443
_EVERYTHING = frozenset((ip_network("0.0.0.0/0"), ip_network("::/0")))
# What counts as global and is not: services of clouds, IPv6 forms of IPv4 addresses, and what
# was private before fc00::/7.
_ALSO_INTERNAL = frozenset(
    map(
        ip_network,
        (
            "168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "::/96", "64:ff9b::/96",
            "64:ff9b:1::/48", "::ffff:0:0:0/96", "2001::/23", "2002::/16", "fec0::/10",
        ),
    )
)  # fmt: skip
_NOT_ALLOWED = (
    "The host leads to {}, which is internal, or is not reached by https:// on its own port; only"
    " networks in TALLYMAN_ALLOWED_NETWORKS may be."
)
_LATER = frozenset((408, 425, 429))


def check_address(url: str) -> str:
    """The URL, once nothing is wrong with it that can be seen without looking its host up.

    Raises ValidationError, which does not repeat the URL.
    """
    try:
        parts = httpx.URL(url)
        host = parts.raw_host.decode("ascii").lower().rstrip(".")
    except (httpx.InvalidURL, UnicodeError, TypeError):
        raise ValidationError("This is not a URL.") from None
    if len(url) > _LONGEST_ADDRESS or re.search(r"[\s\\\x00-\x1f\x7f]", url):
        raise ValidationError("This is not a URL.")
    if parts.scheme not in ("https", "http"):
        raise ValidationError("It must begin with https://.")
    if not host or parts.userinfo or parts.fragment:
        raise ValidationError("It must name a host, and no user and no fragment.")
    _check_host(host, parts)
    return url


class Outbound:
    """Sends messages one after the other; what it takes to connect is made ready only once."""

    def __init__(self) -> None:
        self._clients: dict[tuple[str, int], SyncClient] = {}

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Tried:
        """Send a body once. Takes at most TOTAL_SECONDS and the time of a look-up (5 s).

        2xx is sent; an address that is not allowed, and a redirect, is refused.
        """
        try:
            parts = httpx.URL(check_address(url))
        except ValidationError as fault:
            return refused(" ".join(fault.messages))
        try:
            with self._sent(parts, body, headers) as answer:
                return _judge(answer)
        except DrawbridgeDNSError:
            return failed("The name of the host was not found.")
        except BlockedAddressError as fault:
            return refused(_NOT_ALLOWED.format(fault.ip))
        except DrawbridgeError as fault:
            return refused(f"{fault}.")
        except httpx.TimeoutException:
            return failed("It did not answer in time.")
        except (httpx.HTTPError, httpx.StreamError, OSError, RuntimeError) as fault:
            return failed(f"The connection failed: {quoted(str(fault)) or type(fault).__name__}.")

    def close(self) -> None:
        """Let go of everything."""
        for key in tuple(self._clients):
            self._cut(key)

    @contextlib.contextmanager
    def _sent(
        self, parts: httpx.URL, body: bytes, headers: Mapping[str, str]
    ) -> Iterator[DrawbridgeResponse]:
        key = (parts.scheme, _port(parts))
        client = self._clients.get(key) or SyncClient(_policy(parts))
        self._clients[key] = client
        # Timeouts are for one read; a receiver that drips must end as well.
        watchdog = threading.Timer(TOTAL_SECONDS, self._cut, (key,))
        watchdog.daemon = True
        watchdog.start()
        sent = {"accept-encoding": "identity", **headers}
        try:
            with client.stream("POST", str(parts), content=body, headers=sent) as answer:
                yield answer
        finally:
            watchdog.cancel()

    def _cut(self, key: tuple[str, int]) -> None:
        if client := self._clients.pop(key, None):
            client.close()


def _policy(parts: httpx.URL) -> Policy:
    port = _port(parts)
    is_public_way = parts.scheme == "https" and port == _HTTPS_PORT
    return Policy(
        allow_ports=frozenset((port,)),
        ip_allowlist=frozenset(settings.TALLYMAN_ALLOWED_NETWORKS),
        ip_blocklist=_ALSO_INTERNAL if is_public_way else _EVERYTHING,
        timeout=_TIMEOUT,
        max_redirects=0,
        user_agent="Tallyman",
    )


def _judge(answer: DrawbridgeResponse) -> Tried:
    code = answer.status_code
    if answer.is_success:
        return SENT._replace(status_code=code)
    if answer.is_redirect or 300 <= code < 400:
        return refused("It redirects elsewhere, which is not followed.")._replace(status_code=code)
    said = _beginning(answer)
    return Tried(
        Delivery.Outcome.FAILED,
        f"It answered {code}{f': {said}' if said else ''}.",
        status_code=code,
        retry_after=seconds_asked(answer.headers.get("retry-after", "")),
        is_gone=code == httpx.codes.GONE,
        is_channel_down=code >= 500 or code in _LATER or code == httpx.codes.GONE,
    )


def _beginning(answer: DrawbridgeResponse) -> str:
    text = b""
    for chunk in answer.iter_raw():
        text += chunk
        if len(text) >= _LARGEST_ANSWER:
            break
    return quoted(text[:_ENOUGH].decode("utf-8", "replace"))


def _check_host(host: str, parts: httpx.URL) -> None:
    address = _literal(host)
    if address is None:
        if host == "localhost" or host.endswith(".localhost"):
            address = ip_address("127.0.0.1")
        elif not re.fullmatch(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", host):
            raise ValidationError("This is not the name of a host.")
    is_public_way = parts.scheme == "https" and _port(parts) == _HTTPS_PORT
    if address is None:
        if not is_public_way and not settings.TALLYMAN_ALLOWED_NETWORKS:
            raise ValidationError("It must begin with https:// and name no other port.")
        return
    if any(address in network for network in settings.TALLYMAN_ALLOWED_NETWORKS):
        return
    if not is_public_way:
        raise ValidationError("It must begin with https:// and name no other port.")
    if not address.is_global or address.is_multicast or _is_also_internal(address):
        raise ValidationError(
            "This address is internal. Networks that may be reached are named in"
            " TALLYMAN_ALLOWED_NETWORKS."
        )


def _is_also_internal(address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in _ALSO_INTERNAL)


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address a host is written as, in the old ways too: 127.1, 0x7f.1, 2130706433."""
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        pass
    else:
        return getattr(address, "ipv4_mapped", None) or address
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _port(parts: httpx.URL) -> int:
    return parts.port or (_HTTPS_PORT if parts.scheme == "https" else 80)
