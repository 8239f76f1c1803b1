from typing import Any

from django.test import Client
from rest_framework.test import APIClient

URL = "/api/v1/prices/"
SONNET = {"provider": "anthropic", "model": "claude-sonnet-4-5"}


def price(
    meter: str = "input_tokens", unit_price: object = "8.03", **fields: Any
) -> dict[str, Any]:
    return {
        "provider": "shop", "model": "m-1", "meter": meter, "unit_price": unit_price,
        "currency": "USD", **fields,
    }  # fmt: skip


def put(client: APIClient, *prices: dict[str, Any], url: str = URL) -> Any:
    return client.put(url, {"prices": list(prices)}, format="json")


def listed(client: APIClient | Client, **query: Any) -> list[dict[str, Any]]:
    answer = client.get(URL, query)
    assert answer.status_code == 200, answer.content
    rows: list[dict[str, Any]] = answer.json()["results"]
    return rows
