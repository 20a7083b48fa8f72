"""Users and groups. What allauth keeps besides (addresses, second factors) is folded in here."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import allauth.account.admin
import allauth.mfa.admin  # noqa: F401
import django.contrib.auth.admin  # noqa: F401
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import ManyToManyField, QuerySet
from django.http import HttpRequest

from config.admin_base import Act, Checkboxes, DeskAdmin, display

if TYPE_CHECKING:
    from django.contrib.auth.forms import (
        AdminPasswordChangeForm,
        AdminUserCreationForm,
        UserChangeForm,
    )

    _UserAdmin = DjangoUserAdmin[Any]
    UserCreationForm = AdminUserCreationForm
else:
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

    _UserAdmin = DjangoUserAdmin

apps.get_app_config("auth").verbose_name = "People"
for model in (User, Group, EmailAddress, Authenticator):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


def _drop_second_factor(_request: HttpRequest, user: Any, _data: Mapping[str, Any]) -> str:
    Authenticator.objects.filter(user=user).delete()
    return f"{user} signs in with the password alone now and can set up a second factor again."


def _has_second_factor(request: HttpRequest, user: Any) -> bool:
    return (
        request.user.has_perm("auth.change_user")
        and (request.user.is_superuser or not user.is_superuser)
        and Authenticator.objects.filter(user=user).exists()
    )


@admin.register(User)
class PersonAdmin(DeskAdmin, _UserAdmin):
    """Who works here and what they may do. People who left are made inactive, not deleted."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "full_name", "email", "roles", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    search_fields = ("username", "first_name", "last_name", "email")
    filter_horizontal = ()
    formfield_overrides = {ManyToManyField: {"widget": Checkboxes}}
    ordering = ("username",)
    warn_unsaved_form = True
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password", ("first_name", "last_name"), "email")}),
        (
            "What they may do",
            {
                "fields": ("groups", "is_active", "is_staff", "is_superuser"),
                "description": "The groups Viewer, Writer, Editor, Publisher and Admin hold the "
                "desk's rights. “Staff” may open the console.",
            },
        ),
        ("Dates", {"fields": (("last_login", "date_joined"),)}),
    )
    add_fieldsets = (
        (
            None,
            {
                "fields": ("username", "usable_password", "password1", "password2", "email",
                           "groups", "is_staff"),
            },
        ),
    )  # fmt: skip
    acts = (
        Act(
            name="drop-second-factor",
            label="Remove second factor",
            icon="phonelink_erase",
            perform=_drop_second_factor,
            permitted=_has_second_factor,
            hint="For somebody who lost their phone. Make sure it is them who asks.",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With their groups."""
        return super().get_queryset(request).prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Only a superuser makes superusers."""
        fields = [*super().get_readonly_fields(request, obj)]
        return fields if request.user.is_superuser else [*fields, "is_superuser"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An administrator doesn't change a superuser, least of all the password."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """New people may open the console."""
        return {"is_staff": True}

    @display(description="Name")
    def full_name(self, user: Any) -> str:
        """First and last name."""
        return user.get_full_name() or "–"

    @display(description="Groups", label=True)
    def roles(self, user: Any) -> list[str]:
        """What they are here."""
        groups = [group.name for group in user.groups.all()]
        return ["Superuser", *groups] if user.is_superuser else groups


@admin.register(Group)
class GroupAdmin(DeskAdmin, DjangoGroupAdmin):
    """Sets of rights. The five of the desk get theirs back after every upgrade."""

    deletable = True
    list_display = ("name", "people")
    search_fields = ("name",)
    ordering = ("name",)
    filter_horizontal = ()
    autocomplete_fields = ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The desk's own groups stay."""
        from articles.rights import GROUPS

        return (obj is None or obj.name not in GROUPS) and super().has_delete_permission(
            request, obj
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With how many are in it."""
        from django.db.models import Count

        groups: QuerySet[Any] = super().get_queryset(request).annotate(size=Count("user"))
        return groups

    @display(description="People")
    def people(self, group: Any) -> int:
        """How many hold it."""
        size: int = group.size
        return size
