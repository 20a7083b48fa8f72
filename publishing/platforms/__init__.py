"""The platforms, key to class, in one table. Nothing is registered anywhere else.

`EXTRA_PLATFORMS` in the environment joins more of them; a system check loads every entry.
"""

from functools import cache
from importlib import import_module

from django.conf import settings

from publishing.platforms.base import Platform

TABLE = {
    "wordpress": "publishing.platforms.wordpress.WordPress",
    "ghost": "publishing.platforms.ghost.Ghost",
    "mastodon": "publishing.platforms.mastodon.Mastodon",
    "bluesky": "publishing.platforms.bluesky.Bluesky",
    "devto": "publishing.platforms.devto.Dev",
    "telegram": "publishing.platforms.telegram.Telegram",
    "discord": "publishing.platforms.discord.DiscordWebhook",
    "discord_bot": "publishing.platforms.discord.DiscordBot",
    "slack": "publishing.platforms.slack.Slack",
    "slack_webhook": "publishing.platforms.slack.SlackWebhook",
    "matrix": "publishing.platforms.matrix.Matrix",
    "nostr": "publishing.platforms.nostr.Nostr",
    "nostr_article": "publishing.platforms.nostr.NostrArticle",
    "micropub": "publishing.platforms.micropub.Micropub",
    "linkedin": "publishing.platforms.linkedin.LinkedIn",
    "threads": "publishing.platforms.threads.Threads",
    "facebook_page": "publishing.platforms.facebook_page.FacebookPage",
    "x": "publishing.platforms.x.X",
    "reddit": "publishing.platforms.reddit.Reddit",
    "static_git": "publishing.platforms.static_git.StaticGit",
    "email": "publishing.platforms.email.Email",
    "feed": "publishing.platforms.feed.Feed",
    "webhook": "publishing.platforms.webhook.Webhook",
    "dryrun": "publishing.platforms.dryrun.DryRun",
}


def table() -> dict[str, str]:
    """Every platform's key with the dotted path of its class."""
    return TABLE | settings.EXTRA_PLATFORMS


def platform(key: str) -> Platform:
    """The platform of that key; `KeyError` when there is none."""
    return _load(table()[key])


def platforms() -> dict[str, Platform]:
    """All of them, in the table's order."""
    return {key: platform(key) for key in table()}


@cache
def _load(path: str) -> Platform:
    module, _, name = path.rpartition(".")
    adapter = getattr(import_module(module), name)
    if not (isinstance(adapter, type) and issubclass(adapter, Platform)):
        raise TypeError(f"{path} is not a Platform (publishing.platforms.base).")
    return adapter()
