import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from ipaddress import ip_network
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from pytest_django import Settings

from budgets.channels import outbound
from budgets.channels.outbound import Outbound, check_address
from budgets.channels.parcels import Tried
from budgets.models import Delivery
from tests.budgets.channels.sink import Answer, Request, Sink, http_sink

REFUSED = Delivery.Outcome.REFUSED
INTERNAL = [
    "127.0.0.1", "127.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "0.0.0.0", "0",
    "169.254.169.254", "0xa9fea9fe", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1",
    "100.100.100.200", "192.0.0.192", "168.63.129.16", "198.18.0.1", "224.0.0.1",
    "255.255.255.255", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]",
    "[::127.0.0.1]", "[fd00::1]", "[fd00:ec2::254]", "[fe80::1]", "[fec0::1]", "[ff02::1]",
    "[64:ff9b::7f00:1]", "[::ffff:0:127.0.0.1]", "[2002:7f00:1::]", "localhost", "LOCALHOST.",
    "a.localhost", "127.0.0.1.",
]  # fmt: skip
TRICKS = [
    "https://hooks.example.org@127.0.0.1/",
    "https://user:word@hooks.example.org/",
    "https://127.0.0.1#@hooks.example.org/",
    "https://hooks.example.org\\@127.0.0.1/",
    "https://127。0。0。1/",
    "https://①②⑦.0.0.1/",
    "https://ⓛocalhost/",
    "https:///path",
    "https://",
    "https://hooks.example.org:8443/",
    "https://hooks.example.org:22/",
    "http://hooks.example.org/",
    "http://hooks.example.org:443/",
    "https://hooks.example.org/a\r\nX-Other: 1",
    "https://hooks.example.org/a b",
    "https://hooks_example%2eorg/",
    "ftp://hooks.example.org/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:11211/",
    "javascript:alert(1)",
    "//hooks.example.org/",
    "hooks.example.org",
    "https://hooks.example.org/" + "a" * 2000,
    "https://[::1",
    "https://1.2.3.4:99999/",
]


@pytest.fixture
def sink() -> Iterator[Sink]:
    with http_sink() as running:
        yield running


def post(url: str, body: bytes, headers: dict[str, str]) -> Tried:
    with closing(Outbound()) as out:
        return out.post(url, body, headers)


def constantly(answer: Answer) -> Callable[[Request], Answer]:
    return lambda _: answer


@pytest.fixture
def inside(settings: Settings) -> None:
    settings.TALLYMAN_ALLOWED_NETWORKS = (ip_network("127.0.0.0/8"),)


