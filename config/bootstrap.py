"""What a fresh desk needs before anybody can sign in. Safe to run any number of times."""

import secrets

from django.contrib.auth.models import User

ADMINISTRATOR = "admin"


def first_administrator() -> str:
    """Make the first administrator if there is none yet; the password, or "" if there was one."""
    if User.objects.filter(is_superuser=True).exists():
        return ""
    password = secrets.token_urlsafe(9)
    User.objects.create_superuser(ADMINISTRATOR, password=password)
    return password


def samples(demo_url: str | None) -> None:
    """Sources and channels for a first look; the simulator's, where there is one."""
    from publishing import samples as channels
    from sources import samples as sources

    sources.load(demo_url)
    channels.load(demo_url)
