"""One suite for every provider, on the real wire: the simulator, or exact bytes from a far end."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from asgiref.sync import async_to_sync

from ai import providers
from ai.prompts import Wording, compose
from ai.providers.base import (
    BadKey,
    Completion,
    Passage,
    ProviderError,
    QuotaSpent,
    RateLimited,
    Rejected,
    Request,
    Truncated,
    Unavailable,
    Unusable,
    error_for_status,
)
from articles.clean import plain_text
from config import outbound
from tests.ai.conftest import BUSES, FERRY
from tests.config.far_end import far_end

EVERY = tuple(providers.PROVIDERS)
WITH_KEY = ("openai", "anthropic")
REMOTE = (*WITH_KEY, "ollama")
PASSAGES = (Passage("Northmark Radio", "Ferry returns", FERRY), Passage("Bus", "Line 14", BUSES))


def asked(task: str = "summary", max_tokens: int = 600) -> Request:
    wording = Wording("Summarise the material.", max_tokens)
    return compose(task, wording, PASSAGES, fence="0123456789abcdef")


@async_to_sync
async def complete(key: str, request: Request, policy: outbound.Policy | None = None) -> Completion:
    async with outbound.Client(policy or outbound.from_settings()) as http:
        return await providers.provider(key).complete(request, http)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and everything a log or an error report would print or walk with it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("key", EVERY)
def test_an_answer_is_made_of_the_material_and_says_what_it_took(all_providers, key):
    answer = complete(key, asked())
    words = plain_text(FERRY + BUSES).split()
    assert len(answer.text) > 100
    assert set(answer.text.replace("(Northmark Radio)", "").replace("(Bus)", "").split()) <= {
        *words
    }
    assert answer.model
    assert answer.finish
    assert answer.input_tokens is not None
    assert answer.output_tokens is not None
    if key in REMOTE:
        assert answer.input_tokens > 200 > answer.output_tokens > 20


@pytest.mark.parametrize("key", WITH_KEY)
def test_the_request_can_be_traced_at_the_provider(all_providers, key):
    assert complete(key, asked()).request_id.startswith("req_")


@pytest.mark.parametrize("key", WITH_KEY)
def test_a_wrong_key_is_permanent_and_shows_up_nowhere(all_providers, settings, key, caplog):
    secret = "sk-wrong-0123456789-wrong"
    setattr(settings, f"{key}_api_key".upper(), secret)
    caplog.set_level("DEBUG")
    with pytest.raises(BadKey) as failure:
        complete(key, asked())
    assert failure.value.permanent
    for error in chain(failure.value):
        assert secret not in f"{error!s} {error!r} {vars(error)}"
        assert not hasattr(error, "request"), "an SDK's exception carries the request's headers"
    assert secret not in caplog.text
    assert secret not in repr(providers._account(key))


@pytest.mark.parametrize("key", REMOTE)
def test_asked_too_often_is_temporary_and_says_when(all_providers, key):
    all_providers.faults({"mode": "429", "match": f"/{key}", "retry_after": 7})
    with pytest.raises(RateLimited) as failure:
        complete(key, asked())
    assert not failure.value.permanent
    assert failure.value.retry_after == 7


@pytest.mark.parametrize("key", REMOTE)
def test_an_overloaded_provider_is_asked_once_and_may_be_asked_again(all_providers, key):
    all_providers.faults({"mode": "503", "match": f"/{key}"})
    with pytest.raises(Unavailable):
        complete(key, asked())
    assert len(all_providers.log(f"/{key}")) == 1


@pytest.mark.parametrize("key", REMOTE)
def test_an_answer_that_reached_its_longest_length_does_not_count(all_providers, key):
    with pytest.raises(Truncated):
        complete(key, asked(max_tokens=5))


@pytest.mark.parametrize("mode", ["drop_before", "accept_then_drop", "truncate"])
@pytest.mark.parametrize("key", REMOTE)
def test_a_dropped_answer_is_temporary(all_providers, key, mode):
    all_providers.faults({"mode": mode, "match": f"/{key}"})
    with pytest.raises(Unavailable):
        complete(key, asked())


@pytest.mark.parametrize("key", REMOTE)
def test_a_model_that_does_not_exist_is_permanent(all_providers, settings, key):
    setattr(settings, f"{key}_model".upper(), "gpt-none")
    with pytest.raises(Rejected, match="does not know this model"):
        complete(key, asked())


@pytest.mark.parametrize("key", REMOTE)
def test_a_private_address_is_refused_for_sdks_too(all_providers, key):
    with pytest.raises(Rejected, match="private or special network"):
        complete(key, asked(), outbound.Policy())
    assert not all_providers.log(f"/{key}")


@pytest.mark.parametrize("key", REMOTE)
def test_a_late_answer_is_temporary(all_providers, key, monkeypatch):
    all_providers.faults({"mode": "latency", "match": f"/{key}", "delay": 5})
    monkeypatch.setattr(f"ai.providers.{key}.{providers._kind(key).__name__}.deadline", 0.3)
    with pytest.raises(Unavailable):
        complete(key, asked())


def http(body: str, content_type: str = "application/json", status: str = "200 OK") -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


@pytest.mark.parametrize(
    "answer",
    [
        http("<html>Welcome to the proxy</html>", "text/html"),
        http('{"choices": [{"mess'),
        http("{}"),
        http('{"choices": [], "content": [], "response": "", "done": true}'),
        http(
            json.dumps(
                {  # a text on every wire, and no word on how it ended
                    "choices": [{"message": {"role": "assistant", "content": "A half"}}],
                    "content": [{"type": "text", "text": "A half"}],
                    "response": "A half",
                }
            )
        ),
    ],
    ids=["html", "broken-json", "empty", "no-text", "no-finish"],
)
@pytest.mark.parametrize("key", REMOTE)
def test_what_is_no_complete_answer_is_never_taken_for_one(all_providers, settings, key, answer):
    async def against_it() -> None:
        async with far_end(answer) as end, outbound.Client(outbound.from_settings()) as client:
            setattr(settings, f"{key}_base_url".upper(), f"http://127.0.0.1:{end.port}")
            await providers.provider(key).complete(asked(), client)

    with pytest.raises(Unusable):
        asyncio.run(against_it())


def test_ollama_is_always_told_the_context_and_caught_when_it_reads_less(all_providers, settings):
    read_little = http('{"response": "Fine.", "done": true, "prompt_eval_count": 9}')

    async def against_it() -> dict[str, object]:
        async with far_end(read_little) as end, outbound.Client(outbound.from_settings()) as client:
            settings.OLLAMA_BASE_URL = f"http://127.0.0.1:{end.port}"
            with pytest.raises(Truncated, match="only a part"):
                await providers.provider("ollama").complete(asked(), client)
            sent: dict[str, object] = json.loads(end.requests[0].partition(b"\r\n\r\n")[2])
            return sent

    sent = asyncio.run(against_it())
    assert sent["stream"] is False
    assert sent["options"] == {"num_ctx": 4096, "num_predict": 600}


def test_ollama_is_not_asked_for_more_than_it_can_read(all_providers):
    with pytest.raises(Rejected, match="too long"):
        complete("ollama", Request("summary", "", "word " * 30_000, 500))
    assert not all_providers.log("/ollama")


def test_a_spent_account_is_not_asked_again_although_it_says_429():
    error = error_for_status("OpenAI", 429, code="insufficient_quota", wait="20")
    assert isinstance(error, QuotaSpent)
    assert error.permanent


def test_a_providers_own_words_are_shown_only_when_they_are_a_code():
    error = error_for_status("OpenAI", 400, code="key sk-abc is bad")
    assert "sk-abc" not in str(error)
    assert "(context_length_exceeded)" in str(
        error_for_status("OpenAI", 400, code="context_length_exceeded")
    )


def test_only_providers_that_are_set_up_are_offered(settings):
    settings.OPENAI_API_KEY = settings.ANTHROPIC_API_KEY = settings.OLLAMA_BASE_URL = ""
    assert list(providers.available()) == ["extractive"]
    settings.AI_PROVIDER = "anthropic"
    assert providers.default() == "extractive"
    settings.ANTHROPIC_API_KEY = "sk-ant-demo"
    assert list(providers.available()) == ["anthropic", "extractive"]
    with pytest.raises(Rejected, match="OPENAI_API_KEY is missing"):
        providers.provider("openai")


def test_a_key_with_a_line_break_is_refused_before_anything_is_sent(all_providers, settings):
    settings.OPENAI_API_KEY = "sk-demo\nX-Evil: 1"
    with pytest.raises(BadKey):
        complete("openai", asked())
    assert not all_providers.log("/openai")


def test_the_table_is_checked_at_start(monkeypatch):
    assert providers.check_table() == []
    monkeypatch.setitem(providers.PROVIDERS, "broken", "ai.providers.nowhere.Nobody")
    monkeypatch.setitem(providers.PROVIDERS, "odd", "ai.providers.base.Account")
    assert [problem.id for problem in providers.check_table()] == ["ai.E001", "ai.E002"]


def test_every_provider_error_says_whether_it_is_permanent():
    def below(kind: type[ProviderError]) -> Iterator[type[ProviderError]]:
        yield kind
        for child in kind.__subclasses__():
            yield from below(child)

    temporary = {kind.__name__ for kind in below(ProviderError) if not kind.permanent}
    assert temporary == {"Unavailable", "RateLimited"}
