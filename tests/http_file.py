"""Reads a .http file and sends what is in it, as VS Code's REST Client does with those of its rules that we use."""

import re
from collections.abc import Iterator
from typing import Any

import httpx

DEFINED = re.compile(r"^@(\w+) = (.*)$", re.MULTILINE)
NAMED = re.compile(r"^# @name (\w+)$", re.MULTILINE)
REQUEST = re.compile(r"^([A-Z]+) (\S+)\n((?:[\w-]+: [^\n]*\n)*)(?:\n(.*))?", re.MULTILINE | re.DOTALL)
REFERENCE = re.compile(r"\{\{(\w+)(?:\.response\.body\.\$([^}]*))?\}\}")


class HttpFile:
    def __init__(self, text: str, **instead: str) -> None:
        """With other values for some of its variables."""
        self.parts = re.split(r"^###.*\n", text, flags=re.MULTILINE)
        self.variables = {**dict(DEFINED.findall(text)), **instead}
        self.answers: dict[str, Any] = {}

    def sent(self, client: httpx.Client) -> Iterator[tuple[str, int]]:
        """The name of each request and the status of its answer, in the order of the file."""
        for part in self.parts[1:]:
            name, request = NAMED.findall(part)[0], REQUEST.search(part)
            assert request
            method, url, headers, body = (self._filled(text or "") for text in request.groups())
            pairs = dict(line.split(": ", 1) for line in headers.splitlines())
            answer = client.request(method, url, headers=pairs, content=body.strip() or None)
            self.answers[name] = answer
            yield name, answer.status_code

    def _filled(self, text: str) -> str:
        return REFERENCE.sub(lambda found: self._value(found[1], found[2]), text)

    def _value(self, name: str, path: str | None) -> str:
        if path is None:
            return self._filled(self.variables[name])
        value = self.answers[name].json()
        for field, index in re.findall(r"\.(\w+)|\[(\d+)\]", path):
            value = value[field or int(index)]
        return str(value)
