"""Whether a page or JSON is the better answer."""

from django.http import HttpRequest
from rest_framework.request import Request


def wants_html(request: HttpRequest | Request) -> bool:
    """Whether `Accept` prefers HTML to JSON (RFC 9110 section 12.5.1), as that of a browser does which goes to an
    address. Who takes anything, or says nothing, is a program and gets JSON."""
    return request.get_preferred_type(["application/json", "text/html"]) == "text/html"
