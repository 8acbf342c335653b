"""What the pages share: a refusal of a service is a message on the page, and some pages only show."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.contrib import admin, messages
from django.contrib.messages import get_messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from accounts.errors import AccountError
from accounts.models import COUNTED
from accounts.pagination import counted
from accounts.transactions import once

# More would be too large a form (DATA_UPLOAD_MAX_NUMBER_FIELDS), and hold up others for too long.
AT_ONCE = 500


class AtLeast(int):
    """A number of things of which there are more."""

    def __str__(self) -> str:
        return f"{int(self)}+"


class FirstPages(Paginator):
    """The first COUNTED rows, and whether there are more. Searching and filters lead to those."""

    @cached_property
    def count(self) -> int:
        found = counted(self.object_list)
        return AtLeast(COUNTED) if found is None else found


class LongListAdmin(admin.ModelAdmin):
    """Pages whose lists may be of millions."""

    paginator = FirstPages
    show_full_result_count = False


class ServiceAdmin(LongListAdmin):
    """Pages whose changes are service calls. What those refuse is undone, said, and leaves one where one was."""

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._in_one(super().changelist_view, request, *args, **kwargs)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._in_one(super().changeform_view, request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._in_one(super().delete_view, request, *args, **kwargs)

    def response_action(  # type: ignore[override]  # Django's stubs know an argument of a later version
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponse | None:
        """Of a list, all of which can be selected, no more than can be done at once."""
        is_all = request.POST.get("select_across", "0") != "0"
        if is_all and queryset.order_by()[: AT_ONCE + 1].count() > AT_ONCE:
            told = f"At most {AT_ONCE} at once. Search or filter for fewer, or take them page by page."
            self.message_user(request, told, messages.ERROR)
            return None
        return super().response_action(request, queryset)

    def _in_one(self, view: Callable[..., Any], request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """What a page does is one transaction, and its answer comes of that."""
        if request.method == "POST":
            view = once(_saying_it_once(view, request))
        return self._unless_refused(view, request, *args, **kwargs)

    def _unless_refused(
        self, view: Callable[..., Any], request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except AccountError as error:
            self.message_user(request, error.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


def _saying_it_once(view: Callable[..., Any], request: HttpRequest) -> Callable[..., Any]:
    """The view, which forgets what a try before it had to say that was undone."""
    said: list[Any] = get_messages(request)._queued_messages  # type: ignore[union-attr]
    before = len(said)

    def afresh(*args: Any, **kwargs: Any) -> Any:
        del said[before:]
        return view(*args, **kwargs)

    return afresh


class ReadOnlyAdmin(LongListAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
