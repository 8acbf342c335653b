"""Every error is JSON with a `message`, whoever raised it."""

from typing import Any, NoReturn

import pytest
from django.db import ProgrammingError
from rest_framework import serializers
from rest_framework.exceptions import Throttled
from rest_framework.test import APIClient

from authproject import errors
from content.views import BoardViewSet

OUR_FAULT = {"message": "Something went wrong on our side. Please try again later."}


@pytest.mark.parametrize("path", ["/nothing", "/api", "/api/auth/signin/", "/api/test/nope", "/api/test/all/"])
def test_an_unknown_route_is_not_found(api: APIClient, path: str) -> None:
    response = api.get(path)
    assert (response.status_code, response.json()) == (404, {"message": "Not found."})


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "options"])
def test_a_wrong_method_is_not_allowed(api: APIClient, method: str) -> None:
    response = getattr(api, method)("/api/auth/signin")
    expected = {"message": f'Method "{method.upper()}" not allowed.'}
    assert (response.status_code, response.json(), response["Allow"]) == (405, expected, "POST, OPTIONS")


def test_a_host_that_is_not_ours_is_a_bad_request(api: APIClient) -> None:
    response = api.get("/", headers={"host": "evil.example"})
    assert (response.status_code, response.json()) == (400, {"message": "Bad request."})


def test_an_unforeseen_error_says_nothing_about_the_inside(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> NoReturn:
        raise ProgrammingError(1146, "Table 'inside.accounts_user' doesn't exist")

    monkeypatch.setattr(BoardViewSet, "all", fail)
    response = api.get("/api/test/all", headers={"origin": "http://localhost:8081"})
    assert (response.status_code, response.json()) == (500, OUR_FAULT)
    assert response["Access-Control-Allow-Origin"] == "http://localhost:8081"


def test_a_serializers_first_complaint_is_the_message() -> None:
    class Inner(serializers.Serializer[Any]):
        street = serializers.CharField()

    class Outer(serializers.Serializer[Any]):
        name = serializers.CharField()
        address = Inner()

    serializer = Outer(data={"name": "x", "address": {}})
    with pytest.raises(serializers.ValidationError) as caught:
        serializer.is_valid(raise_exception=True)
    response = errors.exception_handler(caught.value, {})
    assert response is not None
    assert response.data["message"] == "address: This field is required."


def test_a_throttled_request_says_when_to_come_back() -> None:
    response = errors.exception_handler(Throttled(wait=2.3), {})
    assert response is not None
    assert (response.status_code, response["Retry-After"]) == (429, "3")


def test_an_empty_list_of_complaints_still_has_a_message() -> None:
    response = errors.exception_handler(serializers.ValidationError([]), {})
    assert response is not None
    assert response.data["message"] == "The request is not valid."


def test_the_admin_keeps_its_pages(client: Any, db: None) -> None:
    response = client.get("/admin/nothing/")
    assert response["Content-Type"].startswith("text/html")
