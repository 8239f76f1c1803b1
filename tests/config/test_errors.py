import pytest
from django.test import Client, RequestFactory

from config.errors import failure


@pytest.mark.parametrize("path", ["/api/v1/nothing/", "/api/v2/events/", "/otlp/v1/traces/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_address_for_programs_that_is_not_there_is_a_problem(path: str, method: str) -> None:
    answer = getattr(Client(), method)(path)

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["type"] == "urn:tallyman:problem:not_found"


def test_people_get_a_page(db: None) -> None:
    answer = Client().get("/nothing-here/")

    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")


def test_a_request_for_a_foreign_host_is_a_problem() -> None:
    answer = Client().get("/api/v1/usage/", headers={"Host": "evil.example"})

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_a_fault_of_ours_says_so_without_details() -> None:
    answer = failure(RequestFactory().post("/api/v1/events/"))

    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
