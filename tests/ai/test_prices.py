"""What a call costs, and what is not known is not free."""

from decimal import Decimal

import pytest

from ai.prices import TIER_STARTS, cost
from config import settings


def test_a_call_costs_its_tokens():
    assert cost("gpt-6-luna", 10_000, 1_000) == Decimal("0.0015")
    assert cost("claude-sonnet-5-5", 10_000, 1_000) == Decimal("0.03")


def test_a_dated_name_costs_what_its_model_costs():
    assert cost("gpt-6-luna-2026-09-01", 10_000, 1_000) == Decimal("0.0015")
    assert cost("claude-haiku-4-5-20251001", 1_000_000 // 10, 0) == Decimal("0.1")


@pytest.mark.parametrize(
    ("model", "tokens_in", "tokens_out"),
    [
        ("gpt-6.2-sol", 10, 10),
        ("gpt-6-luna-pro", 10, 10),
        ("", 10, 10),
        ("gpt-6-luna", None, 10),
        ("gpt-6-luna", 10, None),
        ("gpt-6-luna", TIER_STARTS + 1, 10),
    ],
)
def test_an_unknown_price_is_unknown_and_not_nothing(model, tokens_in, tokens_out):
    assert cost(model, tokens_in, tokens_out) is None


def test_what_runs_at_home_is_billed_by_nobody():
    assert cost("llama3.2", None, None, at_home=True) == 0


def test_the_models_that_the_settings_name_have_a_price():
    assert cost(settings.OPENAI_MODEL, 1, 1)
    assert cost(settings.ANTHROPIC_MODEL, 1, 1)
