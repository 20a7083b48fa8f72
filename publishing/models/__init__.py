"""Channels, the publishing queue, its attempts. A module for each; everybody imports from here."""

from publishing.models.channel import Channel
from publishing.models.delivery import Attempt, Delivery
from publishing.models.feed import Feed, FeedEntry, HubPing
from publishing.models.request import KeptAnswer
from publishing.models.subscriber import Letter, Subscriber
from publishing.models.watch import Reading, Watch

__all__ = [
    "Attempt", "Channel", "Delivery", "Feed", "FeedEntry", "HubPing", "KeptAnswer", "Letter",
    "Reading", "Subscriber", "Watch",
]  # fmt: skip
