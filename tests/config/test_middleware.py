from django.http import HttpResponse
from django.test import RequestFactory, override_settings

from config.middleware import SafeSlashMiddleware


def respond(method: str, path: str) -> HttpResponse:
    request = RequestFactory().generic(method, path)
    middleware = SafeSlashMiddleware(lambda _request: HttpResponse(status=404))
    response = middleware(request)
    assert isinstance(response, HttpResponse)
    return response


def test_a_read_without_slash_is_redirected() -> None:
    response = respond("GET", "/admin")
    assert (response.status_code, response.headers["Location"]) == (301, "/admin/")


@override_settings(DEBUG=True)
def test_a_write_without_slash_is_never_redirected() -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert respond(method, "/admin").status_code == 404
