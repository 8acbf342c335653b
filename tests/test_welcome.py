"""GET / and GET /docs: the front door."""

from rest_framework.test import APIClient


def test_the_front_door_says_where_to_go(api: APIClient) -> None:
    assert api.get("/").json() == {
        "message": "Welcome to authproject.",
        "documentation": "http://testserver/docs",
        "admin": "http://testserver/admin/",
    }


def test_the_documentation_is_the_wire_contract(api: APIClient) -> None:
    response = api.get("/docs")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert b"POST /api/auth/signin" in response.content
