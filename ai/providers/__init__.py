"""Who can be asked: one table from key to class, and which of them this installation has.

A provider of your own is a class like those beside this file (`base.Provider` is the contract),
a line in `PROVIDERS`, and settings named after its key: `KEY_API_KEY`, `KEY_BASE_URL`,
`KEY_MODEL`, as far as it needs them.
"""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.utils.module_loading import import_string

from ai.providers.base import Account, BadKey, Provider, Rejected

PROVIDERS = {
    "extractive": "ai.providers.extractive.Extractive",
    "openai": "ai.providers.openai.OpenAI",
    "anthropic": "ai.providers.anthropic.Anthropic",
    "ollama": "ai.providers.ollama.Ollama",
}


def available() -> dict[str, str]:
    """The providers this installation can ask, key → label; the default one first."""
    ready = {key: kind.label for key in PROVIDERS if _lacks(kind := _kind(key), key) == ""}
    first = default()
    return {first: ready[first], **ready}


def default() -> str:
    """The provider that is asked unless somebody names another one.

    The one of `AI_PROVIDER`; where that one is not set up, the offline one.
    """
    chosen: str = settings.AI_PROVIDER
    return chosen if not _lacks(_kind(chosen), chosen) else "extractive"


def provider(key: str) -> Provider:
    """The provider with this installation's account. Raises `Rejected` if it isn't set up."""
    if key not in PROVIDERS:
        raise Rejected(f"There is no AI provider “{key}”.")
    kind = _kind(key)
    if lacking := _lacks(kind, key):
        raise Rejected(f"{kind.label} is not set up here: {lacking} is missing.")
    account = _account(key)
    if not (account.api_key.isascii() and account.api_key.isprintable()):
        raise BadKey(f"The key of {kind.label} contains a character that no key has.")
    return kind(account)


def check_table(**_: Any) -> list[CheckMessage]:
    """A system check: every entry of the table can be imported and fills the contract."""
    problems: list[CheckMessage] = []
    for key, path in PROVIDERS.items():
        try:
            kind = import_string(path)
        except ImportError as error:
            problems.append(Error(f"AI provider “{key}”: {error}", id="ai.E001"))
            continue
        missing = [
            name
            for name in ("label", "needs", "at_home", "deadline", "complete")
            if not hasattr(kind, name)
        ]
        if missing:
            problems.append(
                Error(f"AI provider “{key}” ({path}) has no {', '.join(missing)}.", id="ai.E002")
            )
    return problems


def _kind(key: str) -> type[Provider]:
    kind: type[Provider] = import_string(PROVIDERS[key])
    return kind


def _account(key: str) -> Account:
    return Account(**{name: _setting(key, name) for name in ("model", "base_url", "api_key")})


def _lacks(kind: type[Provider], key: str) -> str:
    """The name of the setting that is missing, or nothing."""
    return f"{key}_{kind.needs}".upper() if kind.needs and not _setting(key, kind.needs) else ""


def _setting(key: str, name: str) -> str:
    return getattr(settings, f"{key}_{name}".upper(), "") or ""
