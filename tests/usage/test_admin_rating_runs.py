from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.config.site_data import at, event, send, staff, two_organizations
from tests.usage.admin_pages import (
    START,
    administrator_client,
    asked,
    auditor_client,
    client_of,
    cost_of,
    planned,
    price_sonnet,
    viewer_client,
)
from usage.models import ClosedMonth, Membership, Organization, RatingRun
from usage.rerating import continue_runs, request_run

pytestmark = pytest.mark.django_db
LIST = "admin:usage_ratingrun_changelist"
ADD = "admin:usage_ratingrun_add"
FORM = {"first": "2026-11-01", "last": "2026-11-14", "organization": "acme", "reason": "wrong list"}


@pytest.fixture(autouse=True)
def usage(catalogue: None) -> None:
    two_organizations()
    continue_runs()


def page(client: Client, run: RatingRun) -> Any:
    return client.get(reverse("admin:usage_ratingrun_change", args=[run.pk]))


def acme() -> Organization:
    return Organization.objects.get(slug="acme")


def decide(client: Client, run: RatingRun, name: str, *, ask: bool = False) -> Any:
    url = reverse("admin:usage_ratingrun_decide", args=[run.pk, name])
    return client.get(url, follow=True) if ask else client.post(url, follow=True)


def applied(client: Client) -> RatingRun:
    run = planned()
    decide(client, run, "apply")
    continue_runs()
    return run


def test_an_empty_list_says_what_re_rating_is(admin_client: Client) -> None:
    assert "nothing changes before somebody applies it" in admin_client.get(reverse(LIST)).text


def test_a_run_is_asked_for_with_days_of_the_site(
    admin_client: Client, admin_user: User, settings: Any
) -> None:
    settings.TALLYMAN_TIME_ZONE = "Europe/Berlin"

    answer = admin_client.post(reverse(ADD), {**FORM, "model": "x", "only_unpriced": "on"})

    (run,) = asked()
    assert answer["Location"] == reverse("admin:usage_ratingrun_change", args=[run.pk])
    assert run.start == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert run.end == datetime(2026, 11, 14, 23, tzinfo=UTC)
    assert run.organization is not None
    assert (run.organization.slug, run.provider, run.model) == ("acme", "", "x")
    assert (run.only_unpriced, run.reason, run.requested_by) == (True, "wrong list", admin_user)
    assert LogEntry.objects.filter(object_id=str(run.pk)).exists()


@pytest.mark.parametrize(
    "wrong",
    [{"reason": ""}, {"first": ""}, {"last": "2026-10-01"}, {"organization": "nobody"},
     {"first": "0001-01-01"}, {"last": "9999-12-31"}],
)  # fmt: skip
def test_a_form_that_is_wrong_asks_for_nothing(admin_client: Client, wrong: dict[str, str]) -> None:
    answer = admin_client.post(reverse(ADD), {**FORM, **wrong})

    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert not asked()


def test_a_page_waits_by_itself_only_while_something_is_under_way(admin_client: Client) -> None:
    admin_client.post(reverse(ADD), FORM)
    (run,) = asked()

    waiting = page(admin_client, run).text
    assert '<meta http-equiv="refresh" content="3">' in waiting
    assert "Being calculated" in waiting
    continue_runs()
    finished = page(admin_client, run).text
    assert "refresh" not in finished
    assert "there is nothing to apply" in finished


def test_a_dry_run_shows_its_difference_by_organization_model_and_day(
    admin_client: Client,
) -> None:
    price_sonnet()
    run = planned()

    answer = page(admin_client, run)

    # e1 has 200,000 input tokens at 3 and then 6 a million; e5 half of its input from the cache.
    assert cost_of("e1") == Decimal("0.6")
    assert run.after_cost - run.before_cost == Decimal("0.9")
    assert "+$0.9000" in answer.text
    for name in ("acme", "anthropic/claude-sonnet-4-5", "2026-11-10", "2026-11-12"):
        assert f">{name}<svg" in answer.text
    bars = {row.name: bar for _, rows in answer.context["splits"] for row, bar in rows}
    assert (bars["2026-11-10"], bars["2026-11-12"]) == (100, 50)
    assert "nothing has changed yet" in answer.text


def test_a_run_is_applied_and_rolled_back_after_a_second_question(admin_client: Client) -> None:
    price_sonnet()
    run = planned()

    question = decide(admin_client, run, "apply", ask=True)
    assert "Events, sums and budgets change together" in question.text
    assert "+$0.9000" in question.text
    assert cost_of("e1") == Decimal("0.6")

    decide(admin_client, run, "apply")
    continue_runs()
    assert cost_of("e1") == Decimal("1.2")
    assert '<span class="tm-badge k">Applied</span>' in page(admin_client, run).text

    decide(admin_client, run, "roll-back")
    continue_runs()
    assert cost_of("e1") == Decimal("0.6")
    assert "Rolled back" in page(admin_client, run).text


