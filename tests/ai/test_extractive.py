"""The offline provider: verbatim sentences, each with its source."""

import asyncio
from typing import cast

import pytest

from ai import ranking
from ai.prompts import Wording, compose
from ai.providers.base import Account, Passage, Unusable
from ai.providers.extractive import Extractive
from articles.clean import plain_text
from config.outbound import Client
from tests.ai.conftest import BUSES, FERRY

RADIO = Passage("Northmark Radio", "Ferry returns", FERRY)
PAPER = Passage("Harbour Paper", "Bus line 14 ends", BUSES)


def extract(task: str, *passages: Passage, topic: str = "") -> str:
    request = compose(task, Wording("", 100), passages, fence="0" * 16, topic=topic)
    nothing_to_ask = cast(Client, None)
    return asyncio.run(Extractive(Account()).complete(request, nothing_to_ask)).text


def test_sentences_end_where_a_reader_ends_them():
    text = (
        "Dr. Ines Talbot paid 2.4 million. “It was overdue,” she said. The U.S. embassy agreed, "
        "on Nov. 3 of this year! Did it sail? “It did sail again.” Nobody on board was late."
    )
    assert ranking.sentences(text) == [
        "Dr. Ines Talbot paid 2.4 million.",
        "“It was overdue,” she said.",
        "The U.S. embassy agreed, on Nov. 3 of this year!",
        "“It did sail again.”",
        "Nobody on board was late.",
    ]


def test_every_sentence_stands_in_the_material_word_for_word():
    for sentence in ranking.strongest([Passage("", "", plain_text(FERRY))], 5):
        assert sentence.text in plain_text(FERRY)


def test_what_was_said_is_not_said_again():
    twice = Passage("", "", f"{plain_text(FERRY)}\n{plain_text(FERRY)}")
    chosen = [sentence.text for sentence in ranking.strongest([twice], 10)]
    assert len(chosen) == len(set(chosen)) == 6


def test_the_lead_of_a_report_counts_more_than_its_end():
    assert "returns to service on Monday" in extract("summary", RADIO)


def test_a_summary_of_one_source_names_none():
    assert "(Northmark Radio)" not in extract("summary", RADIO)


def test_an_article_of_two_sources_names_one_for_every_sentence():
    title, *paragraphs = extract("article", RADIO, PAPER, topic="The ferry is back").split("\n\n")
    assert title == "The ferry is back"
    for paragraph in paragraphs:
        source, text = (
            ("Northmark Radio", FERRY) if "(Northmark Radio)" in paragraph else
            ("Harbour Paper", BUSES)
        )  # fmt: skip
        for sentence in paragraph.split(f" ({source})"):
            assert sentence.strip() in plain_text(text)


def test_an_analysis_sets_figures_apart():
    text = extract("analysis", RADIO, PAPER)
    _carrying, figures = text.split("Figures to check:")
    assert "2.4 million crowns" in figures


@pytest.mark.parametrize("task", ["summary", "article", "analysis"])
def test_nothing_is_made_of_nothing(task):
    with pytest.raises(Unusable):
        extract(task, Passage("Radio", "Ferry", "Read more."))
