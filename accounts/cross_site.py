"""Whether a state-changing request came from another site: cookies are sent along with those too."""

from rest_framework.request import Request

from accounts.conf import conf
from accounts.errors import CrossSiteRequest

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def refuse(request: Request) -> None:
    """Raises CrossSiteRequest if `request` changes state and comes from an origin that is neither ours nor listed.

    Browsers name the origin of every such request (Fetch standard, 'append a request Origin header'); one that
    comes without is judged by Sec-Fetch-Site, and one without both is no browser's.
    """
    if request.method in SAFE_METHODS:
        return
    origin = request.META.get("HTTP_ORIGIN")
    if origin is not None:
        ours = f"{request.scheme}://{request.get_host()}"
        foreign = origin != ours and origin not in conf.listed_origins
    else:
        foreign = request.META.get("HTTP_SEC_FETCH_SITE", "none") not in {"same-origin", "none"}
    if foreign:
        raise CrossSiteRequest()


def refuse_where_cookies_play(request: Request) -> None:
    """As `refuse`, for endpoints that take or give tokens: only where cookies are delivered or came along."""
    if conf.delivers_in_cookies or {conf.access_cookie, conf.refresh_cookie} & request.COOKIES.keys():
        refuse(request)
