"""Who may call a view: put `permission_classes = [HasRole("moderator")]` on it."""

from typing import Any, ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class RolePermission(BasePermission):
    """Lets in who holds one of `role_names` at this moment. Without names it lets nobody in."""

    role_names: ClassVar[tuple[str, ...]] = ()
    message: str

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(set(self.role_names) & set(getattr(request.user, "role_names", ())))


def HasRole(*names: str) -> type[RolePermission]:  # noqa: N802
    """A permission class for holders of any of the roles `names`; combines with DRF's `&`, `|` and `~`.

    A role means itself: an admin who does not also hold `moderator` is refused by HasRole("moderator").
    Raises TypeError without a name, or for one that is not a text.
    """
    if not names or not all(isinstance(name, str) for name in names):
        raise TypeError('HasRole needs the names of roles, for instance HasRole("moderator")')
    wanted = " or ".join(name.capitalize() for name in names)
    return type("HasRole", (RolePermission,), {"role_names": names, "message": f"Require {wanted} Role!"})
