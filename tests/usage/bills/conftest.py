from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from tests.budgets.channels.sink import http_sink
from tests.usage.bills.provider import ANTHROPIC_KEY, OPENAI_KEY, OPENROUTER_KEY, Provider


@pytest.fixture
def provider(settings: LazySettings) -> Iterator[Provider]:
    with http_sink() as sink:
        kinds = ("anthropic", "openai", "openrouter")
        settings.TALLYMAN_BILL_URLS = dict.fromkeys(kinds, sink.url)
        keys = (ANTHROPIC_KEY, OPENAI_KEY, OPENROUTER_KEY)
        settings.TALLYMAN_BILL_KEYS = dict(zip(kinds, keys, strict=True))
        yield Provider(sink)
