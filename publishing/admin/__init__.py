"""The console's pages of publishing: channels, the queue, and what a story's page borrows."""

from publishing.admin.channels import ChannelAdmin
from publishing.admin.deliveries import DeliveryAdmin
from publishing.admin.story import DeliveryInline, publish
from publishing.admin.subscribers import SubscriberAdmin

__all__ = ["ChannelAdmin", "DeliveryAdmin", "DeliveryInline", "SubscriberAdmin", "publish"]
