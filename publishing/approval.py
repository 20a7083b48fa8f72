"""Approval binds to what will be sent: kept when it is queued, compared when it goes out."""

from publishing import fingerprint, posts
from publishing.models import Channel, Delivery
from publishing.post import Post


def bind(delivery: Delivery) -> None:
    """Note on the delivery, which its caller saves, what was approved: the story as it is now."""
    delivery.payload_parts = _parts(delivery, posts.of_delivery(delivery))
    delivery.payload_hash = fingerprint.whole(delivery.payload_parts)
    delivery.refused_hash = ""


def changed(delivery: Delivery, post: Post) -> str:
    """What is different in `post` or the channel from what was approved, in words; "" if nothing.

    Deliveries of before approval bound to anything have nothing to compare with. Notes the hash
    of what it has become on the delivery, which its caller saves.
    """
    if not delivery.payload_hash or delivery.wish == Delivery.Wishes.WITHDRAW:
        return ""
    now = _parts(delivery, post)
    words = fingerprint.changed(delivery.payload_parts, now)
    delivery.refused_hash = fingerprint.whole(now) if words else ""
    return words


def approve_change(delivery: Delivery) -> bool:
    """Bind anew what was held because it had changed; False if it isn't what was refused then.

    Who releases such a delivery has read that it changed. What has changed once more since is
    not approved by that: it is held again.
    """
    if not delivery.refused_hash:
        return False
    now = _parts(delivery, posts.of_delivery(delivery))
    if fingerprint.whole(now) != delivery.refused_hash:
        return False
    delivery.payload_parts, delivery.payload_hash = now, delivery.refused_hash
    delivery.refused_hash = ""
    return True


def settings_hash(channel: Channel) -> str:
    """The hash of a channel's settings, as `approve_settings` takes it."""
    nothing = Post("", "", "")
    return fingerprint.parts(
        nothing, platform=channel.platform, options=channel.options, act=""
    )["settings"]  # fmt: skip


def approve_settings(delivery: Delivery, seen: str) -> bool:
    """Bind anew what differs from what was approved in the channel's settings only.

    False if these aren't what was `seen`, or anything else is different.
    """
    now = _parts(delivery, posts.of_delivery(delivery))
    approved = {**delivery.payload_parts, "settings": seen}
    if not (seen and delivery.payload_hash) or fingerprint.changed(approved, now):
        return False
    delivery.payload_parts, delivery.payload_hash = now, fingerprint.whole(now)
    delivery.refused_hash = ""
    return True


def payload_hash(delivery: Delivery, post: Post) -> str:
    """The hash of what goes out now."""
    return fingerprint.whole(_parts(delivery, post))


def _parts(delivery: Delivery, post: Post) -> dict[str, str]:
    return fingerprint.parts(
        post, platform=delivery.platform, options=delivery.channel.options, act=delivery.act
    )
