"""An edition as Atom 1.0 (RFC 4287), with a tombstone for what was withdrawn (RFC 6721)."""

from datetime import datetime
from io import BytesIO
from typing import Any
from xml.sax.xmlreader import AttributesImpl

from django.utils.feedgenerator import Atom1Feed, rfc3339_date
from django.utils.xmlutils import SimplerXMLGenerator

from publishing.feeds.edition import Edition
from publishing.feeds.rss import MEDIA, add_images

CONTENT_TYPE = "application/atom+xml; charset=utf-8"
_TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"


def written(edition: Edition) -> bytes:
    """The document, in UTF-8."""
    feed = _Atom(
        edition.title, edition.home, edition.description,
        language=edition.language or None, feed_url=edition.address, feed_guid=edition.id,
        subtitle=edition.description or None, author_name=edition.title,
        hubs=edition.hubs, changed_at=edition.changed_at, withdrawn=edition.withdrawn,
    )  # fmt: skip
    for entry in edition.entries:
        feed.add_item(entry.title, entry.link, entry.summary, entry=entry)
    document = BytesIO()
    feed.write(document, "utf-8")
    return document.getvalue()


class _Atom(Atom1Feed):
    """With whole texts, several authors, pictures, hubs and tombstones."""

    def root_attributes(self) -> dict[str, str]:
        return {**super().root_attributes(), "xmlns:media": MEDIA, "xmlns:at": _TOMBSTONES}

    def add_root_elements(self, handler: SimplerXMLGenerator) -> None:
        super().add_root_elements(handler)
        for hub in self.feed["hubs"]:
            handler.addQuickElement("link", "", {"rel": "hub", "href": hub})

    def write_items(self, handler: SimplerXMLGenerator) -> None:
        for gone in self.feed["withdrawn"]:
            about = {"ref": gone.id, "when": rfc3339_date(gone.at)}
            handler.addQuickElement("at:deleted-entry", "", about)
        super().write_items(handler)

    def item_attributes(self, item: dict[str, Any]) -> dict[str, str]:
        language = item["entry"].language
        return {"xml:lang": language} if language != (self.feed["language"] or "") else {}

    def add_item_elements(self, handler: SimplerXMLGenerator, item: dict[str, Any]) -> None:
        # Not Django's: it knows one author, and says of every summary that it is HTML.
        entry = item["entry"]
        handler.addQuickElement("title", entry.title)
        handler.addQuickElement("id", entry.id)
        handler.addQuickElement("link", "", {"rel": "alternate", "href": item["link"]})
        handler.addQuickElement("published", rfc3339_date(entry.published_at))
        handler.addQuickElement("updated", rfc3339_date(entry.updated_at))
        for name in entry.authors:
            handler.startElement("author", AttributesImpl({}))
            handler.addQuickElement("name", name)
            handler.endElement("author")
        for tag in entry.tags:
            handler.addQuickElement("category", "", {"term": tag})
        if entry.summary:
            handler.addQuickElement("summary", entry.summary)
        if entry.html:
            handler.addQuickElement("content", entry.html, {"type": "html"})
        add_images(handler, entry.images)

    def latest_post_date(self) -> datetime:
        changed_at: datetime = self.feed["changed_at"]
        return changed_at