def lead_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let every name lead to these addresses; gives the names that were looked up."""
    asked: list[str] = []

    def look_up(host: str, port: int, *_: Any) -> list[Any]:
        asked.append(host)
        kinds = [socket.AF_INET6 if ":" in each else socket.AF_INET for each in addresses]
        return [
            (kind, socket.SOCK_STREAM, 6, "", (address, port))
            for kind, address in zip(kinds, addresses, strict=True)
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


@pytest.mark.parametrize(
    "url", [*(f"https://{host}/hook" for host in INTERNAL), *TRICKS], ids=lambda url: url[:60]
)
def test_hostile_addresses_are_refused_when_saved_and_when_sent(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> None:
        pytest.fail("a connection was made")

    monkeypatch.setattr(socket.socket, "connect", never)
    with pytest.raises(ValidationError) as fault:
        check_address(url)
    assert url not in str(fault.value)
    assert post(url, b"{}", {}).outcome == REFUSED


@pytest.mark.parametrize("host", [host for host in INTERNAL if "l" not in host.lower()])
def test_names_that_lead_to_internal_addresses_are_refused(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = lead_to(monkeypatch, "93.184.216.34", str(outbound._literal(host.rstrip("."))))
    assert check_address("https://hooks.example.org/x")
    tried = post("https://hooks.example.org/x", b"{}", {})
    assert (tried.outcome, asked) == (REFUSED, ["hooks.example.org"])


def test_a_name_is_looked_up_once_so_that_it_cannot_change_its_mind(
    monkeypatch: pytest.MonkeyPatch, inside: None, sink: Sink
) -> None:
    asked = lead_to(monkeypatch, "127.0.0.1")
    url = sink.url.replace("127.0.0.1", "hooks.example.org")
    assert post(url, b"{}", {}).status_code == 200
    assert asked == ["hooks.example.org", "127.0.0.1"]
    assert sink.requests[0].headers["host"].startswith("hooks.example.org:")


def test_an_allowed_network_lets_in_its_own_and_nothing_else(
    settings: Settings, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert post(sink.url, b"{}", {}).outcome == REFUSED
    settings.TALLYMAN_ALLOWED_NETWORKS = (ip_network("127.0.0.0/8"),)
    assert post(sink.url, b"{}", {}).outcome == Delivery.Outcome.SENT
    for url in ("http://10.0.0.1/", "https://169.254.169.254/", "http://1.1.1.1/"):
        assert post(url, b"{}", {}).outcome == REFUSED, url
    # A public name does not come in by HTTP, or by another port, because a network is allowed.
    lead_to(monkeypatch, "93.184.216.34")
    for url in ("http://hooks.example.org/", "https://hooks.example.org:8443/"):
        assert post(url, b"{}", {}).outcome == REFUSED, url


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_refused(code: int, inside: None, sink: Sink) -> None:
    sink.answer = lambda _: Answer(code, {"location": "http://169.254.169.254/latest/"})
    tried = post(sink.url, b"{}", {})
    assert (tried.outcome, tried.status_code) == (REFUSED, code)
    assert len(sink.requests) == 1


def test_answers_are_judged_by_their_code(inside: None, sink: Sink) -> None:
    codes = {200: "sent", 204: "sent", 400: "failed", 404: "failed", 410: "failed", 500: "failed"}
    for code, outcome in codes.items():
        answer = Answer(code, {}, b"no <b>service</b>.\n\x00")
        sink.answer = constantly(answer)
        tried = post(sink.url, b"{}", {})
        assert (tried.outcome, tried.is_gone) == (outcome, code == 410)
    assert tried.detail == "It answered 500: no <b>service</b>."


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7), ("999999", 3600), ("-5", 0), ("soon", 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)],
)
def test_the_time_a_receiver_asks_for_is_read(
    text: str, seconds: float, inside: None, sink: Sink
) -> None:
    sink.answer = lambda _: Answer(429, {"retry-after": text})
    assert post(sink.url, b"{}", {}).retry_after == seconds


def test_endless_and_slow_answers_end(
    inside: None, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(outbound, "TOTAL_SECONDS", 0.6)
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def drip() -> None:
            for start in (b"HTTP/1.1 500 X\r\n\r\n", b"HTTP/1.1 200 OK\r\nx-a: "):
                peer, _ = server.accept()
                with peer:
                    peer.recv(4096)
                    peer.sendall(start)
                    try:
                        while not done.wait(0.05):
                            peer.sendall(b"a")
                    except OSError:
                        continue

        thread = threading.Thread(target=drip)
        thread.start()
        out = Outbound()
        for _ in range(2):
            began = time.monotonic()
            tried = out.post(f"http://127.0.0.1:{port}/", b"{}", {})
            assert time.monotonic() - began < 3
            assert tried.outcome == Delivery.Outcome.FAILED
        done.set()
        thread.join()


def test_large_answers_are_not_read_to_their_end(inside: None, sink: Sink) -> None:
    sink.answer = lambda _: Answer(500, {}, b"x" * 5_000_000)
    tried = post(sink.url, b"{}", {})
    assert len(tried.detail) < 300


def test_a_dead_receiver_and_an_unknown_name_fail_and_may_be_tried_again(
    inside: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert post(f"http://127.0.0.1:{port}/s3cret", b"{}", {}).is_channel_down

    def unknown(*_: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    tried = post("https://nowhere.example.org/s3cret", b"{}", {})
    assert (tried.outcome, "not found" in tried.detail) == ("failed", True)
    assert "s3cret" not in caplog.text
