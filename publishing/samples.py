"""Channels for a first look. Safe to load any number of times; never overwrites a channel."""

from publishing.feeds.entries import opened
from publishing.models import Channel


def load(demo_url: str | None) -> None:
    """A dry run for everybody; with the simulator's address, channels into it and a feed."""
    _channel("Dry run", "dryrun", {}, {})
    if demo_url is None:
        return
    opened(_channel("Northmark feed", "feed", {}, {}))
    from simulator import credentials

    _channel(
        "Northmark blog", "wordpress", {"url": f"{demo_url}/wordpress"},
        {"user": credentials.WORDPRESS_USER, "app_password": credentials.WORDPRESS_APP_PASSWORD},
    )  # fmt: skip
    _channel(
        "@newsdesk on Mastodon", "mastodon", {"url": f"{demo_url}/mastodon"},
        {"token": credentials.MASTODON_TOKEN},
    )  # fmt: skip
    _channel(
        "Partner webhook", "webhook", {"url": f"{demo_url}/webhook"},
        {"secret": credentials.WEBHOOK_SECRET},
    )  # fmt: skip


def _channel(
    name: str, platform: str, options: dict[str, str], credentials: dict[str, str]
) -> Channel:
    channel, _new = Channel.objects.get_or_create(
        name=name,
        defaults={"platform": platform, "options": options, "credentials": credentials},
    )
    return channel
