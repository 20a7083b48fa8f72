"""The console's frame: sidebar, badges, dashboard, name and looks. Called by django-unfold."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static


def logo(_request: HttpRequest) -> str:
    """The mark beside the name."""
    return static("newsdesk/mark.svg")
