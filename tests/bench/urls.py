"""The URLs of the product, and the yardsticks beside them."""

from django.urls import path

from config.urls import handler400, handler404, handler500
from config.urls import urlpatterns as own_patterns
from tests.bench.views import InsertView, SelectView

__all__ = ["handler400", "handler404", "handler500", "urlpatterns"]

urlpatterns = [
    path("bench/insert/", InsertView.as_view()),
    path("bench/select/", SelectView.as_view()),
    *own_patterns,
]
