"""One way to log for Django, Celery, libraries and our own code, with secrets taken out.

Our modules say ``log = structlog.get_logger(__name__)`` and
``log.info("delivery.published", delivery=7)``; a library's stdlib records pass through the same
chain, so redaction applies to every line whoever wrote it.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

MASK = "[redacted]"

# "tokens" is what an AI call costs, "token" is what it pays with.
_SECRET_NAME = re.compile(
    r"passw(or)?d|passphrase|secret|token(?!s)|authorization|api[-_]?key|credential|cookie"
    r"|private[-_]?key|signing[-_]?key",
    re.IGNORECASE,
)
# Secrets inside running text: an exception's message, a library's log line, a URL.
_SECRET_TEXT = (
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{12,}"), rf"\1 {MASK}"),
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+@"), rf"\1{MASK}@"),
    (
        re.compile(
            r"((?:passw(?:or)?d|secret|token|api[-_]?key|authorization|credentials?)"
            r"['\"]?\s*[=:]\s*)(?!Bearer|Basic)(?:'[^']*'|\"[^\"]*\"|[^\s,;&)}\]]+)",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
)
_DEEPEST = 8


def logging_config(level: str, as_json: bool) -> dict[str, Any]:
    """The value for Django's LOGGING; also points structlog at it.

    ``as_json`` writes one JSON object a line, for collectors; otherwise lines for people.
    """
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,  # to text, so that redaction sees it
        redact,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # a test that captures logs must see every logger
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": before,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    _renderer(as_json),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django gives its own logger handlers; ours is the only one.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            # At INFO and below these write addresses and headers of requests to platforms.
            **{
                name: {"level": "WARNING"}
                for name in ("httpx", "httpcore", "httpx2", "httpcore2", "openai", "anthropic")
            },
        },
    }


def redact(_logger: WrappedLogger | None, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: masks what looks like a secret, by key at any depth and in text."""
    return cast(EventDict, {key: _redacted(key, value, 0) for key, value in event.items()})


def _redacted(key: object, value: Any, depth: int) -> Any:
    if isinstance(key, str) and not key.startswith("_") and _SECRET_NAME.search(key):
        return value if value is None or value == "" or isinstance(value, bool) else MASK
    if isinstance(value, str):
        return _without_secrets(value)
    if depth == _DEEPEST:
        return "…" if isinstance(value, Mapping | list | tuple | set) else value
    if isinstance(value, Mapping):
        return {name: _redacted(name, inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [_redacted(None, inner, depth + 1) for inner in value]
    return value


def _without_secrets(text: str) -> str:
    for pattern, replacement in _SECRET_TEXT:
        text = pattern.sub(replacement, text)
    return text


def _renderer(as_json: bool) -> Processor:
    if as_json:
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(
        colors=False, exception_formatter=structlog.dev.plain_traceback
    )
