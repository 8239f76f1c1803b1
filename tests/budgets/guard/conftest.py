from collections.abc import Iterator

import pytest

from budgets.static.tallyman import tallyman
from tests.budgets.guard.guard_server import GuardServer, serving


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[GuardServer]:
    monkeypatch.setattr(tallyman, "_PAUSES", (0,))
    with serving() as guarded:
        yield guarded


@pytest.fixture
def client(server: GuardServer) -> tallyman.Client:
    return tallyman.Client(url=server.url, key="tm_key", timeout=0.3)
