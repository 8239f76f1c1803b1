import re
from itertools import cycle
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.budgets.budget_values import budget
from tests.config.dashboard_routes import (
    data,
    known_routes,
    my_data,
    own_pages,
    routes,
    shared_pages,
)
from tests.config.site_data import staff
from tests.config.tenants import Tenant
from usage.models import Membership, Subject

OURS, THEIRS = "quokka", "zanzibar"
FILTERS = ("project", "subject", "provider", "model", "session", "run")
EMAIL = "mara@example.com"
CHANGING = re.compile(
    r'nonce="[^"]+"|name="csrfmiddlewaretoken" value="[^"]+"|\d\d:\d\d(:\d\d)?|\d+\.\d s\b'
    r"|\b\d+ m \d+ s\b"
)


class Told(NamedTuple):
    status: int
    text: str


@pytest.fixture
def tenants(catalogue: None) -> None:
    for word in (OURS, THEIRS):
        Tenant(word)
        budget(word, name=f"{word}-budget", limit="0.0001")
        budget(word, project=f"{word}-project", name=f"{word}-budget", period="year")


def member(role: str = Membership.Role.VIEWER) -> Client:
    user = staff("mara", OURS, role=role)
    User.objects.filter(pk=user.pk).update(email=EMAIL)
    Subject.objects.filter(key=f"{OURS}-subject").update(email=EMAIL)
    return client_of(user)


def pages_of_ours() -> list[str]:
    return [*shared_pages(), *own_pages(OURS).values(), *data(), *my_data()]


def client_of(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def read(client: Client, path: str, **asked: str) -> Told:
    answer: Any = client.get(path, asked, follow=True)
    content: bytes = answer.getvalue() if answer.streaming else answer.content
    return Told(answer.status_code, CHANGING.sub("", content.decode()))


def test_no_page_is_forgotten() -> None:
    assert routes() == known_routes()


@pytest.mark.parametrize("role", [Membership.Role.VIEWER, Membership.Role.ADMIN])
def test_members_see_their_own_organization_alone(tenants: None, role: str) -> None:
    client = member(role)

    for path in pages_of_ours():
        status, text = read(client, path)
        assert status == 200, path
        assert THEIRS not in text, path
    for path in own_pages(THEIRS).values():
        assert read(client, path).status == 404, path


def test_what_others_have_is_as_if_it_were_not_there(tenants: None) -> None:
    client = member()
    nobody = "0" * len(THEIRS)

    for path in own_pages(THEIRS).values():
        absent = read(client, path.replace(THEIRS, nobody))
        assert read(client, path).text.replace(THEIRS, nobody) == absent.text, path
    for path, name in zip(pages_of_ours(), cycle(FILTERS), strict=False):
        for asked in ({"organization": THEIRS}, {name: f"{THEIRS}-{name}"}):
            unknown = {name: value.replace(THEIRS, nobody) for name, value in asked.items()}
            told, absent = read(client, path, **asked), read(client, path, **unknown)
            assert told.text.replace(THEIRS, nobody) == absent.text, (path, asked)
            assert told.status == absent.status == 200, (path, asked)


def test_lists_name_what_a_member_has(tenants: None) -> None:
    client = member()

    named = [path for path in shared_pages() if OURS in read(client, path).text]

    assert named == shared_pages()


def test_who_sees_everything_sees_both(tenants: None) -> None:
    client = client_of(User.objects.create_superuser("root", password="pw"))

    for word in (OURS, THEIRS):
        for path in own_pages(word).values():
            status, text = read(client, path)
            assert status == 200, path
            assert word in text
    for path in [*shared_pages(), *data()]:
        assert read(client, path).status == 200, path


def test_staff_without_an_organization_sees_nothing(tenants: None) -> None:
    client = client_of(staff("olga"))

    for path in [*shared_pages(), *data()]:
        status, text = read(client, path)
        assert status == (403 if path == "/admin/unpriced/" else 200), path
        assert OURS not in text, path
        assert THEIRS not in text, path
    for path in [*own_pages(OURS).values(), *my_data()]:
        assert read(client, path).status == 404, path


@pytest.mark.parametrize("signed_in", [False, True])
def test_who_is_no_staff_is_sent_to_the_login(tenants: None, signed_in: bool) -> None:
    client = client_of(User.objects.create_user("nils")) if signed_in else Client()

    for path in pages_of_ours():
        answer = client.get(path)
        assert answer.status_code == 302, path
        assert answer.headers["Location"].startswith("/admin/login/"), path
