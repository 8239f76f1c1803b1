from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from rest_framework.test import APIClient

from tests.config.site_data import OPUS, at, event, send
from usage.api.schema.advice import AdviceBody
from usage.ingest.values import EventValue
from usage.models import Organization
from usage.selectors.access import EVERYTHING, Viewer
from usage.selectors.advice import Advice, advise
from usage.selectors.questions import QuestionError

pytestmark = pytest.mark.django_db


def ask(viewer: Viewer = EVERYTHING, **filters: str) -> list[Advice]:
    return advise(
        viewer,
        start=date(2026, 11, 1),
        end=date(2026, 12, 1),
        time_zone="UTC",
        filters={name: [value] for name, value in filters.items()},
    )


def found(code: str, advice: Iterable[Advice]) -> list[Advice]:
    return [each for each in advice if each.code == code]


def calls(name: str, count: int, when: datetime, **fields: Any) -> list[EventValue]:
    return [
        event(f"{name}-{n}", when + timedelta(seconds=n), **{"action": "chat", **fields})
        for n in range(count)
    ]


def sessions(organization: str = "acme") -> list[EventValue]:
    usual = [
        event(
            f"{organization}-s{n}", at(3, n % 24), session_id=f"s{n}", input_tokens=10_000,
            action="chat", project="web", organization=organization,
        )
        for n in range(20)
    ]  # fmt: skip
    wild = {"session_id": "wild", "project": "web", "organization": organization}
    return usual + calls(f"{organization}-wild", 10, at(4), input_tokens=100_000, **wild)


def test_without_usage_there_is_no_advice(catalogue: None) -> None:
    assert ask() == []
    send(calls("plain", 3, at(3), input_tokens=1_000))
    assert ask() == []


def test_a_session_that_ran_away_is_found(catalogue: None) -> None:
    send(sessions())
    (advice,) = ask()
    # Ten calls of 30 cents, where 21 sessions have a median of three cents.
    assert (advice.code, advice.saving) == ("dear_session", Decimal("3.00") - 5 * Decimal("0.03"))
    assert (advice.organization, advice.about["session"]) == ("acme", "wild")


def test_sessions_are_compared_with_those_of_the_same_action(catalogue: None) -> None:
    for_agents = {"action": "agent", "project": "web"}
    agents = [
        event(f"a{n}", at(5, n % 24), session_id=f"a{n}", input_tokens=190_000, **for_agents)
        for n in range(20)
    ]
    send([*sessions(), *agents])
    assert [advice.about["session"] for advice in ask()] == ["wild"]


def test_a_session_counts_with_what_it_cost_within_the_period(catalogue: None) -> None:
    before = {"session_id": "wild", "project": "web"}
    old = datetime(2026, 10, 31, 23, tzinfo=at(1).tzinfo)
    send([*sessions(), *calls("old", 9, old, input_tokens=100_000, **before)])
    (advice,) = ask()
    assert advice.saving == Decimal("2.85")


def test_a_hit_rate_below_that_of_a_peer_is_found(catalogue: None) -> None:
    low = calls("low", 60, at(5), project="low", input_tokens=10_000)
    high = calls("high", 60, at(5), project="high", input_tokens=10_000, cache_read_tokens=8_000)
    send([*low, *high])
    (advice,) = ask()
    # 60 calls move 8,000 tokens each from $3.00 to $0.30 per million.
    assert (advice.code, advice.saving) == ("low_cache_rate", Decimal("1.296"))
    assert advice.about["project"] == "low"
    assert ask(project="low") == [advice]
    assert ask(project="high") == []


def test_peers_in_organizations_that_the_viewer_does_not_see_stay_unknown(
    catalogue: None,
) -> None:
    low = calls("low", 60, at(5), project="low", input_tokens=10_000)
    high = calls(
        "high", 60, at(5), project="high", input_tokens=10_000, cache_read_tokens=8_000,
        organization="globex",
    )  # fmt: skip
    send([*low, *high])
    (advice,) = ask()
    assert "project high of globex" in advice.detail
    assert ask(organization="acme") == [advice]
    acme = Organization.objects.get(slug="acme").pk
    assert ask(Viewer(frozenset((acme,)))) == []


