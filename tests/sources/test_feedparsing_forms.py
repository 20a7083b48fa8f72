"""The many forms in which feeds say the same thing."""

import base64

import pytest

from sources.feedparsing import parse
from tests.sources.test_feedparsing import atom, first, rss

DC = "xmlns:dc='http://purl.org/dc/elements/1.1/'"
MEDIA = "xmlns:media='http://search.yahoo.com/mrss/'"
ITUNES = "xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'"


# --- text ---


@pytest.mark.parametrize(
    ("title", "plain"),
    [
        ("<title>AT&amp;amp;T buys</title>", "AT&T buys"),
        ("<title>Tom &amp; Jerry</title>", "Tom & Jerry"),
        ("<title>&lt;b&gt;Bold&lt;/b&gt; move</title>", "Bold move"),
        ("<title><![CDATA[1 < 2 &#8217; 3]]></title>", "1 < 2 ’ 3"),
        ("<title>Use the &lt;title&gt; tag</title>", "Use the <title> tag"),
        ("<title>a <b>b</b> c</title>", "a b c"),
        ("<title>safe&lt;script&gt;bad()&lt;/script&gt; text</title>", "safe text"),
        ("<title>It&#146;s</title>", "It’s"),
        ("<title>\n  Two\n  lines </title>", "Two lines"),
    ],
)
def test_titles_of_rss_are_guessed_plain(title, plain):
    assert first(rss(f"<item>{title}</item>")).title == plain


@pytest.mark.parametrize(
    ("title", "plain"),
    [
        ("<title>&lt;b&gt; is bold</title>", "<b> is bold"),
        ("<title type='text'>a &amp;amp; b</title>", "a &amp; b"),
        ("<title type='html'>&lt;b&gt;B&lt;/b&gt; &amp;amp; c</title>", "B & c"),
        ("<title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>a <i>b</i> &amp;lt;</div>"
         "</title>", "a b &lt;"),
        (f"<title mode='base64'>{base64.b64encode(b'Deep').decode()}</title>", "Deep"),
    ],
)  # fmt: skip
def test_titles_of_atom_are_what_they_say(title, plain):
    assert first(atom(f"<entry>{title}</entry>")).title == plain


@pytest.mark.parametrize(
    ("content", "markup"),
    [
        ("<content>1 &lt; 2</content>", "1 &lt; 2"),
        ("<content type='html'>&lt;p&gt;x&lt;/p&gt;</content>", "<p>x</p>"),
        ("<content type='text/html' mode='escaped'>&lt;p&gt;x&lt;/p&gt;</content>", "<p>x</p>"),
        ("<content type='xhtml'><h:div xmlns:h='http://www.w3.org/1999/xhtml'>a<h:br/>b</h:div>"
         "</content>", "a<br>b"),
        (f"<content type='application/octet-stream'>{base64.b64encode(b'<p>x</p>').decode()}"
         "</content>", "<p>x</p>"),
        ("<content type='image/png'>iVBORw0KGgo=</content>", ""),
    ],
)  # fmt: skip
def test_contents_of_atom_become_html(content, markup):
    assert first(atom(f"<entry><title>T</title>{content}</entry>")).content == markup


def test_description_alone_is_the_content_and_beside_a_content_the_summary():
    alone = first(rss("<item><description>Short</description></item>"))
    assert (alone.content, alone.summary) == ("Short", "")
    both = first(
        rss(
            "<item><content:encoded>Long</content:encoded><description>Short</description></item>",
            namespaces="xmlns:content='http://purl.org/rss/1.0/modules/content/'",
        )
    )
    assert (both.content, both.summary) == ("Long", "Short")


