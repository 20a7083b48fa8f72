"""Coverage-guided fuzzing of the feed parser, for as long as one likes.

    uv pip install atheris && python -m tests.fuzz.fuzz_feeds -max_total_time=600

atheris has no wheel for every platform, so it is no requirement; `make test` runs the same check
on what Hypothesis thinks of (tests/sources/test_feed_fuzz.py).
"""

import json
import sys
import time

from sources.feedparsing import FeedError, parse
from sources.feedparsing.shape import as_json

LONGEST = 1.0  # seconds of CPU time

SEEDS = (
    b"<?xml version='1.0' encoding='utf-8'?><!DOCTYPE rss [<!ENTITY a 'b'>]>"
    b"<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/' "
    b"xmlns:media='http://search.yahoo.com/mrss/'><channel><title>T &eacute; &amp; c</title>"
    b"<link>https://a.example/</link><ttl>60</ttl><skipHours><hour>3</hour></skipHours>"
    b"<item><title><![CDATA[a &lt; b]]></title><guid isPermaLink='false'>1</guid>"
    b"<pubDate>Mon, 04 May 2026 10:00:00 +0200</pubDate><dc:creator>Ada (a@b.c)</dc:creator>"
    b"<description>&lt;a href='x'&gt;y&lt;/a&gt;</description><category>c</category>"
    b"<enclosure url='/e.mp3' length='5' type='audio/mpeg'/>"
    b"<media:group><media:content url='v'/></media:group></item></channel></rss>",
    b"<feed xmlns='http://www.w3.org/2005/Atom' xml:base='https://a.example/' xml:lang='en'>"
    b"<title type='html'>&lt;b&gt;T&lt;/b&gt;</title><link rel='hub' href='/hub'/>"
    b"<entry><id>tag:1</id><title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>a<br/>"
    b"</div></title><link href='1'/><updated>2026-05-04T10:00:00Z</updated><author><name>A</name>"
    b"</author><content mode='base64'>PHA+eDwvcD4=</content><category term='t' label='l'/>"
    b"</entry></feed>",
    b"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' "
    b"xmlns='http://purl.org/rss/1.0/'><channel rdf:about='u'><title>R</title></channel>"
    b"<item rdf:about='v'><title>I</title><link>https://a.example/1</link></item></rdf:RDF>",
    b'{"version": "https://jsonfeed.org/version/1.1", "title": "J", "hubs": [{"type": "WebSub", '
    b'"url": "h"}], "items": [{"id": "1", "url": "/1", "content_html": "<p>x</p>", "tags": ["a"], '
    b'"authors": [{"name": "A"}], "attachments": [{"url": "e", "size_in_bytes": 5}], '
    b'"date_published": "2026-05-04T10:00:00Z"}]}',
    b"<CHANNEL HREF='https://a.example/'><ITEM HREF='/1' LASTMOD='2003-12'><TITLE>C</TITLE></ITEM>"
    b"</CHANNEL>",
)


def check(document: bytes, content_type: str = "") -> None:
    """Raises whatever parsing `document` must never raise, or `AssertionError` if it took long."""
    began = time.process_time()
    try:
        feed = parse(document, content_type=content_type, url="https://a.example/feed")
        json.dumps(as_json(feed))
        assert all(copy.external_id or not copy.title for copy in feed.entries)
        for copy in feed.entries:
            copy.fingerprint()
    except FeedError:
        pass
    assert time.process_time() - began < LONGEST


def main() -> None:
    """Feed the parser what atheris finds."""
    import atheris  # type: ignore[import-untyped]  # no requirement

    def one(data: bytes) -> None:
        check(data[1:], "text/xml; charset=utf-16" if data[:1] == b"u" else "")

    atheris.instrument_all()
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
