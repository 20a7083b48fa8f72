"""What the desk's pages borrow from the spokes' pages: deliveries and AI suggestions.

The one declared exception to “the hub knows no spoke”: an editor wants to see on a story's page
where it went and what AI suggests, without walking through three lists.
"""

from ai.admin import SuggestionInline, suggestion_acts

try:
    from publishing.admin import DeliveryInline, publish_acts
except ImportError:  # TODO(H): goes when publishing.admin is there
    DeliveryInline = None

    def publish_acts():
        return []


__all__ = [
    "DeliveryInline",
    "SuggestionInline",
    "publish_acts",
    "suggestion_acts",
]
