"""Secrets don't reach the log, whoever writes the line."""

import io
import json
import logging
import logging.config
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from config.logging import MASK, logging_config, redact

CANARY = "canary-4f9d2c71"


@pytest.fixture(params=[True, False], ids=["json", "lines"])
def written(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What a process configured like ours writes."""
    logger = logging.getLogger("newsdesk-test")
    stream = io.StringIO()
    config = logging_config("INFO", as_json=request.param)
    config["handlers"]["stderr"]["stream"] = stream
    config["loggers"] = {"newsdesk-test": {"handlers": ["stderr"], "propagate": False}}
    del config["root"]
    logging.config.dictConfig(config)
    logger.setLevel("INFO")
    yield stream
    logger.handlers.clear()
    logger.propagate = True


@pytest.mark.parametrize(
    "fields",
    [
        {"password": CANARY},
        {"app_password": CANARY},
        {"client_secret": CANARY},
        {"Authorization": f"Bearer {CANARY}"},
        {"api_key": CANARY},
        {"apiKey": CANARY},
        {"credentials": {"user": "desk", "key": CANARY}},
        {"request": {"headers": [{"X-Api-Key": CANARY}]}},
        {"headers": {"cookie": f"session={CANARY}"}},
        {"refresh_token": CANARY},
        {"url": f"https://desk:{CANARY}@example.org/"},
        {"url": f"https://example.org/feed?a=1&token={CANARY}&b=2"},
        {"reply": f'{{"access_token": "{CANARY}"}}'},
        {"note": f"Authorization: Basic {CANARY}"},
    ],
)
def test_a_secret_in_a_field_is_masked(written: io.StringIO, fields: dict[str, Any]) -> None:
    structlog.get_logger("newsdesk-test").info("delivery.sent", **fields)
    logging.getLogger("newsdesk-test").info("delivery.sent", extra={"fields": fields})
    assert written.getvalue().count("delivery.sent") == 2
    assert CANARY not in written.getvalue()
    assert MASK in written.getvalue()


def test_a_secret_in_a_message_or_an_exception_is_masked(written: io.StringIO) -> None:
    try:
        int(f"401 for Bearer {CANARY}")
    except ValueError:
        logging.getLogger("newsdesk-test").exception("sent password=%s", CANARY)
        structlog.get_logger("newsdesk-test").exception("sent secret: '%s'", CANARY)
    assert written.getvalue().count("invalid literal for int()") == 2
    assert CANARY not in written.getvalue()


def test_what_is_not_a_secret_stays() -> None:
    event = {
        "event": "AI wrote a summary from Basic principles",
        "input_tokens": 812,
        "token": None,
        "password_changed": True,
        "deliveries": [7, 8],
        "url": "https://example.org:8443/a@b?page=2",
    }
    assert redact(None, "info", dict(event)) == event


def test_json_lines_are_json(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    config = logging_config("INFO", as_json=True)
    config["handlers"]["stderr"]["stream"] = stream
    config["loggers"] = {"newsdesk-json": {"handlers": ["stderr"], "propagate": False}}
    del config["root"]
    logging.config.dictConfig(config)
    logging.getLogger("newsdesk-json").warning("Fähre %s", "zurück")
    line = json.loads(stream.getvalue())
    assert (line["event"], line["level"], line["logger"]) == (
        "Fähre zurück",
        "warning",
        "newsdesk-json",
    )
