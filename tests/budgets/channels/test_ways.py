import json
import smtplib
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import pytest
from django.core.mail.backends.smtp import EmailBackend
from pytest_django import Settings
from slack_sdk.models.blocks import Block
from standardwebhooks import Webhook

from budgets.channels.parcels import Parcel
from budgets.channels.sealing import new_secret
from budgets.channels.ways import send_each
from budgets.notices.message import Message
from tests.budgets.channels.mailbox import Mailbox, mail_server
from tests.budgets.channels.sink import Answer, Sink, http_sink

ID = UUID("00000000-0000-4000-8000-00000000000a")
HOSTILE = Message(
    type="test",
    severity="critical",
    title="acme\r\nBcc: thief@example.org\x00 <!channel> <script>",
    summary="<b>&</b> <!everyone>",
    url="https://tally.example.org/",
)


@pytest.fixture
def sink(settings: Settings) -> Iterator[Sink]:
    settings.TALLYMAN_ALLOWED_NETWORKS = (ip_network("127.0.0.0/8"),)
    with http_sink() as running:
        settings.TALLYMAN_SLACK_URLS = (f"{running.url}/",)
        yield running


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[Mailbox]:
    with mail_server() as box:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", box.port
        settings.TALLYMAN_EMAIL_FROM = "Tallyman <tallyman@example.org>"
        yield box


def parcel(kind: str, address: str, number: int = 0, channel: int = 1, **fields: Any) -> Parcel:
    values: dict[str, Any] = {
        "id": UUID(int=ID.int + number),
        "made_at": datetime(2026, 11, 22, 9, tzinfo=UTC),
        "channel_id": channel,
        "channel": f"ops{channel}",
        "kind": kind,
        "address": address,
        "secrets": (),
        "message": HOSTILE,
    }
    return Parcel(**{**values, **fields})


def outcomes(parcels: list[Parcel]) -> list[str]:
    return [one.tried.outcome for one in send_each(parcels, time.monotonic() + 20).values()]


def test_a_webhook_is_verified_by_the_package_with_either_secret(sink: Sink) -> None:
    new, old = new_secret(), new_secret()
    sent = parcel("webhook", f"{sink.url}/hook", secrets=(new, old))
    assert outcomes([sent, sent]) == ["sent"]
    first, second = sink.requests
    for secret in (new, old):
        told = Webhook(secret).verify(first.body, dict(first.headers))
        assert told["type"] == "test"
    assert first.headers["webhook-id"] == str(ID)
    assert first.headers["content-type"] == "application/json"
    assert first.body == second.body
    assert repr(sent) == f"Parcel({ID} to ops1)"


def test_slack_gets_blocks_that_its_own_models_take_and_nobody_is_pinged(sink: Sink) -> None:
    assert outcomes([parcel("slack", f"{sink.url}/services/T/B/x")]) == ["sent"]
    payload = json.loads(sink.requests[0].body)
    assert all(Block.parse(block) for block in payload["blocks"])
    written = [block["text"] for block in payload["blocks"] if "text" in block]
    assert "<!" not in payload["text"] + str([text for text in written if text["type"] == "mrkdwn"])
    assert outcomes([parcel("slack", "https://hooks.example.org/services/T/B/x")]) == ["refused"]


def test_mail_goes_over_one_connection_and_says_what_it_is(mailbox: Mailbox) -> None:
    sent = [parcel("email", "a@example.org,b@example.org", number) for number in range(3)]
    assert outcomes(sent) == ["sent"] * 3
    assert len(mailbox.sessions) == 1
    assert mailbox.envelopes[0].rcpt_tos == ["a@example.org", "b@example.org"]
    mail = mailbox.mails[0]
    assert mail["Message-ID"] == f"<{ID}@example.org>"
    assert mail["From"] == "Tallyman <tallyman@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Id"] == "<ops1.tallyman.example.org>"
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("acme Bcc: thief@example.org <!channel>")
    parts = [part for part in mail.walk() if not part.is_multipart()]
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert b"<script>" not in bytes(parts[1].get_payload(decode=True))


def test_refused_recipients_are_the_fault_of_their_channel_alone(mailbox: Mailbox) -> None:
    sent = [
        parcel("email", "nobody@example.org", 0, channel=1),
        parcel("email", "nobody@example.org", 1, channel=1),
        parcel("email", "ops@example.org", 2, channel=2),
    ]
    assert outcomes(sent) == ["failed", "sent"]


def test_a_mail_server_that_is_away_is_asked_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    def away(self: EmailBackend) -> None:
        opened.append(1)
        raise smtplib.SMTPConnectError(421, b"s3cret")

    monkeypatch.setattr(EmailBackend, "open", away)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    found = send_each([parcel("email", "a@x.org", n, n) for n in range(3)], time.monotonic() + 9)
    assert {one.tried.detail for one in found.values()} == {"The mail server answered 421."}
    assert len(opened) == 1


def test_mail_that_would_only_be_printed_is_not_said_to_be_sent(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    (one,) = send_each([parcel("email", "a@example.org")], time.monotonic() + 9).values()
    assert (one.tried.outcome, "EMAIL_URL" in one.tried.detail) == ("failed", True)


def test_a_service_is_told_and_its_secrets_stay_out_of_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    posted: list[tuple[str, dict[str, Any]]] = []

    class Reply:
        status_code = 500
        content = b""
        headers: dict[str, str] = {}

    def post(url: str, *_: Any, **options: Any) -> Reply:
        posted.append((url, options))
        return Reply()

    monkeypatch.setattr("requests.post", post)
    monkeypatch.setattr(
        "requests.sessions.Session.request", lambda _self, _m, url, **o: post(url, **o)
    )
    url = "discord://1234567890123456/s3cretabcdefghijklmnop"
    found = send_each([parcel("other", url)], time.monotonic() + 20)
    (one,) = found.values()
    assert one.tried.outcome == "failed"
    assert "500" in one.tried.detail
    assert posted[0][0].startswith("https://discord.com/api/webhooks/")
    assert posted[0][1]["timeout"] == (8.0, 8.0)
    assert "s3cret" not in one.tried.detail + caplog.text
    Reply.status_code = 204
    assert outcomes([parcel("other", url)]) == ["sent"]
    assert outcomes([parcel("other", "json://127.0.0.1/")]) == ["refused"]


def test_a_channel_that_is_down_is_not_asked_again_and_a_bad_message_stops_nothing(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink.answer = lambda request: Answer(503 if request.path == "/down" else 400)
    secrets = (new_secret(),)
    down = [parcel("webhook", f"{sink.url}/down", n, 1, secrets=secrets) for n in range(2)]
    bad = parcel("webhook", f"{sink.url}/up", 5, 2, secrets=("whsec_",))
    up = [parcel("webhook", f"{sink.url}/up", n, 2, secrets=secrets) for n in (6, 7)]
    found = send_each([*down, *up, bad], time.monotonic() + 20)
    assert set(found) == {down[0].id, up[0].id, up[1].id, bad.id}
    assert "EmptyWebhookSecretError" in found[bad.id].tried.detail
    assert send_each(up, time.monotonic() - 1) == {}
