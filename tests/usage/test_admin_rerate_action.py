from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.config.site_data import two_organizations
from tests.usage.admin_pages import (
    administrator_client,
    asked,
    cost_of,
    price_sonnet,
    viewer_client,
)
from usage.models import UsageEvent
from usage.rerating import continue_runs

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def usage(catalogue: None) -> None:
    two_organizations()
    continue_runs()


def chosen(client: Client, *event_ids: str) -> Any:
    rows = UsageEvent.objects.filter(event_id__in=event_ids)
    return client.post(
        f"{reverse('admin:usage_usageevent_changelist')}?from=2026-11-09&through=2026-11-13",
        {"action": "rerate_selected", "_selected_action": [row.pk for row in rows]},
        follow=True,
    )


def test_events_of_the_list_are_re_rated_as_a_dry_run(admin_client: Client) -> None:
    price_sonnet()

    answer = chosen(admin_client, "e1")

    (run,) = asked()
    assert run.changed == 1
    assert answer.redirect_chain[-1][0] == reverse("admin:usage_ratingrun_change", args=[run.pk])
    assert "+$0.6000" in answer.text
    assert cost_of("e1") == Decimal("0.6")
    assert "Choose events of one organization." in chosen(admin_client, "e1", "e6").text


def test_too_many_chosen_events_are_refused(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usage.admin.rerate_action.MAX_COUNTED", 1)

    assert "Choose at most 1 events" in chosen(admin_client, "e1", "e2").text
    assert not asked()


def test_events_of_others_cannot_be_chosen() -> None:
    adam, vera = administrator_client(), viewer_client()

    chosen(adam, "e6")
    chosen(vera, "e1")

    assert not asked()
    assert "rerate_selected" not in vera.get(reverse("admin:usage_usageevent_changelist")).text
