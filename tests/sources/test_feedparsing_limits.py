"""No document costs more than a second of CPU time and a hundred megabytes, or breaks anything.

Each is parsed in a process of its own that measures itself. How long a second's work takes differs
by machine and by what runs beside: the measure is a piece of fixed work done by the same process,
a twentieth of a second on the machine that the limit was set for, and the best of three counts.
"""

import json
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings

WORK = 570_000  # numbers written out
SIZE = 10 * 1024 * 1024 - 500  # just below what is refused unread

MEASURE = """
import json, resource, sys, time
from sources.feedparsing import FeedError, parse
parse(b"<rss><channel><item><title>x</title></item></channel></rss>")
def work():
    began = time.process_time()
    for number in range(WORK):
        str(number)
    return time.process_time() - began
head, unit, tail, encoding = json.load(sys.stdin)
count = (SIZE - len(head) - len(tail)) // len(unit.encode("latin-1"))
document = b"".join((head.encode(), unit.encode("latin-1") * count, tail.encode()))
before = int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
open("/proc/self/clear_refs", "w").write("5")
measure = work()
began = time.process_time()
try:
    outcome = f"{len(parse(document, content_type=encoding, url='http://a.example/f').entries)}"
except FeedError as problem:
    outcome = str(problem)
seconds = time.process_time() - began
told = [seconds / max(measure, work()) / 20, outcome]
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024
print(json.dumps([*told, (peak - before) / 2**20]))
""".replace("SIZE", str(SIZE)).replace("WORK", str(WORK))

ITEM = "<rss version='2.0'><channel><title>t</title><item><title>"
END = "</title></item></channel></rss>"
TEXT = "<rss><channel><item><link>http://a/</link><description>"
END_TEXT = "</description></item></channel></rss>"
ENTRY = "<feed xmlns='http://www.w3.org/2005/Atom'><entry>"
XHTML = (
    "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:h='http://www.w3.org/1999/xhtml'>"
    "<entry><content type='xhtml'><h:div>"
)
LINKED = '{"id": "1", "url": "/x", "content_html": "' + "<a href='./x'>" * 1_450 + '"},'


def cost(head: str, unit: str, tail: str, encoding: str = "") -> tuple[float, str, float]:
    """Seconds of our machine's CPU, what became of it, megabytes beyond the document itself."""
    result = subprocess.run(
        [sys.executable, "-c", MEASURE],
        input=json.dumps([head, unit, tail, encoding]),
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    told: list[Any] = json.loads(result.stdout)
    return told[0], told[1], told[2]


@pytest.mark.skipif(sys.platform != "linux", reason="measures itself through /proc")
@pytest.mark.parametrize(
    ("head", "unit", "tail"),
    [
        pytest.param(ITEM, "&", END, id="ampersands"),
        pytest.param(ITEM, "&eacute;", END, id="named entities"),
        pytest.param(ITEM, "&#0;", END, id="numbers of no character"),
        pytest.param(ITEM, "&#146;", END, id="numbers of controls"),
        pytest.param(ITEM, "<a/>", END, id="elements"),
        pytest.param("<rss ", "a='' b='' ", "/>", id="attributes"),
        pytest.param(ITEM, "<a>", END, id="depth"),
        pytest.param(ITEM, "x", END, id="one text"),
        pytest.param(ITEM, "&lt;b", END, id="open tags in a title"),
        pytest.param(ITEM, "<![CDATA[", END, id="open CDATA"),
        pytest.param(ITEM, "<![CDATA[x]]>", END, id="much CDATA"),
        pytest.param(ITEM, "\xff", END, id="no UTF-8"),
        pytest.param(ITEM, "\xed\xa0\x80", END, id="surrogates"),
        pytest.param(ITEM, "\xc2\x85", END, id="controls"),
        pytest.param(ITEM, "\x00", END, id="NUL"),
        pytest.param("<?xml version='1.0' encoding='iso-8859-1'?>" + ITEM, "\xe9", END, id="Latin"),
        pytest.param(TEXT, "&lt;a href='x'&gt;", END_TEXT, id="relative links"),
        pytest.param(TEXT, "&lt;a href='./x'&gt;", END_TEXT, id="links with dots"),
        pytest.param(TEXT, "&lt;a ", END_TEXT, id="open links"),
        pytest.param(ITEM, "<![CDATA[x]]>", "&<br>" + END, id="broken, much CDATA"),
        pytest.param(ITEM, f"<![CDATA[{'x' * 100}]]>", "&<br>" + END, id="broken, longer CDATA"),
        pytest.param(XHTML, f"<h:p>{'x' * 60}</h:p>", "</h:div></content></entry></feed>",
                     id="XHTML with a prefix"),
        pytest.param(ENTRY, "<link rel='enclosure' href='./x'/>" + "x" * 106, "</entry></feed>",
                     id="enclosures"),
        pytest.param(ENTRY, "<author>a@b.example (x</author>" + "x" * 42, "</entry></feed>",
                     id="authors"),
        pytest.param("<?xml version='1.0'?>", "<!-- -->", "<rss/>", id="comments first"),
        pytest.param("<?xml", " ", "?><rss/>", id="spaces in the declaration"),
        pytest.param("<!DOCTYPE rss [", "<!ENTITY a 'b'>", "]><rss/>", id="entities"),
        pytest.param("<!DOCTYPE rss [<!ENTITY a '" + "b" * 200 + "'>]>" + ITEM, "&a;", END,
                     id="quadratic entity"),
        pytest.param("<!DOCTYPE rss [", "]", "", id="an open document type"),
        pytest.param("<rss><channel>", "<item/>", "</channel></rss>", id="items"),
        pytest.param("", "[", "", id="deep JSON"),
        pytest.param('{"items": [', "{},", "{}]}", id="JSON items"),
        pytest.param('{"items": [{"id": "1", "content_text": "\U0001f600', "a\\n\\n", '"}]}',
                     id="JSON paragraphs"),
        pytest.param('{"items": [{"id": "1", "content_html": "', "<a href='x'>", '"}]}',
                     id="JSON links"),
        pytest.param('{"items": [', LINKED, "{}]}", id="JSON links in every item"),
        pytest.param('{"items": [{"attachments": [', '{"url": "./x"},' + " " * 40, "{}]}]}",
                     id="JSON attachments"),
    ],
)  # fmt: skip
def test_no_document_takes_a_second_or_a_hundred_megabytes(head, unit, tail):
    for _ in range(3):
        seconds, outcome, megabytes = cost(head, unit, tail)
        if seconds < 1 and megabytes < 100:
            return
    pytest.fail(f"{seconds:.2f} s, {megabytes:.0f} MB: {outcome}")


@pytest.mark.parametrize("year", ["9999-12-31T23:59:59-12:00", "-0044-03-15", "0001-01-01T00:00Z"])
def test_dates_that_no_calendar_has_are_none(year):
    from sources.feedparsing import parse

    document = (
        f"<rss><channel><item><title>t</title><pubDate>{year}</pubDate></item></channel></rss>"
    )
    (piece,) = parse(document.encode()).entries
    assert piece.published_at is None
