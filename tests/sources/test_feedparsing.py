"""Feeds of every dialect become the same values; what is no feed is named."""

from datetime import UTC, datetime

import pytest

from sources.feedparsing import FeedError, parse
from sources.feedparsing.dates import from_timestamp, parse_date

URL = "https://gazette.example/feeds/all.xml"


def rss(inside: str, version: str = "2.0", namespaces: str = "") -> bytes:
    return (
        f"<?xml version='1.0' encoding='utf-8'?><rss version='{version}' {namespaces}>"
        f"<channel><title>The Gazette</title><link>https://gazette.example/</link>"
        f"<language>en-gb</language>{inside}</channel></rss>"
    ).encode()


def atom(inside: str, attributes: str = "") -> bytes:
    return (
        f"<feed xmlns='http://www.w3.org/2005/Atom' {attributes}><title>The Wire</title>"
        f"{inside}</feed>"
    ).encode()


def first(document: bytes, **more: str):
    return parse(document, url=URL, **more).entries[0]


# --- dialects ---


def test_rss_2_with_full_text_author_tags_and_enclosure():
    piece = first(
        rss(
            "<item><title>Ferry &amp;amp; harbour</title><link>https://gazette.example/1</link>"
            "<guid isPermaLink='false'>urn:1</guid>"
            "<pubDate>Mon, 04 May 2026 10:00:00 +0200</pubDate>"
            "<dc:creator>Ines Talbot</dc:creator><category>Sea</category><category>Sea</category>"
            "<description>Short.</description>"
            "<content:encoded><![CDATA[<p>Long.</p>]]></content:encoded>"
            "<enclosure url='/sound.mp3' type='audio/mpeg' length='5'/></item>",
            namespaces="xmlns:dc='http://purl.org/dc/elements/1.1/' "
            "xmlns:content='http://purl.org/rss/1.0/modules/content/'",
        )
    )
    assert piece.external_id == "urn:1"
    assert piece.title == "Ferry & harbour"
    assert piece.url == "https://gazette.example/1"
    assert piece.published_at == datetime(2026, 5, 4, 8, tzinfo=UTC)
    assert piece.authors == ("Ines Talbot",)
    assert piece.tags == ("Sea",)
    assert (piece.content, piece.summary) == ("<p>Long.</p>", "Short.")
    assert piece.language == "en-gb"
    assert piece.metadata == {
        "enclosures": [
            {"url": "https://gazette.example/sound.mp3", "type": "audio/mpeg", "length": 5}
        ]
    }


def test_rss_091_with_its_doctype():
    document = (
        b'<?xml version="1.0"?><!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" '
        b'"http://my.netscape.com/publish/formats/rss-0.91.dtd"><rss version="0.91"><channel>'
        b"<title>Old</title><item><title>One</title><link>https://old.example/1</link></item>"
        b"</channel></rss>"
    )
    feed = parse(document, url=URL)
    assert feed.version == "rss 0.91"
    assert feed.entries[0].external_id == "https://old.example/1"


def test_rss_1_items_stand_beside_the_channel():
    document = (
        b"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' "
        b"xmlns='http://purl.org/rss/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/'>"
        b"<channel rdf:about='https://rdf.example/'><title>RDF</title></channel>"
        b"<item rdf:about='urn:a'><title>A</title><link>https://rdf.example/a</link>"
        b"<dc:date>2026-05-04T10:00:00Z</dc:date></item></rdf:RDF>"
    )
    feed = parse(document, url=URL)
    assert feed.version == "rss 1.0"
    assert feed.entries[0].external_id == "urn:a"
    assert feed.entries[0].published_at == datetime(2026, 5, 4, 10, tzinfo=UTC)


def test_atom_1_with_every_kind_of_text():
    piece = first(
        atom(
            "<author><name>Agency</name></author><entry><id>tag:1</id>"
            "<title type='html'>Fish &amp;amp; &lt;b&gt;chips&lt;/b&gt;</title>"
            "<link rel='self' href='/self'/><link rel='edit' href='/edit'/><link href='/one'/>"
            "<published>2026-05-04T10:00:00Z</published><updated>2026-05-05T10:00:00Z</updated>"
            "<category term='sea' label='The sea'/><summary>1 &lt; 2</summary>"
            "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>Yes <b>x</b> y</p>"
            "</div></content></entry>"
        )
    )
    assert piece.external_id == "tag:1"
    assert piece.title == "Fish & chips"
    assert piece.url == "https://gazette.example/one"
    assert piece.authors == ("Agency",)
    assert piece.tags == ("The sea",)
    assert piece.summary == "1 &lt; 2"
    assert "<p>Yes <b>x</b> y</p>" in piece.content
    assert piece.updated_at == datetime(2026, 5, 5, 10, tzinfo=UTC)