def test_a_run_over_a_closed_month_shows_what_it_adjusted(admin_client: Client) -> None:
    october = datetime(2026, 10, 1, tzinfo=UTC)
    called_at = datetime(2026, 10, 5, tzinfo=UTC)
    send([event(90, called_at, project="checkout", input_tokens=200_000)])
    ClosedMonth.objects.create(organization=acme(), month=october.date())
    price_sonnet(effective_from=october)
    run = request_run(start=october, end=START, organization=acme(), reason="fix")
    continue_runs()
    decide(admin_client, run, "apply")
    continue_runs()

    answer = page(admin_client, run)
    run.refresh_from_db()
    assert (run.changed, answer.context["concerned"]) == (0, 1)
    assert "1 by adjustment" in answer.text
    assert ">2026-10-05<svg" in answer.text
    assert cost_of("e90") == Decimal("0.6")


def test_a_run_is_discarded(admin_client: Client) -> None:
    price_sonnet()
    run = planned()

    decide(admin_client, run, "discard")

    run.refresh_from_db()
    assert run.status == RatingRun.Status.DISCARDED
    gone = decide(admin_client, run, "apply")
    assert "is “Discarded” by now" in gone.text
    assert cost_of("e1") == Decimal("0.6")


def test_a_refusal_is_told_in_its_own_words(admin_client: Client) -> None:
    price_sonnet()
    first = applied(admin_client)
    price_sonnet(9)
    second = applied(admin_client)

    answer = decide(admin_client, first, "roll-back")

    assert '<li class="error">' in answer.text
    assert str(second.pk) in answer.text.split('<li class="error">')[1].split("</li>")[0]
    continue_runs()
    assert cost_of("e1") == Decimal("1.8")


def test_the_second_person_is_somebody_else(admin_client: Client) -> None:
    Organization.objects.filter(slug="acme").update(rating_needs_approval=True)
    price_sonnet()
    adam = staff("adam", "acme", role=Membership.Role.ADMIN)
    run = planned(user=adam)

    told = decide(client_of(adam), run, "apply").text
    assert f"{run}: waits for a second person." in told
    run.refresh_from_db()
    assert run.status == RatingRun.Status.AWAITING
    own = page(client_of(adam), run).text
    assert "somebody else has to approve it" in own
    assert "Approve…" not in own
    decide(client_of(adam), run, "approve")
    run.refresh_from_db()
    assert run.status == RatingRun.Status.AWAITING

    eve = administrator_client("eve")
    assert "Approve…" in page(eve, run).text
    decide(eve, run, "approve")
    continue_runs()
    assert cost_of("e1") == Decimal("1.2")


def test_viewers_see_runs_of_their_organization_and_decide_nothing() -> None:
    price_sonnet()
    run = planned()
    vera = viewer_client()

    assert page(vera, run).status_code == 200
    assert "Apply…" not in page(vera, run).text
    assert "Re-rate…" not in vera.get(reverse(LIST)).text
    assert vera.get(reverse(ADD)).status_code == 403
    assert vera.post(reverse(ADD), FORM).status_code == 403
    for name in ("apply", "discard", "approve", "roll-back"):
        assert decide(vera, run, name, ask=True).status_code == 403
        assert decide(vera, run, name).status_code == 403
    run.refresh_from_db()
    assert run.status == RatingRun.Status.PLANNED


def test_runs_of_other_organizations_and_of_all_are_hidden() -> None:
    price_sonnet()
    ours, theirs, everybody = planned(), planned("globex"), planned(None)

    for client in (viewer_client(), administrator_client()):
        listed = client.get(reverse(LIST)).context["cl"].result_list
        assert [run.pk for run in listed] == [ours.pk]
        for run in (theirs, everybody):
            assert page(client, run).status_code == 302
            assert decide(client, run, "apply").status_code == 404
    seen = auditor_client().get(reverse(LIST)).context["cl"].result_list
    assert {ours.pk, theirs.pk, everybody.pk} <= {run.pk for run in seen}


def test_seeing_everything_gives_no_right_to_decide() -> None:
    price_sonnet()
    run = planned(None)
    olga = auditor_client()

    assert "Apply…" not in page(olga, run).text
    assert decide(olga, run, "apply").status_code == 403
    assert olga.post(reverse(ADD), FORM).status_code == 403


def test_an_administrator_asks_only_for_the_own_organization() -> None:
    adam = administrator_client()

    for slug in ("globex", ""):
        answer = adam.post(reverse(ADD), {**FORM, "organization": slug})
        assert answer.context["form"].errors["organization"]
    assert "globex" not in adam.get(reverse(ADD)).text
    assert adam.post(reverse(ADD), FORM).status_code == 302
    assert [str(run.organization) for run in asked()] == ["acme"]


def test_runs_cannot_be_edited_or_deleted(admin_client: Client) -> None:
    run = planned()
    url = reverse("admin:usage_ratingrun_change", args=[run.pk])

    assert admin_client.post(url, {"reason": "x"}).status_code == 403
    assert admin_client.post(url.replace("change/", "delete/")).status_code == 403


def test_decisions_need_the_form_of_this_site(admin_user: User) -> None:
    price_sonnet()
    run = planned()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(admin_user)

    assert decide(strict, run, "apply").status_code == 403


def test_names_are_escaped(admin_client: Client) -> None:
    send([event(9, at(10), provider="<b>p", model="<i>m", input_tokens=1)])
    run = planned(provider="<b>p", model="<i>m")

    for answer in (page(admin_client, run), admin_client.get(reverse(LIST))):
        assert "<b>p" not in answer.text
        assert "&lt;b&gt;p" in answer.text
