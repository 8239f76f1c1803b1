from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from tests.config.running import free_port


class Mailbox:
    """A mail server in this process that keeps what it is sent."""

    def __init__(self) -> None:
        self.port = free_port()
        self.envelopes: list[Envelope] = []
        self.sessions: set[int] = set()
        self.handle_RCPT, self.handle_DATA = self.take_recipient, self.take

    @property
    def mails(self) -> list[Message]:
        contents = [each.content for each in self.envelopes]
        return [message_from_bytes(each) for each in contents if isinstance(each, bytes)]

    async def take_recipient(
        self, server: Any, session: Any, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def take(self, server: Any, session: Any, envelope: Envelope) -> str:
        self.sessions.add(id(session))
        self.envelopes.append(envelope)
        return "250 OK"


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
