"""What is taken as a request body: JSON or a form, in UTF-8, of bounded size, without NUL or lone surrogates."""

import json
from collections.abc import Iterator
from typing import IO, Any
from urllib.parse import parse_qsl

from django.http import HttpRequest, QueryDict
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

MAX_FIELDS = 200


class BodyTooLarge(APIException):
    status_code = 413
    default_detail = "The request body is too large."


def _refuse(constant: str) -> None:
    raise ValueError(constant)


# json.loads would make one for each body.
_decode = json.JSONDecoder(parse_constant=_refuse).decode


class _TextParser(BaseParser):
    """Reads at most `max_bytes` and decodes them; what they mean is the subclass's `parse_text`."""

    max_bytes = 100 * 1024
    noun = "text"
    # What begins a letter that is spelt by its number.
    escape: bytes

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        request = stream if isinstance(stream, HttpRequest) else HttpRequest()
        self._refuse_other_charsets(request, media_type)
        raw = stream.read(self.max_bytes + 1)
        if len(raw) > self.max_bytes:
            raise BodyTooLarge()
        # Half a form would be read as a whole one, with half a password.
        if len(raw) < int(request.META.get("CONTENT_LENGTH") or 0):
            raise ParseError("The request body broke off.")
        try:
            data = self.parse_text(raw.decode("utf-8"))
        # Brackets nested too deep for the JSON reader are a RecursionError.
        except (ValueError, RecursionError):
            raise ParseError(f"The request body is not valid {self.noun}.") from None
        # UTF-8 holds no lone surrogate, and JSON no bare NUL: they come as escapes, or in a form as themselves.
        if (self.escape in raw or b"\0" in raw) and any(
            "\x00" in text or not _is_encodable(text) for text in _texts(data)
        ):
            raise ParseError("The request body holds characters that no text may have (NUL or lone surrogates).")
        return data

    def parse_text(self, text: str) -> Any:
        raise NotImplementedError

    @staticmethod
    def _refuse_other_charsets(request: HttpRequest, media_type: str | None) -> None:
        charset = (request.content_params or {}).get("charset", "utf-8")
        if charset.lower().replace("-", "") not in {"utf8", "usascii"}:
            raise UnsupportedMediaType(media_type or "", detail="The request body must be in UTF-8.")


class JSONParser(_TextParser):
    """RFC 8259, without the NaN and Infinity that Python's reader takes on top."""

    media_type = "application/json"
    noun = "JSON"
    escape = b"\\"

    def parse_text(self, text: str) -> Any:
        return _decode(text)


class FormParser(_TextParser):
    """`application/x-www-form-urlencoded`, percent-escapes in UTF-8."""

    media_type = "application/x-www-form-urlencoded"
    noun = "form data"
    escape = b"%"

    def parse_text(self, text: str) -> QueryDict:
        form = QueryDict(mutable=True)
        for name, value in parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS):
            # Front-ends write a list as roles=a&roles=b or as roles[]=a&roles[]=b.
            form.appendlist(name.removesuffix("[]"), value)
        return form


class AlwaysTheFirstRenderer(DefaultContentNegotiation):
    """Answers in the view's own format whatever `Accept` says, as RFC 9110 section 12.4.1 permits."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        # DRF takes all of these types apart each time; most clients name theirs as the parsers do.
        named = request.content_type
        for parser in parsers:
            if parser.media_type == named:
                return parser
        return super().select_parser(request, parsers)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


def _texts(value: Any) -> Iterator[str]:
    """All texts inside a parsed body, names of fields included."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, QueryDict):
            waiting.extend(text for pair in item.lists() for text in (pair[0], *pair[1]))
        elif isinstance(item, dict):
            waiting.extend((*item.keys(), *item.values()))
        elif isinstance(item, list):
            waiting.extend(item)


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
