"""Actions on the selected that ask first: a page says what will happen to whom; then, what did and what was refused."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model
from django.http import HttpRequest
from django.template.response import TemplateResponse

from accounts.errors import AccountError

Row = TypeVar("Row", bound=Model)
NAMED = 20


@dataclass(frozen=True)
class Deed(Generic[Row]):
    """What an action does, and how it is told."""

    question: str  # "Deactivate {}?", of how many
    consequence: str
    button: str
    done: str  # "Deactivated: {}.", of how many and whom
    unaffected: str  # why nothing changes for the others
    affects: Callable[[Row], bool]
    do: Callable[[Row], object]  # gives False where there was nothing to do
    name: Callable[[Row], str] = str
    warnings: Callable[[list[Row]], list[str]] = lambda rows: []
    hidden: dict[str, str] = field(default_factory=dict)


def confirmed(page: ModelAdmin, request: HttpRequest, rows: Iterable[Row], deed: Deed[Row]) -> TemplateResponse | None:
    """The page that asks; or None, when it was answered and the deed is done and told."""
    chosen = list(rows)
    if "post" not in request.POST:
        return _question(page, request, chosen, deed)
    gone = len(set(request.POST.getlist(ACTION_CHECKBOX_NAME))) - len(chosen)
    _carry_out(page, request, chosen, deed)
    if gone > 0:
        page.message_user(request, f"Gone by now: {gone}.", messages.WARNING)
    return None


def _question(page: ModelAdmin, request: HttpRequest, chosen: list[Row], deed: Deed[Row]) -> TemplateResponse:
    affected = [row for row in chosen if deed.affects(row)]
    others = [row for row in chosen if not deed.affects(row)]
    context = {
        "title": deed.question.format(_many(page, len(affected))),
        "deed": deed,
        "affected": Named.of(affected, deed.name),
        "others": Named.of(others, deed.name),
        "warnings": deed.warnings(affected),
        "rows": chosen,
    }
    return show(page, request, "confirm", context)


def _carry_out(page: ModelAdmin, request: HttpRequest, chosen: list[Row], deed: Deed[Row]) -> None:
    """Each by itself: what is refused for one is done for the others. What is so is looked at anew: since the question
    was asked, others may have changed it."""
    done, unaffected, refused = list[Row](), list[Row](), dict[str, list[Row]]()
    for row in chosen:
        try:
            (done if deed.affects(row) and deed.do(row) is not False else unaffected).append(row)
        except AccountError as error:
            refused.setdefault(error.message, []).append(row)
    if done:
        page.message_user(request, deed.done.format(Named.of(done, deed.name)), messages.SUCCESS)
    if unaffected:
        told = f"Nothing changed for {Named.of(unaffected, deed.name)}: {deed.unaffected}."
        page.message_user(request, told, messages.WARNING)
    for why, rows in refused.items():
        page.message_user(request, f"Refused for {Named.of(rows, deed.name)}: {why}", messages.ERROR)


def show(page: ModelAdmin, request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
    request.current_app = page.admin_site.name
    common = {
        **page.admin_site.each_context(request),
        "opts": page.opts,
        "media": page.media,
        "action": request.POST["action"],
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, f"admin/accounts/{template}.html", {**common, **context})


@dataclass(frozen=True)
class Named:
    """The first NAMED of them by name, and how many more."""

    number: int
    names: list[str]

    @classmethod
    def of(cls, rows: list[Row], name: Callable[[Row], str]) -> "Named":
        return cls(len(rows), [name(row) for row in rows[:NAMED]])

    @property
    def more(self) -> int:
        return self.number - len(self.names)

    def __str__(self) -> str:
        more = f" and {self.more} more" if self.more else ""
        return f"{self.number} ({', '.join(self.names)}{more})"


def _many(page: ModelAdmin, number: int) -> str:
    name = page.opts.verbose_name if number == 1 else page.opts.verbose_name_plural
    return f"{number} {name}"
