"""What a model says is as hostile as anything from outside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai import answer
from articles.clean import clean_html


def test_an_article_is_headline_and_paragraphs():
    read = answer.read("article", "# Ferry returns\n\nIt sails.\nAgain.\n\n**Soon** even twice.")
    assert read == answer.Answer(
        "Ferry returns", "<p>It sails. Again.</p>\n<p>**Soon** even twice.</p>"
    )


def test_a_first_line_that_is_a_sentence_is_no_headline():
    read = answer.read("article", "The ferry sails again on Monday.\n\nTickets cost the same.")
    assert read is not None
    assert read.title == ""
    assert read.text.startswith("<p>The ferry sails")


def test_a_summary_is_one_plain_line_without_its_label():
    read = answer.read("summary", "Summary: It sails.\n\n<b>Soon</b>.")
    assert read == answer.Answer("", "It sails. Soon.")


@pytest.mark.parametrize("task", ["summary", "article", "analysis"])
@pytest.mark.parametrize(
    "attack",
    [
        "<script>fetch('https://evil.example')</script>",
        "<img src=https://evil.example/beacon onerror=alert(1)>",
        "<a href='javascript:alert(1)'>click</a>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "![x](https://evil.example/beacon)",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    ],
)
def test_an_attack_in_an_answer_is_text_at_most(task, attack):
    read = answer.read(task, f"Ferry\n\nIt sails. {attack} It sails.")
    assert read is not None
    if task != "summary":
        markup = read.text.replace("<p>", "").replace("</p>", "")
        assert "<" not in markup
        assert clean_html(read.text) == read.text
    assert "<" not in read.title


@pytest.mark.parametrize("nothing", ["", "  \n ", "<p></p>", "<!-- hidden -->", "\u202e\ufeff"])
def test_an_answer_without_text_is_no_suggestion(nothing):
    assert answer.read("summary", nothing) is None
    assert answer.read("analysis", nothing) is None


@pytest.mark.parametrize("task", ["summary", "article", "analysis"])
def test_an_endless_answer_is_limited(task):
    read = answer.read(task, "Ferry\n\n" + "It sails. " * 100_000)
    assert read is not None
    assert len(read.text) <= answer.LONGEST_TEXT + 100
    assert task != "summary" or len(read.text) <= answer.LONGEST_SUMMARY


@given(st.text())
def test_whatever_comes_the_only_markup_is_ours(text):
    content = answer.paragraphs(text)
    assert "<" not in content.replace("<p>", "").replace("</p>", "")
