"""What the desk's own people are told of a feed: on the channel's page and on receipts."""

from typing import Any

from publishing.feeds import addresses
from publishing.models import Channel, Delivery, Feed, FeedEntry, HubPing


def in_receipt(delivery: Delivery) -> dict[str, Any] | None:
    """A delivery's entry and what hubs know of it, ready for JSON; None if it has none."""
    entry = (
        FeedEntry.objects.select_related("feed")
        .filter(delivery_id=delivery.of_id or delivery.pk)
        .first()
    )
    if entry is None:
        return None
    gone = entry.withdrawn_at
    return {
        "page": addresses.of_entry(entry.feed, entry.marker),
        "withdrawn_at": gone.isoformat() if gone else None,
        "hubs": [
            {
                "hub": ping.hub,
                "told": ping.told_version >= entry.version,
                "told_at": ping.told_at.isoformat() if ping.told_at else None,
                "said": ping.said,
            }
            for ping in HubPing.objects.filter(feed=entry.feed).order_by("hub")
        ],
    }


def on_channel_page(channel: Channel) -> dict[str, Any] | None:
    """A channel's feed: its addresses, entries and hubs; None while it has none. Three queries."""
    feed = Feed.objects.filter(channel=channel).first()
    if feed is None:
        return None
    return {
        "front": addresses.of_front(feed),
        "forms": [
            {"name": name, "address": addresses.of_feed(feed, form)}
            for form, name in addresses.FORMS.items()
        ],
        "entries": FeedEntry.objects.filter(feed=feed, withdrawn_at=None).count(),
        "hubs": [
            {"ping": ping, "told": ping.told_version >= feed.version}
            for ping in HubPing.objects.filter(feed=feed).order_by("hub")
        ],
    }
