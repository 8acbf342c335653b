"""The empty view."""

from django.http import HttpRequest, HttpResponse
from django.urls import path


def public(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Public Content.", content_type="text/plain; charset=utf-8")


urlpatterns = [path("api/test/all", public)]
