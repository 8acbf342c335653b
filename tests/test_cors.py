"""CORS: which front-ends' pages may call the API, and read its errors."""

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

pytestmark = pytest.mark.no_database

CLIENT = "http://localhost:8081"


def preflight(api: APIClient, path: str, origin: str = CLIENT, headers: str = "content-type") -> dict[str, str]:
    response = api.options(
        path,
        headers={
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": headers,
        },
    )
    assert response.status_code in {200, 204}
    return {name.lower(): value for name, value in response.items()}


@pytest.mark.parametrize("origin", [CLIENT, "http://localhost:4200", "http://localhost:3000"])
@pytest.mark.parametrize("path", ["/api/auth/signin", "/api/auth/refreshtoken", "/api/test/admin"])
def test_a_preflight_names_the_exact_origin_and_allows_credentials(api: APIClient, origin: str, path: str) -> None:
    answer = preflight(api, path, origin)
    assert answer["access-control-allow-origin"] == origin
    assert answer["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize("header", ["x-access-token", "authorization", "content-type", "origin", "accept"])
def test_a_preflight_allows_the_headers_that_clients_send(api: APIClient, header: str) -> None:
    allowed = preflight(api, "/api/test/user", headers=header)["access-control-allow-headers"]
    assert header in allowed.split(", ")


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:8082", "null"])
def test_an_origin_that_is_not_listed_is_allowed_nothing(api: APIClient, origin: str) -> None:
    assert not [name for name in preflight(api, "/api/auth/signin", origin) if name.startswith("access-control-allow")]


def test_an_answer_names_the_origin_and_what_its_scripts_may_read(api: APIClient) -> None:
    response = api.get("/api/test/all", headers={"origin": CLIENT})
    assert response["Access-Control-Allow-Origin"] == CLIENT
    assert response["Access-Control-Allow-Credentials"] == "true"
    assert response["Access-Control-Expose-Headers"] == "Retry-After, X-Request-ID"
    assert "origin" in response["Vary"]


@pytest.mark.parametrize("path", ["/api/test/all", "/"])
def test_an_answer_to_who_names_no_origin_varies_with_it_too(api: APIClient, path: str) -> None:
    response = api.get(path)
    assert ("origin" in response["Vary"], "Access-Control-Allow-Origin" in response) == (True, False)


@pytest.mark.parametrize("path", ["/api/test/user", "/api/nothing"])
def test_errors_can_be_read_too(api: APIClient, path: str) -> None:
    assert api.get(path, headers={"origin": CLIENT})["Access-Control-Allow-Origin"] == CLIENT


def test_an_answer_to_an_origin_that_is_not_listed_has_no_permission(api: APIClient) -> None:
    assert "Access-Control-Allow-Origin" not in api.get("/api/test/all", headers={"origin": "https://evil.example"})


@pytest.mark.django_db
def test_the_admin_is_for_its_own_pages_only(api: APIClient) -> None:
    assert "Access-Control-Allow-Origin" not in api.get("/admin/login/", headers={"origin": CLIENT})


def test_origins_are_a_setting(api: APIClient, settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    assert preflight(api, "/api/auth/signin", "https://app.example.com")["access-control-allow-origin"]
