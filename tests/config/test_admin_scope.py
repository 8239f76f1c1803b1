import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from tests.config.listings import DAYS, LISTS, listing, rows
from tests.config.site_data import staff
from usage.links import event_url
from usage.models import (
    APIKey,
    Membership,
    Organization,
    Project,
    Subject,
    Team,
    UsageEvent,
)

pytestmark = pytest.mark.django_db
IDENTITIES = ("organization", "project", "team", "subject", "membership", "apikey")


@pytest.mark.parametrize("name", [*LISTS, *IDENTITIES])
def test_lists_show_only_the_organizations_of_the_user(
    viewer: Client, admin_client: Client, name: str
) -> None:
    globex = Organization.objects.get(slug="globex")
    Team.objects.create(organization=globex, slug="globex-team")
    APIKey.objects.create_key(name="theirs", organization=globex, scopes=["ingest"])
    APIKey.objects.create_key(name="whole site", organization=None, scopes=["ingest"])
    staff("hugo", "globex")
    query = DAYS if name in LISTS else ""

    assert "globex" in listing(admin_client, name, query).text
    seen = listing(viewer, name, query)
    assert "globex" not in seen.text
    assert "whole site" not in seen.text


def test_foreign_rows_cannot_be_opened_by_url(viewer: Client, administrator: Client) -> None:
    zoe = Subject.objects.get(key="zoe")
    theirs = UsageEvent.objects.get(event_id="e6")
    urls = [
        reverse("admin:usage_subject_change", args=(zoe.pk,)),
        reverse("admin:usage_project_change", args=(Project.objects.get(slug="site").pk,)),
        reverse("admin:usage_organization_change", args=(zoe.organization_id,)),
        event_url(theirs.organization_id, "e6"),
    ]

    for url in urls:
        for client in (viewer, administrator):
            assert client.get(url).status_code == 302
            assert client.post(url, {"display_name": "x", "name": "x"}).status_code in (302, 403)
    assert Subject.objects.get(key="zoe").display_name == ""


def test_foreign_rows_are_in_no_filter_or_suggestion(administrator: Client) -> None:
    globex = Organization.objects.get(slug="globex")

    for name in ("project", "team", "subject", "apikey", "membership"):
        assert "globex" not in listing(administrator, name).text
        found = listing(administrator, name, f"organization__id__exact={globex.pk}")
        assert all(row.organization.slug == "acme" for row in rows(found))
    form = administrator.get(reverse("admin:usage_project_add"))
    assert "globex" not in form.text
    asked = {"app_label": "usage", "model_name": "membership", "field_name": "organization"}
    suggestions = administrator.get(reverse("admin:autocomplete"), asked)
    assert "globex" not in suggestions.text


def test_a_viewer_changes_nothing(viewer: Client) -> None:
    ann = Subject.objects.get(key="ann")
    url = reverse("admin:usage_subject_change", args=(ann.pk,))

    assert viewer.get(url).status_code == 200
    assert viewer.post(url, {"display_name": "Ann"}).status_code == 403
    for name in ("project", "team", "subject", "apikey", "organization", "membership"):
        assert viewer.get(reverse(f"admin:usage_{name}_add")).status_code == 403
    listed = listing(viewer, "project")
    assert listed.context["cl"].model_admin.get_actions(listed.wsgi_request) == {}


def test_an_administrator_changes_its_own_organization_only(administrator: Client) -> None:
    ann = Subject.objects.get(key="ann")
    acme, globex = Organization.objects.order_by("slug")
    url = reverse("admin:usage_subject_change", args=(ann.pk,))

    changed = {"display_name": "Ann", "email": "a@example.com", "key": "x", "organization": 2}
    assert administrator.post(url, changed).status_code == 302
    ann.refresh_from_db()
    assert (ann.display_name, ann.key, ann.organization) == ("Ann", "ann", acme)

    add = reverse("admin:usage_team_add")
    assert administrator.post(add, {"organization": acme.pk, "slug": "core"}).status_code == 302
    refused = administrator.post(add, {"organization": globex.pk, "slug": "core"})
    assert refused.context["adminform"].form.errors["organization"]
    assert [team.organization for team in Team.objects.all()] == [acme]


def test_only_site_staff_changes_organizations_and_members(administrator: Client) -> None:
    acme = Organization.objects.get(slug="acme")
    url = reverse("admin:usage_organization_change", args=(acme.pk,))

    assert administrator.post(url, {"name": "Mine"}).status_code == 403
    member = Membership.objects.get()
    url = reverse("admin:usage_membership_change", args=(member.pk,))
    assert administrator.post(url, {"role": "admin"}).status_code == 403


def test_the_permission_to_see_all_gives_no_right_to_change(client: Client, usage: None) -> None:
    auditor = staff("olga")
    auditor.user_permissions.add(Permission.objects.get(codename="view_all_organizations"))
    client.force_login(auditor)
    ann = Subject.objects.get(key="ann")

    assert "globex" in listing(client, "subject").text
    url = reverse("admin:usage_subject_change", args=(ann.pk,))
    assert client.get(url).status_code == 200
    assert client.post(url, {"display_name": "x"}).status_code == 403


