"""The command that measures our parser beside feedparser."""

import pytest
from django.core.management import CommandError, call_command

from sources.bench.papers import document
from sources.bench.parsing import measured, ratios


def test_it_reads_the_same_feeds_with_both_and_prints_the_ratios(tmp_path, capsys):
    feed, page = tmp_path / "a.xml", tmp_path / "b.html"
    feed.write_bytes(document(1, 0, 3))
    page.write_text("<html><body>Hello</body></html>")
    call_command("bench_parsing", feed, page, rounds=1)
    shown = capsys.readouterr().out
    assert "a.xml" in shown
    assert "1 feeds, 3 entries" in shown
    assert "1 of the files are no feeds" in shown


def test_without_files_it_reads_feeds_made_for_it(capsys):
    call_command("bench_parsing", rounds=1)
    assert "3 feeds, 121 entries" in capsys.readouterr().out


def test_the_ratio_is_of_all_documents_together():
    readings = measured({"a": document(1, 0, 5), "b": document(2, 0, 40)}, 1)
    ours = sum(each.seconds["ours"] for each in readings)
    theirs = sum(each.seconds["feedparser"] for each in readings)
    assert ratios(readings)["feedparser"] == pytest.approx(theirs / ours)
    assert ratios(readings)["ours"] == 1


@pytest.mark.parametrize(
    ("files", "words"), [(["nowhere.xml"], "No such file"), ([__file__], "None of these files")]
)
def test_what_can_not_be_measured_is_said(files, words):
    with pytest.raises(CommandError, match=words):
        call_command("bench_parsing", *files, rounds=1)
