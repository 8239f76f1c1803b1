import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.bench.figures import as_markdown, compared, in_turns, limited
from tests.bench.load import drive, percentile


def test_the_round_of_the_median_ratio_is_told() -> None:
    found = compared("x", "/s", [(50, 100), (90, 100), (70, 100)], "other", least=0.7)

    assert (found.value, found.ratio, found.met) == (70, 0.7, True)
    assert found.details["ratios"] == [0.5, 0.7, 0.9]


def test_a_time_over_its_yardstick_is_not_met() -> None:
    assert compared("x", "s", [(7, 2)], "other", most=3).met is False
    assert limited("x", "s", [5, 9, 6], most=6).met is True
    assert limited("x", "s", [5]).met is None


def test_who_goes_first_changes_from_round_to_round() -> None:
    seen: list[str] = []

    def first(number: int) -> float:
        seen.append("figure")
        return 1

    def second(number: int) -> float:
        seen.append("yardstick")
        return 2

    assert in_turns(2, first, second) == [(1, 2), (1, 2)]
    assert seen == ["figure", "yardstick", "yardstick", "figure"]


def test_a_table_has_a_row_for_each_figure() -> None:
    figure = compared("ingest", "events/s", [(1500, 2000)], "COPY", least=0.6)

    assert as_markdown([figure]).splitlines()[2] == (
        "| ingest | 1,500 events/s | 2,000 events/s, COPY | 0.75 | ≥ 0.6 x | yes |"
    )


def test_percentiles_stay_within_what_was_measured() -> None:
    assert percentile([0.001, 0.002, 0.003], 0.99) == 3.0


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200 if body != b"no" else 422)
        if body == b"chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"3\r\nabc\r\n0\r\n\r\n")
        else:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def _request(body: bytes) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def test_every_request_is_sent_once_and_answers_are_read_whole(port: int) -> None:
    bodies = [b"x" * 3_000_000, b"chunked", b"", *[b"small"] * 20]

    load = drive(port, map(_request, bodies), clients=4)

    assert len(load.times) == len(bodies)
    assert load.statuses == {200: len(bodies)}


def test_what_follows_an_answer_goes_over_the_same_connection_and_is_timed_apart(port: int) -> None:
    load = drive(port, [_request(b"ask")] * 5, 2, follow=lambda _: _request(b"then"))

    assert (len(load.times), len(load.later_times)) == (5, 5)


def test_an_unexpected_status_ends_the_run(port: int) -> None:
    with pytest.raises(RuntimeError, match="422"):
        drive(port, [_request(b"no")], 1)
