"""Accounts are made by an administrator; nobody signs up."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedDoor(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """Keeps allauth's sign-up closed: a newsroom's accounts come from its administrator."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
