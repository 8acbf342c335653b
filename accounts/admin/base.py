"""What the pages share: a refusal of a service is a message on the page, and some pages only show."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from accounts.errors import AccountError
from accounts.models import COUNTED
from accounts.pagination import counted
from accounts.transactions import once


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

    def _in_one(self, view: Callable[..., Any], request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """What a page does is one transaction, and its answer comes of that."""
        return self._unless_refused(once(view) if request.method == "POST" else view, request, *args, **kwargs)

    def _unless_refused(
        self, view: Callable[..., Any], request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except AccountError as error:
            self.message_user(request, error.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


class ReadOnlyAdmin(LongListAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