# --- people ---


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("<author>ada@example.org</author>", ("ada@example.org",)),
        ("<author>Ada Byron (ada@example.org)</author>", ("Ada Byron",)),
        ("<author>Ada Byron (night desk)</author>", ("Ada Byron (night desk)",)),
        ("<author>mailto:ada@example.org</author>", ("ada@example.org",)),
        ("<author>desk@x.org</author><dc:creator>Ada</dc:creator>", ("Ada",)),
        ("<dc:creator>Ada</dc:creator><dc:creator>Bo</dc:creator>", ("Ada", "Bo")),
        ("<author><name>Ada</name><email>a@b.c</email></author>", ("Ada",)),
        ("<author><email>a@b.c</email></author>", ("a@b.c",)),
        ("<itunes:author>Ada</itunes:author>", ("Ada",)),
        ("<media:credit role='author'>Ada</media:credit>", ("Ada",)),
        ("<media:credit role='photographer'>Bo</media:credit>", ("Desk",)),
        ("", ("Desk",)),
    ],
)
def test_authors_by_name_else_by_address_else_the_feeds(given, names):
    document = rss(
        f"<managingEditor>desk@example.org (Desk)</managingEditor><item>{given}"
        "<title>T</title></item>",
        namespaces=f"{DC} {MEDIA} {ITUNES}",
    )
    assert first(document).authors == names


def test_an_atom_entry_taken_from_elsewhere_has_its_sources_author():
    piece = first(
        atom(
            "<author><name>Us</name></author><entry><title>T</title>"
            "<source><author><name>Them</name></author></source></entry>"
        )
    )
    assert piece.authors == ("Them",)


# --- links and ids ---


@pytest.mark.parametrize(
    ("links", "url"),
    [
        ("<link rel='self' href='/s'/><link rel='alternate' href='/a'/>", "/a"),
        ("<link type='application/json' href='/j'/><link href='/h'/>", "/h"),
        ("<link type='application/json' href='/j'/>", "/j"),
        ("<link rel='http://www.iana.org/assignments/relation/alternate' href='/i'/>", "/i"),
        ("<link rel='enclosure' href='/e'/>", ""),
        ("<link xml:base='/deep/' href='x'/>", "/deep/x"),
        ("<content src='/out'/>", "/out"),
    ],
)
def test_the_link_for_readers_among_several(links, url):
    piece = first(atom(f"<entry><title>T</title>{links}</entry>"))
    assert piece.url == (url and f"https://gazette.example{url}")


@pytest.mark.parametrize(
    ("inside", "external_id", "url"),
    [
        ("<guid>https://a.example/1</guid>", "https://a.example/1", "https://a.example/1"),
        ("<guid isPermaLink='false'>https://a.example/1</guid>", "https://a.example/1", ""),
        ("<guid>tag:1</guid><link>https://a.example/2</link>", "tag:1", "https://a.example/2"),
        ("<link>https://a.example/?a=1&amp;amp;b=2</link><guid>g</guid>", "g",
         "https://a.example/?a=1&b=2"),
        ("<link>https://proxy.example/1</link><guid>g</guid>"
         "<feedburner:origLink>https://a.example/o</feedburner:origLink>", "g",
         "https://a.example/o"),
    ],
)  # fmt: skip
def test_ids_and_permalinks_of_rss(inside, external_id, url):
    piece = first(rss(f"<item><title>T</title>{inside}</item>"))
    assert (piece.external_id, piece.url) == (external_id, url)


def test_relative_links_without_a_documents_address_lead_from_the_feeds_own():
    (piece,) = parse(rss("<item><title>T</title><link>/1</link></item>")).entries
    assert piece.url == "https://gazette.example/1"


# --- tags, enclosures, language ---


def test_tags_from_every_vocabulary_each_once():
    piece = first(
        rss(
            "<item><title>T</title><category domain='d'>Sea</category>"
            "<dc:subject>Ships</dc:subject>"
            "<itunes:keywords>sea, Sea,harbour</itunes:keywords>"
            "<media:category label='Coast'>c/7</media:category></item>",
            namespaces=f"{DC} {MEDIA} {ITUNES}",
        )
    )
    assert piece.tags == ("Sea", "Coast", "Ships", "sea", "harbour")


def test_media_groups_hold_text_and_enclosures():
    piece = first(
        rss(
            "<item><title>T</title><enclosure url='/a.mp3' length='many' type='audio/mpeg'/>"
            "<media:group><media:content url='/v.mp4' type='video/mp4' fileSize='42'/>"
            "<media:content url='/a.mp3'/><media:thumbnail url='/t.jpg'/>"
            "<media:description>Words</media:description></media:group></item>",
            namespaces=MEDIA,
        )
    )
    assert piece.content == "Words"
    assert piece.metadata["enclosures"] == [
        {"url": "https://gazette.example/a.mp3", "type": "audio/mpeg", "length": None},
        {"url": "https://gazette.example/v.mp4", "type": "video/mp4", "length": 42},
        {"url": "https://gazette.example/t.jpg", "type": "image", "length": None},
    ]