def test_identities_cannot_be_deleted(admin_client: Client, usage: None) -> None:
    for model in (Organization, Project, Team, Subject):
        row = model._default_manager.first()
        if row is not None:
            name = f"admin:usage_{model._meta.model_name}_delete"
            assert (
                admin_client.post(reverse(name, args=(row.pk,)), {"post": "yes"}).status_code == 403
            )
        listed = listing(admin_client, str(model._meta.model_name))
        assert "delete_selected" not in listed.text


def test_projects_are_archived_and_restored(administrator: Client) -> None:
    everything = [str(pk) for pk in Project.objects.values_list("pk", flat=True)]
    url = reverse("admin:usage_project_changelist")

    administrator.post(url, {"action": "archive_selected", "_selected_action": everything})
    archived = Project.objects.exclude(archived_at=None).values_list("slug", flat=True)
    assert set(archived) == {"web", "api"}
    assert rows(listing(administrator, "project")) == []
    assert len(rows(listing(administrator, "project", "archived=yes"))) == 2

    administrator.post(
        f"{url}?archived=yes", {"action": "restore_selected", "_selected_action": everything}
    )
    assert not Project.objects.exclude(archived_at=None).exists()


def test_another_time_zone_rebuilds_days(admin_client: Client, usage: None) -> None:
    acme = Organization.objects.get(slug="acme")
    url = reverse("admin:usage_organization_change", args=(acme.pk,))
    form = {"name": "Acme", "time_zone": "Asia/Kathmandu", "week_start": "7",
            "subject_policy": "anyone"}  # fmt: skip

    assert admin_client.post(url, form).status_code == 302

    acme.refresh_from_db()
    assert (acme.name, acme.time_zone, acme.slug) == ("Acme", "Asia/Kathmandu", "acme")
    assert acme.week_start == Organization.WeekDay.SUNDAY
    waiting = listing(admin_client, "dailyrollup", f"{DAYS}&organization=acme")
    assert rows(waiting) == []
    wrong = admin_client.post(url, {**form, "time_zone": "Mars/Olympus"})
    assert wrong.context["adminform"].form.errors["time_zone"]


def test_a_key_is_shown_once_and_stored_as_a_digest(administrator: Client) -> None:
    form = {"organization": "acme", "name": "ci", "scopes": ["ingest", "read"], "expires": "30"}

    made = administrator.post(reverse("admin:usage_apikey_add"), form)

    key = APIKey.objects.get(name="ci")
    (secret,) = set(re.findall(r"tm_[A-Za-z0-9]{8}\.[A-Za-z0-9]+", made.text))
    assert "no-store" in made["Cache-Control"]
    assert f"Bearer {secret}" in made.text
    assert key.scopes == ["ingest", "read"]
    assert key.expiry_date is not None
    assert key.expiry_date - key.created < timedelta(days=30, seconds=5)
    assert LogEntry.objects.filter(object_id=str(key.pk)).exists()
    bare = secret.partition(".")[2]
    assert bare not in key.hashed_key
    page = reverse("admin:usage_apikey_change", args=(key.pk,))
    for again in (administrator.get(page), listing(administrator, "apikey")):
        assert bare not in again.text
        assert f"tm_{key.prefix}" in again.text
    assert administrator.post(page, {"name": "other"}).status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [{"organization": "globex"}, {"organization": ""}, {"scopes": []}, {"scopes": ["root"]}],
)
def test_a_key_form_that_is_wrong_makes_nothing(
    administrator: Client, wrong: dict[str, Any]
) -> None:
    form = {"organization": "acme", "name": "ci", "scopes": ["ingest"], "expires": "", **wrong}

    answer = administrator.post(reverse("admin:usage_apikey_add"), form)

    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert not APIKey.objects.exists()


def test_only_site_staff_makes_site_keys(admin_client: Client, usage: None) -> None:
    form = {"organization": "", "name": "all", "scopes": ["read"], "expires": ""}

    admin_client.post(reverse("admin:usage_apikey_add"), form)

    key = APIKey.objects.get()
    assert (key.organization, key.expiry_date) == (None, None)


def test_keys_are_revoked_after_a_second_question(administrator: Client) -> None:
    acme, globex = Organization.objects.order_by("slug")
    ours, _ = APIKey.objects.create_key(name="ours", organization=acme, scopes=["read"])
    theirs, _ = APIKey.objects.create_key(name="theirs", organization=globex, scopes=["read"])
    url = reverse("admin:usage_apikey_changelist")
    chosen = {"action": "revoke_selected", "_selected_action": [ours.pk, theirs.pk]}

    question = administrator.post(url, chosen)
    assert "ours" in question.text
    assert "theirs" not in question.text
    assert not APIKey.objects.filter(revoked=True).exists()

    administrator.post(url, {**chosen, "confirmed": "yes"})
    assert list(APIKey.objects.filter(revoked=True)) == [ours]
    assert [key.name for key in rows(listing(administrator, "apikey", "state=revoked"))] == ["ours"]
