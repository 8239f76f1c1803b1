import json
import os
import subprocess
import sys
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest

from config import status_line
from config.status_line import NO_ANSWER, NO_SESSION, answered, fetch_line
from tests.usage.cost_reports import SESSION

ROOT = Path(__file__).parent.parent.parent
LINE = "$5.31 · 850.0 k tokens · 42 calls · claude-sonnet-4-5"
NOBODY_LISTENS = "http://127.0.0.1:9"


def test_a_server_that_is_not_there_is_told_in_one_line() -> None:
    assert fetch_line(NOBODY_LISTENS, "tm_key", SESSION) == NO_ANSWER


@pytest.mark.parametrize("address", ["http://[", "http://host:port", "http://", "ftp ://x"])
def test_an_address_that_is_none_is_no_answer(address: str) -> None:
    assert fetch_line(address, "tm_key", SESSION) == NO_ANSWER


def test_an_answer_is_one_printable_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status_line, "_get", lambda *_: (200, b"a\x1b[31mb\nsecond"))
    assert fetch_line("x", "k", "s") == "a[31mb"
    monkeypatch.setattr(status_line, "_get", lambda *_: (502, b"<html>"))
    assert fetch_line("x", "k", "s") == "tallyman: answer 502"


@pytest.mark.parametrize(
    ("answer", "parsed"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nline", (200, b"line")),
        (b"HTTP/1.0 404 \r\n\r\n", (404, b"")),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=1\r\nline\r\n0\r\n\r\n",
            (200, b"line"),
        ),
    ],
)
def test_answers_are_parsed(answer: bytes, parsed: tuple[int, bytes]) -> None:
    assert status_line._parse(answer) == parsed


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_is_no_http_answer_is_refused(answer: bytes) -> None:
    with pytest.raises(ValueError, match=r"no HTTP|invalid literal"):
        status_line._parse(answer)


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        (["cost", "session", "s"], {}),
        (["cost", "session", "s"], {"TALLYMAN_URL": NOBODY_LISTENS}),
        (["cost", "report"], {"TALLYMAN_URL": NOBODY_LISTENS, "TALLYMAN_KEY": "k"}),
        (["cost", "session", "--help"], {"TALLYMAN_URL": NOBODY_LISTENS, "TALLYMAN_KEY": "k"}),
        (["cost", "session", "s", "t"], {"TALLYMAN_URL": NOBODY_LISTENS, "TALLYMAN_KEY": "k"}),
        ([], {"TALLYMAN_URL": NOBODY_LISTENS, "TALLYMAN_KEY": "k"}),
    ],
)
def test_everything_else_is_left_to_the_whole_command(
    arguments: list[str], environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert not answered(arguments, environ)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("arguments", [[], ["-"]])
def test_the_session_is_read_from_standard_input(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def fetch(address: str, key: str, session_id: str, organization: str) -> str:
        asked.append(session_id)
        return "line"

    monkeypatch.setattr(status_line, "fetch_line", fetch)
    environ = {"TALLYMAN_URL": NOBODY_LISTENS, "TALLYMAN_KEY": "k"}
    for text in (json.dumps({"session_id": SESSION, "model": {}}), "nonsense", "[]", "{}"):
        monkeypatch.setattr("sys.stdin", StringIO(text))
        assert answered(["cost", "session", *arguments], environ)
    assert asked == [SESSION]
    assert capsys.readouterr().out.splitlines() == ["line", *[NO_SESSION] * 3]


def test_a_prompt_never_breaks_and_django_is_never_loaded() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "manage.py", "cost", "session", SESSION],
        cwd=ROOT,
        env={**os.environ, "TALLYMAN_URL": NOBODY_LISTENS, "TALLYMAN_KEY": "k"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, f"{NO_ANSWER}\n")
    assert "config.status_line" in done.stderr
    assert "django" not in done.stderr


def test_a_terminal_that_has_no_dots_gets_question_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = TextIOWrapper(BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", plain)
    monkeypatch.setattr(status_line, "fetch_line", lambda *_: LINE)
    environ = {"TALLYMAN_URL": NOBODY_LISTENS, "TALLYMAN_KEY": "k"}
    assert answered(["cost", "session", "s"], environ)
    plain.seek(0)
    assert plain.read().startswith("$5.31 ? 850.0 k tokens")


def test_watching_writes_a_line_each_time_until_interrupted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(status_line, "fetch_line", lambda *_: f"line {len(waits)}")
    monkeypatch.setattr("config.status_line.time.sleep", wait)
    environ = {"TALLYMAN_URL": NOBODY_LISTENS, "TALLYMAN_KEY": "k"}
    assert answered(["cost", "session", "s", "--watch", "--interval", "2"], environ)
    assert capsys.readouterr().out == "line 0\nline 1\nline 2\n"
    assert waits == [2, 2, 2]
