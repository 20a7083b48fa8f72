"""The three AI wires, asked by the official libraries and by hand."""

import json
from typing import Any

import anthropic
import httpx
import openai
import pytest

from simulator.credentials import (
    ANTHROPIC_KEY,
    ANTHROPIC_MODEL,
    OLLAMA_MODEL,
    OPENAI_KEY,
    OPENAI_MODEL,
)
from simulator.testing import Simulator

FACTS = (
    "The ferry Solvei returned to Lindholm on Monday after eleven weeks in dry dock.",
    "The harbour board put the cost of the repairs at four million crowns.",
    "A second ferry is to be ordered by the harbour board in spring.",
    "Several hundred people waited on the quay with flasks and folding chairs.",
    "The weather office expects a calm week along the whole coast.",
)
PROMPT = (
    "Summarise the following texts.\n\n"
    f"<<<SOURCE 1>>>\n{FACTS[0]} {FACTS[1]} {FACTS[2]}\n<<<END 1>>>\n"
    f"<<<SOURCE 2>>>\n{FACTS[3]} {FACTS[4]}\n<<<END 2>>>"
)
SCHEMA = {
    "type": "object",
    "properties": {
        "headline": {"type": "string", "maxLength": 40},
        "claims": {
            "type": "array",
            "maxItems": 5,
            "items": {
                "type": "object",
                "properties": {"quote": {"type": "string"}, "source": {"type": "integer"}},
            },
        },
    },
}


@pytest.fixture
def gpt(simulator: Simulator) -> Any:
    return openai.OpenAI(api_key=OPENAI_KEY, base_url=f"{simulator.url}/openai/v1", max_retries=0)


@pytest.fixture
def claude(simulator: Simulator) -> Any:
    url = f"{simulator.url}/anthropic"
    return anthropic.Anthropic(api_key=ANTHROPIC_KEY, base_url=url, max_retries=0)


def ask(client: Any, **more: Any) -> Any:
    messages = [{"role": "user", "content": PROMPT}]
    return client.chat.completions.create(model=OPENAI_MODEL, messages=messages, **more)


def is_from_the_material(text: str) -> bool:
    for fact in FACTS:
        text = text.replace(fact, "")
    return not text.strip()


def test_openai_answers_from_the_text_and_counts(gpt: Any) -> None:
    answer = ask(gpt)
    text = answer.choices[0].message.content
    assert text
    assert is_from_the_material(text)
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert ask(gpt).choices[0].message.content == text


def test_an_article_begins_with_its_headline_alone(gpt: Any) -> None:
    told = "Write an article. Answer with the headline alone on the first line."
    fenced = f"<<x9> Material 1, from Courier: Is the ferry really back again?\n{FACTS[0]}\n<</x9>>"
    messages = [{"role": "system", "content": told}, {"role": "user", "content": fenced}]
    answer = gpt.chat.completions.create(model=OPENAI_MODEL, messages=messages)
    headline, text = answer.choices[0].message.content.split("\n\n")
    assert FACTS[0].startswith(headline)
    assert text == FACTS[0]


def test_openai_stops_at_the_allowed_length(gpt: Any) -> None:
    answer = ask(gpt, max_completion_tokens=10)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage
    assert answer.usage.completion_tokens == 10


def test_openai_streams_the_same_words(gpt: Any) -> None:
    whole = ask(gpt).choices[0].message.content
    chunks = list(ask(gpt, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_openai_fits_a_schema_and_cites_the_right_source(gpt: Any) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "claims", "schema": SCHEMA}}
    filled = json.loads(ask(gpt, response_format=wanted).choices[0].message.content)
    assert 0 < len(filled["headline"]) <= 40
    assert filled["claims"]
    for claim in filled["claims"]:
        assert claim["source"] == (1 if claim["quote"] in FACTS[:3] else 2)