@pytest.mark.parametrize(
    ("attributes", "content", "language"),
    [
        ("xml:lang='fr'", "<content>x</content>", "fr"),
        ("", "<content>x</content>", "en"),
        ("xml:lang='fr'", "<content xml:lang='pt_BR'>x</content>", "pt-BR"),
        ("xml:lang=''", "<content>x</content>", ""),
    ],
)
def test_the_language_is_the_nearest_ones(attributes, content, language):
    document = atom(f"<entry {attributes}><title>T</title>{content}</entry>", "xml:lang='en'")
    assert first(document).language == language


# --- dialects and damage ---


def test_cdf_keeps_what_it_says_in_attributes():
    document = (
        b"<CHANNEL HREF='https://old.example/'><TITLE>Old</TITLE>"
        b"<ITEM HREF='/1' LASTMOD='2003-12-31T10:14Z'><TITLE>One</TITLE>"
        b"<ABSTRACT>Text</ABSTRACT></ITEM></CHANNEL>"
    )
    feed = parse(document, url="https://old.example/x.cdf")
    (piece,) = feed.entries
    assert (feed.version, feed.url) == ("cdf", "https://old.example/")
    assert (piece.title, piece.url, piece.content) == ("One", "https://old.example/1", "Text")
    assert piece.updated_at.year == 2003


@pytest.mark.parametrize("space", ["http://purl.org/dc/elements/1.0/", "http://typo.example/dc"])
def test_a_known_prefix_counts_where_its_namespace_is_wrong(space):
    document = rss("<item><dc:creator>Ada</dc:creator></item>", namespaces=f"xmlns:dc='{space}'")
    assert first(document).authors == ("Ada",)


def test_a_strange_default_namespace_is_looked_through():
    document = rss("<item><title>T</title></item>", namespaces="xmlns='http://typo.example/'")
    assert first(document).title == "T"


@pytest.mark.parametrize(
    "damage",
    [
        b"\n\n  <?xml version='1.0'?>" + rss("")[0:0],
        b"<br />PHP Warning: old\n<?xml version='1.0'?>",
        b"junk <?xml version='1.0'?>",
        b"<!-- one --><?xml-stylesheet href='x'?><!DOCTYPE rss SYSTEM 'http://x.example/rss.dtd'>",
    ],
    ids=["blank lines", "a warning", "words", "comment and document type"],
)
def test_what_stands_before_the_document_costs_nothing(damage):
    body = b"<rss><channel><item><title>T &nbsp; U</title></item></channel></rss>"
    assert first(damage + body).title == "T \xa0 U"


def test_a_feeds_own_harmless_entities_are_read():
    document = (
        b"<!DOCTYPE rss [<!ENTITY desk 'The &#38; Desk'><!ENTITY % l SYSTEM 'x.ent'> %l;]>"
        b"<rss><channel><item><title>&desk; &eacute;</title></item></channel></rss>"
    )
    assert first(document).title == "The & Desk é"


def test_a_truncated_document_keeps_what_arrived():
    document = rss("<item><title>One</title></item><item><title>Two</title><link>https://a.ex")
    cut = document[: document.index(b"https://a.ex") + 8]
    assert [piece.title for piece in parse(cut).entries] == ["One", "Two"]


def test_html_habits_in_xml_swallow_no_entry():
    feed = parse(
        rss(
            "<item><title>One</title><description>a<br>b <img src=x.png> c</description></item>"
            "<item><title>Two</title></item>"
        )
    )
    assert [piece.title for piece in feed.entries] == ["One", "Two"]


def test_of_too_many_entries_the_newest_are_kept_in_their_order():
    many = "".join(
        f"<item><title>{n}</title><pubDate>{1 + n % 28} May {1990 + n // 28} 10:00 GMT</pubDate>"
        "</item>"
        for n in range(600)
    )
    feed = parse(rss(many))
    assert [piece.title for piece in feed.entries] == [str(n) for n in range(100, 600)]
    assert "500 of 600" in feed.warnings[0]