def test_a_cheaper_model_for_short_answers_is_found(catalogue: None) -> None:
    short = calls("short", 60, at(5), model=OPUS, input_tokens=1_000, output_tokens=100)
    lengthy = calls("long", 5, at(9), model=OPUS, input_tokens=1_000, output_tokens=4_000)
    other = calls("other", 1, at(5), input_tokens=1_000, output_tokens=2_000)
    send([*short, *lengthy, *other])
    (advice,) = found("cheaper_model", ask())
    # 60 calls of $0.0075 by Opus and $0.0045 by Sonnet.
    assert advice.saving == 60 * (Decimal("0.0075") - Decimal("0.0045"))
    assert "60 of 65 calls" in advice.detail


def run(name: str, minute: int, errors: int, **fields: Any) -> list[EventValue]:
    shared = {"run_id": name, "run_trigger": "cron", "project": "web", "subject": "bot", **fields}
    made = calls(name, 6, at(6, 2) + timedelta(minutes=minute), input_tokens=100_000, **shared)
    for event_ in made[:errors]:
        event_.status = "error"
    return made


def test_runs_that_failed_and_were_run_again_are_found(catalogue: None) -> None:
    send([*run("r1", 0, errors=2), *run("r2", 50, errors=0)])
    (advice,) = ask()
    assert (advice.code, advice.saving) == ("retried_runs", Decimal("1.8"))
    assert advice.about == {"project": "web", "run": "r1"}


@pytest.mark.parametrize(
    "second",
    [
        {"minute": 75, "errors": 0},
        {"minute": 50, "errors": 0, "subject": "ann"},
        {"minute": 50, "errors": 0, "project": "api"},
        {"minute": 50, "errors": 0, "run_trigger": "push"},
    ],
)
def test_a_failed_run_that_nobody_ran_again_is_no_case(
    catalogue: None, second: dict[str, Any]
) -> None:
    send([*run("r1", 0, errors=2), *run("r2", **second)])
    assert ask() == []


def test_a_run_with_few_errors_has_not_failed(catalogue: None) -> None:
    send([*run("r1", 0, errors=1), *run("r2", 50, errors=0)])
    assert ask() == []


def test_failed_calls_that_were_billed_are_found(catalogue: None) -> None:
    fine = calls("fine", 3, at(5), input_tokens=10_000)
    lost = calls("lost", 2, at(6), input_tokens=100_000, status="error", project="web")
    free = calls("free", 4, at(7), status="error")
    send([*fine, *lost, *free])
    (advice,) = ask()
    assert (advice.code, advice.saving) == ("failed_calls", Decimal("0.6"))
    assert "At least 2 calls to claude-sonnet-4-5 (project web)" in advice.detail


def test_advice_is_about_what_the_viewer_sees_most_money_first(catalogue: None) -> None:
    send([*sessions(), *sessions("globex")])
    send(calls("more", 1, at(4), input_tokens=100_000, session_id="wild", project="web"))
    assert [advice.organization for advice in ask()] == ["acme", "globex"]
    globex = Viewer(frozenset((Organization.objects.get(slug="globex").pk,)))
    assert [advice.organization for advice in ask(globex)] == ["globex"]
    assert [advice.organization for advice in ask(organization="globex")] == ["globex"]
    assert ask(globex, organization="acme") == []
    assert ask(Viewer(frozenset())) == []
    assert ask(model="another") == []


def test_filters_that_advice_does_not_know_are_refused(db: None) -> None:
    for name in ("team", "session", "tag:env"):
        with pytest.raises(QuestionError):
            ask(EVERYTHING, **{name: "x"})


def test_the_endpoint_advises_the_callers_organization(
    client_for: Callable[..., APIClient],
) -> None:
    send([*sessions(), *sessions("globex")])
    client = client_for("acme")
    asked = {"from": "2026-11-01", "to": "2026-12-01"}
    answer = client.get("/api/v1/advice/", asked)
    body = msgspec.json.decode(answer.content, type=AdviceBody)
    assert [(each.organization, each.saving) for each in body.results] == [("acme", "2.8500000000")]
    assert client.get("/api/v1/advice", {**asked, "project": "api"}).json()["results"] == []
    assert client.get("/api/v1/advice/", {**asked, "organization": "globex"}).json()[
        "results"
    ] == []  # fmt: skip
    for query in ("team=a", "tag:env=ci", "currency=EUR", "to=soon"):
        assert client.get(f"/api/v1/advice/?{query}").status_code == 400, query