def test_openai_errors_have_their_classes(gpt: Any, simulator: Simulator) -> None:
    with pytest.raises(openai.AuthenticationError):
        ask(gpt.with_options(api_key="wrong"))
    with pytest.raises(openai.NotFoundError):
        gpt.chat.completions.create(model="none", messages=[{"role": "user", "content": "x"}])
    simulator.faults({"match": "/openai/", "mode": "429", "retry_after": 5})
    with pytest.raises(openai.RateLimitError) as limited:
        ask(gpt)
    assert limited.value.response.headers["retry-after"] == "5"
    assert limited.value.code == "rate_limit_exceeded"


def test_anthropic_answers_from_the_text_and_counts(claude: Any) -> None:
    messages = [{"role": "user", "content": PROMPT}]
    answer = claude.messages.create(model=ANTHROPIC_MODEL, max_tokens=500, messages=messages)
    assert is_from_the_material(answer.content[0].text)
    assert answer.stop_reason == "end_turn"
    assert answer.usage.output_tokens > 0
    with claude.messages.stream(model=ANTHROPIC_MODEL, max_tokens=500, messages=messages) as stream:
        assert stream.get_final_message().content[0].text == answer.content[0].text
    short = claude.messages.create(model=ANTHROPIC_MODEL, max_tokens=5, messages=messages)
    assert (short.stop_reason, short.usage.output_tokens) == ("max_tokens", 5)


def test_anthropic_takes_the_documented_key_header_and_names_what_is_missing(
    http: httpx.Client,
) -> None:
    asked = {"model": ANTHROPIC_MODEL, "messages": [{"role": "user", "content": PROMPT}]}
    head = {"x-api-key": ANTHROPIC_KEY, "anthropic-version": "2023-06-01"}
    refused = http.post("/anthropic/v1/messages", json=asked, headers=head)
    assert refused.status_code == 400
    assert refused.json()["error"]["message"] == "max_tokens: Field required"
    good = http.post("/anthropic/v1/messages", json=asked | {"max_tokens": 99}, headers=head)
    assert good.status_code == 200


def test_anthropic_errors_have_their_classes(claude: Any, simulator: Simulator) -> None:
    asked = {"model": ANTHROPIC_MODEL, "max_tokens": 9, "messages": []}
    with pytest.raises(anthropic.BadRequestError):
        claude.messages.create(**asked)
    with pytest.raises(anthropic.AuthenticationError):
        claude.with_options(api_key="wrong").messages.create(**asked)
    simulator.faults({"match": "/anthropic/", "mode": "429"})
    with pytest.raises(anthropic.RateLimitError):
        claude.messages.create(**asked)


def test_ollama_streams_lines_by_default(http: httpx.Client) -> None:
    asked = {"model": OLLAMA_MODEL, "prompt": PROMPT}
    streamed = http.post("/ollama/api/generate", json=asked)
    lines = [json.loads(line) for line in streamed.text.splitlines()]
    whole = http.post("/ollama/api/generate", json=asked | {"stream": False}).json()
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    assert "".join(line["response"] for line in lines) == whole["response"]
    assert is_from_the_material(whole["response"])
    assert (whole["done"], whole["done_reason"]) == (True, "stop")
    assert whole["eval_count"] == lines[-1]["eval_count"] > 0


def test_ollama_cuts_a_prompt_that_is_longer_than_its_window(http: httpx.Client) -> None:
    asked = {"model": OLLAMA_MODEL, "prompt": PROMPT, "stream": False}
    whole = http.post("/ollama/api/generate", json=asked).json()
    cut = http.post("/ollama/api/generate", json=asked | {"options": {"num_ctx": 40}}).json()
    assert cut["prompt_eval_count"] == 40 < whole["prompt_eval_count"]


def test_ollama_fits_a_schema_and_refuses_in_its_words(http: httpx.Client) -> None:
    asked = {"model": OLLAMA_MODEL, "prompt": PROMPT, "stream": False}
    filled = http.post("/ollama/api/generate", json=asked | {"format": SCHEMA}).json()
    assert set(json.loads(filled["response"])) == {"headline", "claims"}
    unknown = http.post("/ollama/api/generate", json=asked | {"model": "none"})
    assert (unknown.status_code, unknown.json()["error"]) == (404, "model 'none' not found")
    names = [model["name"] for model in http.get("/ollama/api/tags").json()["models"]]
    assert f"{OLLAMA_MODEL}:latest" in names
