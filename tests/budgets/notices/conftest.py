import pytest

from tests.config.site_data import two_organizations


@pytest.fixture
def usage(catalogue: None) -> None:
    two_organizations()
