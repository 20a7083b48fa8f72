"""An edition as RSS 2.0, in the manner of the RSS Best Practices Profile.

https://www.rssboard.org/rss-specification, https://www.rssboard.org/rss-profile,
https://www.rssboard.org/media-rss. Django's generator does most of it.
"""

from collections.abc import Iterable
from datetime import datetime
from html import escape
from io import BytesIO
from typing import Any
from xml.sax.xmlreader import AttributesImpl

from django.utils.encoding import iri_to_uri
from django.utils.feedgenerator import Rss201rev2Feed
from django.utils.xmlutils import SimplerXMLGenerator

from publishing.feeds.edition import Edition, Image

CONTENT_TYPE = "application/rss+xml; charset=utf-8"
MEDIA = "http://search.yahoo.com/mrss/"
_NAMESPACES = {
    "xmlns:content": "http://purl.org/rss/1.0/modules/content/",
    "xmlns:dc": "http://purl.org/dc/elements/1.1/",
    "xmlns:media": MEDIA,
}


def written(edition: Edition) -> bytes:
    """The document, in UTF-8. RSS has no word for what was withdrawn: it is not there."""
    feed = _Rss(
        edition.title, edition.home, edition.description or edition.title,
        language=edition.language or None, feed_url=edition.address, hubs=edition.hubs,
        changed_at=edition.changed_at,
    )  # fmt: skip
    for entry in edition.entries:
        feed.add_item(
            entry.title, entry.link, escape(entry.summary, quote=False),
            pubdate=entry.published_at, unique_id=entry.id, unique_id_is_permalink=False,
            categories=entry.tags, authors=entry.authors, html=entry.html, images=entry.images,
        )  # fmt: skip
    document = BytesIO()
    feed.write(document, "utf-8")
    return document.getvalue()


def add_images(handler: SimplerXMLGenerator, images: Iterable[Image]) -> None:
    """Pictures with their descriptions, by Media RSS."""
    for image in images:
        kind = {"type": image.media_type} if image.media_type else {}
        about = {"url": iri_to_uri(image.src), "medium": "image", **kind}
        handler.startElement("media:content", AttributesImpl(about))
        if image.alt:
            handler.addQuickElement("media:description", image.alt, {"type": "plain"})
        handler.endElement("media:content")


class _Rss(Rss201rev2Feed):
    """With whole texts, several authors, pictures and hubs."""

    def rss_attributes(self) -> dict[str, str]:
        return {**super().rss_attributes(), **_NAMESPACES}

    def add_root_elements(self, handler: SimplerXMLGenerator) -> None:
        super().add_root_elements(handler)
        for hub in self.feed["hubs"]:
            handler.addQuickElement("atom:link", None, {"rel": "hub", "href": hub})

    def add_item_elements(self, handler: SimplerXMLGenerator, item: dict[str, Any]) -> None:
        super().add_item_elements(handler, {**item, "description": item["description"] or None})
        for name in item["authors"]:  # RSS's own "author" must be an address of email
            handler.addQuickElement("dc:creator", name)
        if item["html"]:
            handler.addQuickElement("content:encoded", item["html"])
        add_images(handler, item["images"])

    def latest_post_date(self) -> datetime:
        changed_at: datetime = self.feed["changed_at"]
        return changed_at
