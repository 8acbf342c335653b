"""What a User-Agent says, in a word or two. The client can say what it likes: it is for recognising devices only."""

# In this order: each claims to be those after it.
BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser/": "Samsung Internet",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def device(user_agent: str) -> str:
    """'Firefox on Linux'; of what is no browser that is known, what it calls itself: 'curl/8.5.0'."""
    browser = _first(BROWSERS, user_agent)
    system = _first(SYSTEMS, user_agent)
    return f"{browser} on {system}" if browser and system else user_agent[:60] or "not told"


def _first(marks: dict[str, str], text: str) -> str:
    return next((name for mark, name in marks.items() if mark in text), "")
