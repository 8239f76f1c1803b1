from typing import Any

from django.test import Client
from django.urls import reverse

DAYS = "from=2026-11-09&through=2026-11-13"
LISTS = (
    "usageevent", "usagerollup", "dailyrollup", "monthlyrollup", "sessionrollup", "runrollup",
)  # fmt: skip


def listing(client: Client, name: str, query: str = "") -> Any:
    answer = client.get(f"{reverse(f'admin:usage_{name}_changelist')}?{query}")
    assert answer.status_code == 200
    return answer


def rows(answer: Any) -> list[Any]:
    return list(answer.context["cl"].result_list)