def test_atom_03():
    document = (
        b"<feed version='0.3' xmlns='http://purl.org/atom/ns#'><title>Old</title><entry>"
        b"<id>tag:old</id><title mode='escaped'>A &lt;i&gt;B&lt;/i&gt;</title>"
        b"<issued>2004-02-01T10:00:00+01:00</issued><modified>2004-02-02T10:00:00Z</modified>"
        b"<content mode='escaped' type='text/html'>&lt;p&gt;Hi&lt;/p&gt;</content></entry></feed>"
    )
    feed = parse(document, url=URL)
    assert feed.version == "atom 0.3"
    assert feed.entries[0].title == "A B"
    assert feed.entries[0].content == "<p>Hi</p>"
    assert feed.entries[0].published_at == datetime(2004, 2, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("version", "author"),
    [("1", '"author": {"name": "Ada"}'), ("1.1", '"authors": [{"name": "Ada"}, 7]')],
)
def test_json_feed(version, author):
    document = (
        f'{{"version": "https://jsonfeed.org/version/{version}", "title": "JSON", "items": ['
        f'{{"id": 7, "url": "/a", "content_text": "a < b\\n\\nc", {author}, "tags": ["x", null],'
        f'"date_published": "2026-05-04T10:00:00Z"}}, "junk"]}}'
    ).encode()
    feed = parse(document, url=URL)
    (piece,) = feed.entries
    assert feed.version == f"json {version}"
    assert (piece.external_id, piece.url) == ("7", "https://gazette.example/a")
    assert piece.content == "<p>a &lt; b</p><p>c</p>"
    assert (piece.authors, piece.tags) == (("Ada",), ("x",))
    assert feed.warnings == ("1 items are not objects and were left out.",)


# --- text ---


def test_named_entities_keep_the_text_behind_them():
    piece = first(rss("<item><title>Caf&eacute;&nbsp;opens &unknown; &mdash; again</title></item>"))
    assert piece.title == "Café\xa0opens &unknown; — again"


def test_what_looks_like_an_entity_in_cdata_is_left_alone():
    piece = first(
        rss("<item><title>T</title><description><![CDATA[a&nbsp;<!ENTITY b]]></description></item>")
    )
    assert piece.content == "a&nbsp;<!ENTITY b"


def test_a_prefix_that_nobody_declared_means_what_it_usually_means():
    piece = first(rss("<item><title>T</title><dc:creator>Ada</dc:creator><x:y>z</x:y></item>"))
    assert piece.authors == ("Ada",)


def test_a_podcasts_own_title_is_not_the_pieces_title():
    piece = first(
        rss(
            "<item><itunes:title>Wrong</itunes:title><title>Right</title>"
            "<itunes:author>Ada</itunes:author></item>",
            namespaces="xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'",
        )
    )
    assert (piece.title, piece.authors) == ("Right", ("Ada",))


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("ada@example.org (Ada Byron)", "Ada Byron"),
        ("Ada Byron &lt;ada@example.org&gt;", "Ada Byron"),
        ("Ada Byron", "Ada Byron"),
    ],
)
def test_authors_are_names(given, name):
    assert first(rss(f"<item><title>T</title><author>{given}</author></item>")).authors == (name,)


def test_links_in_the_text_lead_where_xml_base_says():
    piece = first(
        atom(
            "<entry xml:base='https://other.example/x/'><id>1</id><title>T</title><link href='y'/>"
            "<content type='html'>&lt;a href='../z'&gt;z&lt;/a&gt; &lt;a href='#n'&gt;n&lt;/a&gt; "
            '&lt;img alt="i" src="/i.png"&gt; '
            "&lt;a href='mailto:a@b'&gt;m&lt;/a&gt;</content></entry>"
        )
    )
    assert piece.url == "https://other.example/x/y"
    assert "href='https://other.example/z'" in piece.content
    assert 'src="https://other.example/i.png"' in piece.content
    assert "href='#n'" in piece.content
    assert "href='mailto:a@b'" in piece.content


