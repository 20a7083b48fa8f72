"""OPML: what lists of feeds become, and back."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources import opml
from sources.opml import BadOpml, Outline

LIST = b"""<?xml version="1.0" encoding="UTF-8"?>
<opml version="1.0">
  <head><title>Reading</title></head>
  <body>
    <outline text="Region" title="Region">
      <outline text="Courier" title="The Courier" type="rss" xmlUrl="https://courier.example/rss"
        htmlUrl="https://courier.example/"/>
      <outline text="Sport"><outline text="Goal &amp; Co" xmlUrl="https://goal.example/f?a=1&b=2"/></outline>
    </outline>
    <outline text="Alone" XMLURL="https://alone.example/feed"/>
    <outline text="An empty folder"/>
    <outline text="A link" type="link" url="https://link.example/"/>
  </body>
</opml>"""


def test_feeds_are_read_with_their_folders_and_loose_habits():
    found, warnings = opml.read(LIST)
    assert found == [
        Outline("https://courier.example/rss", "The Courier", "Region", "https://courier.example/"),
        Outline("https://goal.example/f?a=1&b=2", "Goal & Co", "Region / Sport"),
        Outline("https://alone.example/feed", "Alone"),
    ]
    assert "repaired" in warnings[0]  # the bare ampersand


def test_what_is_written_is_read_again():
    given = [
        Outline("https://a.example/?x=1&y=2", "A & <B>", "Region", "https://a.example/"),
        Outline("https://b.example/", "Ohne Ordner „ß“"),
        Outline("https://hn.example/", "HN", "Tech", connector="hackernews",
                options={"list": "top", "minimum": 3}),
        Outline("https://c.example/", "C\x00\x08\ufffe", "Region"),
    ]  # fmt: skip
    written = opml.write("Newsdesk", given, datetime(2026, 3, 1, tzinfo=UTC))
    found, warnings = opml.read(written)
    assert warnings == []
    assert {each.url: each for each in found} == {
        each.url: each if each.name != given[3].name else Outline(each.url, "C", "Region")
        for each in given
    }
    assert written.count(b'text="Region"') == 1


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"hello", "can't be read as XML"),
        (b"<rss version='2.0'><channel/></rss>", "outermost element is"),
        (b"<opml><body><outline text='x'/></body></opml>", "holds no feed"),
        (b"<opml>" + b"<outline text='a'>" * 300 + b"</opml>", "nested deeper"),
        (b"<opml " + b"a" * opml.MOST_BYTES + b"='1'/>", "larger than 5 MB"),
    ],
)
def test_what_is_no_list_is_refused_with_a_sentence(document, words):
    with pytest.raises(BadOpml, match=words):
        opml.read(document)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "entity",
    [
        '<!ENTITY x SYSTEM "file:///etc/passwd">',
        '<!ENTITY % x SYSTEM "http://127.0.0.1/x.dtd"> %x;',
        '<!entity x PUBLIC "-//X" "http://127.0.0.1/x">',
    ],
)
def test_entities_outside_the_file_are_refused(entity, encoding):
    document = f"""<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE opml [{entity}]>
    <opml><body><outline text="a &x; b" xmlUrl="https://a.example/"/></body></opml>"""
    with pytest.raises(BadOpml, match="names entities outside"):
        opml.read(document.encode(encoding))


def test_a_bomb_of_entities_is_refused():
    lines = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    document = f"""<!DOCTYPE opml [<!ENTITY a0 "lol">{lines}]>
    <opml><body><outline text="&a9;" xmlUrl="https://a.example/"/></body></opml>"""
    with pytest.raises(BadOpml, match="entities made of other entities"):
        opml.read(document.encode())


def test_a_long_list_is_cut_and_says_so():
    many = b"".join(b'<outline xmlUrl="https://a.example/%d"/>' % n for n in range(5_010))
    found, warnings = opml.read(b"<opml><body>" + many + b"</body></opml>")
    assert len(found) == 5_000
    assert "first 5000 of 5010" in warnings[0]


@pytest.mark.parametrize("options", ["[1]", "{", "x" * 20_000, "[" * 9_000])
def test_options_that_are_none_are_left_out(options):
    document = f"""<opml xmlns:n="urn:newsdesk:opml"><body>
    <outline n:connector="hackernews" n:options='{options}'/></body></opml>"""
    assert opml.read(document.encode())[0][0].options == {}


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_any_bytes_are_a_list_or_refused(body):
    for document in (body, b"<opml><body>" + body + b"<outline xmlUrl='x'/></body></opml>"):
        try:
            opml.read(document)
        except BadOpml as problem:
            assert str(problem).endswith((".", "”"))  # noqa: PT017 (most bytes are refused)
