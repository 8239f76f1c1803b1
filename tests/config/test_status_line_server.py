import pytest
from pytest_django.live_server_helper import LiveServer

from config import status_line
from config.status_line import fetch_line
from tests.usage.cost_reports import SESSION, cost, session_calls
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.keys import create_key
from usage.organizations import ensure_organization
from usage.rollups import roll_up

NOTHING = "tallyman: nothing recorded yet"


def test_a_real_server_and_the_command_say_the_same_to_those_who_may_see_it(
    live_server: LiveServer, catalogue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_line, "TIMEOUT_SECONDS", 30)
    ingest(list(session_calls()), Caller(Tenancy(tenant_of(ensure_organization("acme")), {})))
    roll_up()
    _, own = create_key("acme", ("read",), "prompt")
    _, other = create_key("other", ("read",), "prompt")

    def ask(key: str, session_id: str = SESSION) -> str:
        return fetch_line(live_server.url, key, session_id)

    line = "$5.31 · 850.0 k tokens · 42 calls · claude-sonnet-4-5"
    assert ask(own) == line
    assert cost("session", SESSION) == f"{line}\n"
    assert ask(other) == ask(own, "no-such-session") == ask(own, "a/b ?#\u00e9\n") == NOTHING
    assert ask("tm_wrong") == "tallyman: key refused"
