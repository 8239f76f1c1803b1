"""Fetching price lists over the network: bounded in time and size, every failure a SourceFault."""

import json
import time
from urllib.parse import urlsplit

import httpx2
from genai_prices import UpdatePrices
from genai_prices.data_snapshot import DataSnapshot

from pricing.catalogue.listing import SourceFault

TIMEOUT = httpx2.Timeout(timeout=10, connect=5)
DEADLINE = 15.0
"""Seconds that a download by our own hand may take in all."""

MAX_BYTES = 32 * 1024 * 1024


def fetch_snapshot(url: str | None) -> DataSnapshot:
    """The newest prices of genai-prices, fetched as the package does; None is its own address.

    The package's global snapshot stays as it is. Raises SourceFault.
    """
    updater = UpdatePrices(request_timeout=TIMEOUT)
    if url is not None:
        updater.url = url
    try:
        snapshot = updater.fetch()
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise SourceFault(_network_fault(updater.url, error)) from error
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise SourceFault(_data_fault(updater.url, error)) from error
    if snapshot is None or not snapshot.providers:
        raise SourceFault(f"{_host(updater.url)} lists no prices")
    return snapshot


def fetch_json(url: str) -> object:
    """The JSON document at `url`, its fractions as they are written. Raises SourceFault."""
    try:
        document: object = json.loads(_download(url), parse_float=str)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise SourceFault(_network_fault(url, error)) from error
    except (ValueError, RecursionError) as error:
        raise SourceFault(_data_fault(url, error)) from error
    return document


def _download(url: str) -> bytes:
    deadline = time.monotonic() + DEADLINE
    received = bytearray()
    with httpx2.stream("GET", url, timeout=TIMEOUT) as response:
        response.raise_for_status()
        for chunk in response.iter_bytes():
            received += chunk
            if len(received) > MAX_BYTES:
                raise SourceFault(f"{_host(url)} sent more than {MAX_BYTES:,} bytes")
            if time.monotonic() > deadline:
                raise SourceFault(f"{_host(url)} took longer than {DEADLINE:g} seconds")
    return bytes(received)


def _network_fault(url: str, error: Exception) -> str:
    if isinstance(error, httpx2.HTTPStatusError):
        return f"{_host(url)} answered {error.response.status_code}"
    if isinstance(error, httpx2.TimeoutException):
        return f"{_host(url)} did not answer in time"
    return f"{_host(url)} cannot be reached: {_line(error)}"


def _data_fault(url: str, error: Exception) -> str:
    return f"{_host(url)} sent no price list: {_line(error)}"


def _line(error: Exception) -> str:
    """The first line of what an error says, short enough for a list."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _host(url: str) -> str:
    """The server's name alone: an address may hold a password."""
    try:
        return urlsplit(url).hostname or "the address"
    except ValueError:
        return "the address"
