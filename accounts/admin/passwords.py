"""A new password ends the user's sessions, whoever sets it."""

from django.contrib.auth.forms import AdminPasswordChangeForm

from accounts import services
from accounts.admin_site import ByActor
from accounts.models import User


class PasswordForm(ByActor, AdminPasswordChangeForm):
    """For somebody else's; they can also be left without one."""

    def save(self, commit: bool = True) -> User:
        if self.cleaned_data["set_usable_password"]:
            services.set_password(user=self.user, password=self.cleaned_data["password1"], by=self.by)
        else:
            services.remove_password(user=self.user, by=self.by)
        return self.user
