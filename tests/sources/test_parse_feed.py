"""`manage.py parse_feed`: one line of JSON per file, without Django, engines or network."""

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from sources.feedparsing.__main__ import main

RSS = (
    "<rss version='2.0'><channel><title>The Gazette</title><link>https://gazette.example/</link>"
    "<language>en-gb</language><item><title>Ferry runs again</title><link>/ferry</link>"
    "<guid isPermaLink='false'>urn:1</guid><author>ines@gazette.example (Ines Talbot)</author>"
    "<category>Sea</category><pubDate>Mon, 04 May 2026 10:00:00 +0200</pubDate>"
    "<description>After &lt;b&gt;months&lt;/b&gt;.</description>"
    "<enclosure url='/ferry.mp3' type='audio/mpeg' length='5'/></item></channel></rss>"
)


@pytest.fixture
def feed(tmp_path: Path) -> str:
    path = tmp_path / "feed.xml"
    path.write_text(RSS, encoding="utf-8")
    return str(path)


def told(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code and the lines of the command as a person calls it, with nothing around it."""
    result = subprocess.run(
        [sys.executable, "manage.py", "parse_feed", *arguments],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], "NEWSDESK_ENV": "production"},  # every setting missing
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.stderr == ""
    return result.returncode, [json.loads(line) for line in result.stdout.splitlines()]


def test_the_line_holds_the_feed_its_entries_and_warnings(feed):
    code, (line,) = told(feed, "--url", "https://gazette.example/feed.xml")
    assert code == 0
    assert line == {
        "feed": {
            "title": "The Gazette",
            "url": "https://gazette.example/",
            "language": "en-gb",
            "version": "rss 2.0",
        },
        "entries": [
            {
                "external_id": "urn:1",
                "title": "Ferry runs again",
                "url": "https://gazette.example/ferry",
                "authors": ["Ines Talbot"],
                "published_at": "2026-05-04T08:00:00Z",
                "updated_at": None,
                "summary": "After <b>months</b>.",
                "content": "After <b>months</b>.",
                "tags": ["Sea"],
                "enclosures": [
                    {"url": "https://gazette.example/ferry.mp3", "type": "audio/mpeg", "length": 5}
                ],
                "language": "en-gb",
            }
        ],
        "warnings": [],
    }


def test_every_file_has_its_line_in_order_and_one_failure_fails_the_whole(feed, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<!doctype html><html><body>Hello</body></html>")
    code, lines = told(str(page), feed, str(tmp_path / "nothing.xml"), feed)
    assert code == 1
    assert "web page, not a feed" in lines[0]["error"]
    assert lines[1]["feed"]["title"] == lines[3]["feed"]["title"] == "The Gazette"
    assert lines[2] == {
        "error": f"{tmp_path}/nothing.xml can't be read: No such file or directory."
    }


def test_the_servers_content_type_counts(tmp_path, capsys):
    path = tmp_path / "latin.xml"
    path.write_bytes("<rss><channel><title>Ærø</title></channel></rss>".encode("iso-8859-1"))
    assert main([str(path), "--content-type", "text/xml; charset=iso-8859-1"]) == 0
    assert json.loads(capsys.readouterr().out)["feed"]["title"] == "Ærø"


def test_half_a_character_is_printed_as_an_escape(tmp_path, capsys):
    path = tmp_path / "half.xml"
    path.write_bytes(b"<rss><channel><title>a\xed\xa0\x80b</title></channel></rss>")
    assert main([str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["feed"]["title"].startswith("a")


def test_it_is_a_management_command_too(feed):
    out = StringIO()
    call_command("parse_feed", feed, stdout=out)
    assert json.loads(out.getvalue())["entries"][0]["external_id"] == "urn:1"
