"""What a call costs. Pure; prices in US dollars per million tokens, of 22 November 2026.

Taken from the price tables of the package genai-prices 0.2.3 for the list price without cache
discounts, so that a call is never booked below what is billed. A model that is not in the table
has an unknown price, which is not the same as none.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

TIER_STARTS = 200_000
"""Above so many input tokens several models cost more; such a call's price is unknown here."""


@dataclass(frozen=True, slots=True)
class Price:
    """Of one model."""

    input: Decimal  # a million tokens in
    output: Decimal  # a million tokens out


def _price(into: str, out: str) -> Price:
    return Price(Decimal(into), Decimal(out))


PRICES: dict[str, Price] = {
    "gpt-6-luna": _price("0.1", "0.5"),
    "gpt-6-sol": _price("2", "10"),
    "gpt-6-astra": _price("10", "50"),
    "gpt-6.1-sol": _price("2", "10"),
    "gpt-6.1-terra": _price("1", "5"),
    "gpt-5": _price("1.25", "10"),
    "gpt-5-mini": _price("0.25", "2"),
    "gpt-5-nano": _price("0.05", "0.4"),
    "gpt-5.4": _price("2.5", "15"),
    "gpt-5.4-mini": _price("0.75", "4.5"),
    "gpt-5.4-nano": _price("0.2", "1.25"),
    "gpt-4.1": _price("2", "8"),
    "gpt-4.1-mini": _price("0.4", "1.6"),
    "claude-haiku-5-5": _price("0.1", "0.5"),
    "claude-sonnet-5-5": _price("2", "10"),
    "claude-opus-5-5": _price("4", "20"),
    "claude-sonnet-5": _price("2", "10"),
    "claude-opus-5": _price("5", "25"),
    "claude-haiku-4-5": _price("1", "5"),
    "claude-fable-5-2": _price("8", "40"),
    "claude-mythos-5-2": _price("8", "40"),
}
_DATED = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8}|latest)$")


def cost(
    model: str, input_tokens: int | None, output_tokens: int | None, *, at_home: bool = False
) -> Decimal | None:
    """What a call cost in US dollars; None when the price or the usage is not known.

    A dated name (gpt-6-luna-2026-09-01) has the price of its model. What runs `at_home`, on our
    own machines, is billed by nobody.
    """
    if at_home:
        return Decimal(0)
    price = PRICES.get(model) or PRICES.get(_DATED.sub("", model))
    if price is None or input_tokens is None or output_tokens is None:
        return None
    if input_tokens > TIER_STARTS:
        return None
    return (price.input * input_tokens + price.output * output_tokens) / 1_000_000