def test_an_address_that_is_none_costs_only_itself():
    piece = first(rss("<item><title>T</title><guid>g</guid><link>http://[half</link></item>"))
    assert (piece.external_id, piece.url) == ("g", "")


def test_without_an_id_the_canonical_link_tells_pieces_apart():
    plain = first(rss("<item><title>T</title><link>https://a.example/1</link></item>"))
    tracked = first(
        rss("<item><title>T</title><link>https://a.example/1?utm_source=x</link></item>")
    )
    assert plain.external_id == tracked.external_id


# --- encodings ---


@pytest.mark.parametrize(
    ("document", "content_type"),
    [
        ("<?xml version='1.0' encoding='iso-8859-1'?>{}", ""),
        ("<?xml version='1.0'?>{}", "text/xml; charset=iso-8859-1"),
        ("<?xml version='1.0' encoding='utf-8'?>{}", "text/xml; charset=punycode"),
        ("<?xml version='1.0' encoding='utf-16'?>{}", ""),
        ("\ufeff\n<?xml version='1.0' encoding='utf-8'?>{}", "text/xml"),
        ("<?xml version='1.0' encoding='iso-8859-1'?>{}", "text/xml; charset=utf-8"),
    ],
    ids=["declared", "header", "no charset at all", "utf-16", "mark and blank line", "both"],
)
def test_encodings(document, content_type):
    text = document.format("<rss><channel><item><title>Ærøskøbing</title></item></channel></rss>")
    encoding = "iso-8859-1" if "8859" in text + content_type else "utf-8"
    if "utf-16" in text:
        encoding = "utf-16"
    if "charset=utf-8" in content_type:
        encoding = "utf-8"
    assert first(text.encode(encoding), content_type=content_type).title == "Ærøskøbing"


# --- dates ---


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Mon, 04 May 2026 10:00:00 GMT", datetime(2026, 5, 4, 10, tzinfo=UTC)),
        ("Mon, 04 May 2026 10:00:00 CEST", datetime(2026, 5, 4, 8, tzinfo=UTC)),
        ("Mon, 4 May 26 10:00:00 -0500", datetime(2026, 5, 4, 15, tzinfo=UTC)),
        ("2026-05-04T10:00:00.123Z", datetime(2026, 5, 4, 10, 0, 0, 123000, tzinfo=UTC)),
        ("2026-05-04T10:00:00+02:00", datetime(2026, 5, 4, 8, tzinfo=UTC)),
        ("2026-05-04", datetime(2026, 5, 4, tzinfo=UTC)),
        ("May 4, 2026 10:00 AM PDT", datetime(2026, 5, 4, 17, tzinfo=UTC)),
        ("4 May 2026", datetime(2026, 5, 4, tzinfo=UTC)),
        ("Monday", None),
        ("10", None),
        ("2026", datetime(2026, 1, 1, tzinfo=UTC)),
        ("yesterday", None),
        ("0000-00-00 00:00:00", None),
        ("", None),
        ("9" * 90, None),
    ],
)
def test_dates(text, moment):
    assert parse_date(text) == moment


@pytest.mark.parametrize("value", [None, True, "5", float("nan"), float("inf"), 10**20])
def test_what_is_no_timestamp(value):
    assert from_timestamp(value) is None


# --- what is no feed ---


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html><body>Hi</body></html>", "web page, not a feed"),
        (b"<html><head><title>Just a moment...</title></head></html>", "checks for a human"),
        (b"<sitemap><url/></sitemap>", "outermost element is \u201csitemap\u201d"),
        (b'{"error": "no"}', "no list of items"),
        (b"{broken", "can't be read"),
        (b"just words", "can't be read"),
        (b"<rss version='2.0'></rss>", "without a channel"),
    ],
)
def test_what_is_no_feed_is_named(document, words):
    with pytest.raises(FeedError, match=words):
        parse(document, url=URL)


def test_broken_xml_is_repaired_and_said_so():
    feed = parse(rss("<item><title>A & B</title></item><item><title>C</title>"), url=URL)
    assert [piece.title for piece in feed.entries] == ["A & B", "C"]
    assert "repaired" in feed.warnings[0]
