import pytest
from django.test import Client

from tests.config.site_data import staff, two_organizations
from usage.models import Membership


@pytest.fixture
def usage(catalogue: None) -> None:
    two_organizations()


@pytest.fixture
def administrator(usage: None) -> Client:
    client = Client()
    client.force_login(staff("adam", "acme", role=Membership.Role.ADMIN))
    return client


@pytest.fixture
def viewer(usage: None) -> Client:
    client = Client()
    client.force_login(staff("vera", "acme"))
    return client
