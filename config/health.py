"""Whether this process lives, and whether the installation as a whole works."""

from django.http import HttpRequest, JsonResponse

from config.selectors import readiness


def healthz(_request: HttpRequest) -> JsonResponse:
    """Answer 200 as long as this process handles requests; touches nothing else."""
    return JsonResponse({"status": "ok"})


def readyz(_request: HttpRequest) -> JsonResponse:
    """Answer 200 when every part of the installation works, else 503, and say which does not."""
    state = readiness()
    return JsonResponse(state.as_json(), status=200 if state.ready else 503)
