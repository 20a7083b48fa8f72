"""A document written in each of the forms that platforms take. Pure.

Markdown: https://spec.commonmark.org/ · Telegram's HTML:
https://core.telegram.org/bots/api#html-style · Slack's mrkdwn:
https://docs.slack.dev/messaging/formatting-message-text
"""

import html
import re
from collections.abc import Callable

from publishing.document import Block, Document, Run

_MARKDOWN_SPECIAL = re.compile(r"([\\`*_\[\]<>~|&])")
_LINE_START = re.compile(r"^(\s*\d*)([#+\-=.)])", re.M)


def plain(document: Document) -> str:
    """Words only; a blank line between blocks, a line for each item of a list."""
    return _blocks(document, _plain_block)


def markdown(document: Document) -> str:
    """CommonMark; struck text as GitHub writes it."""
    return _blocks(document, _markdown_block)


def telegram(document: Document) -> str:
    """The few tags that Telegram's parse_mode HTML knows; headings become bold."""
    return _blocks(document, _telegram_block)


def slack(document: Document) -> str:
    """Slack's mrkdwn, its three special characters escaped."""
    return _blocks(document, _slack_block)


def _blocks(document: Document, write: Callable[[Block], str]) -> str:
    written: list[str] = []
    before: Block | None = None
    for block in document.blocks:
        text = write(block)
        if not text:
            continue
        if before is not None:
            written.append("\n" if before.kind == block.kind == "item" else "\n\n")
        written.append(text)
        before = block
    return "".join(written)


def _bullet(block: Block, mark: str) -> str:
    return "   " * block.level + (f"{block.number}. " if block.number is not None else mark)


# --- plain ---


def _plain_block(block: Block) -> str:
    match block.kind:
        case "item":
            return _bullet(block, "• ") + block.text
        case "quote":
            return f"“{block.text}”" if block.text[:1] not in "“\"«„'" else block.text
        case "rule":
            return "* * *"
        case "image":
            return ""
    return block.text


# --- Markdown ---


def _markdown_block(block: Block) -> str:
    text = "".join(map(_markdown_run, block.runs))
    match block.kind:
        case "heading":
            return f"{'#' * block.level} {text.replace(chr(10), ' ')}"
        case "item":
            return _bullet(block, "- ") + text.replace("\n", "\n   ")
        case "quote":
            return "> " + text.replace("\n", "\n> ")
        case "code":
            fence = _fence(block.text, 3)
            return f"{fence}\n{block.text.rstrip(chr(10))}\n{fence}"
        case "rule":
            return "---"
        case "image":
            return f"![{_escaped(block.alt)}]({_destination(block.src)})"
    return _LINE_START.sub(r"\1\\\2", text).replace("\n", "  \n")


def _markdown_run(run: Run) -> str:
    if run.code:
        fence = _fence(run.text, 1)
        pad = " " if run.text[:1] == "`" or run.text[-1:] == "`" else ""
        text = f"{fence}{pad}{run.text}{pad}{fence}"
    else:
        text = _around(_escaped(run.text), run, "**", "*", "~~")
    return f"[{text}]({_destination(run.href)})" if run.href else text


def _escaped(text: str) -> str:
    return _MARKDOWN_SPECIAL.sub(r"\\\1", text)


def _fence(text: str, least: int) -> str:
    longest = max((len(found) for found in re.findall(r"`+", text)), default=0)
    return "`" * max(least, longest + 1)


def _destination(address: str) -> str:
    """An address that its brackets can't end early."""
    return re.sub(r"[\s<>()\\]", lambda found: f"%{ord(found[0]):02X}", address)


# --- Telegram ---


def _telegram_block(block: Block) -> str:
    text = "".join(map(_telegram_run, block.runs))
    match block.kind:
        case "heading":
            return f"<b>{text}</b>"
        case "item":
            return _bullet(block, "• ") + text
        case "quote":
            return f"<blockquote>{text}</blockquote>"
        case "code":
            return f"<pre>{html.escape(block.text, quote=False)}</pre>"
        case "rule":
            return "* * *"
        case "image":
            return ""
    return text


def _telegram_run(run: Run) -> str:
    text = html.escape(run.text, quote=False)
    if run.code:
        return f"<code>{text}</code>"
    for yes, tag in ((run.bold, "b"), (run.italic, "i"), (run.struck, "s")):
        text = f"<{tag}>{text}</{tag}>" if yes else text
    return f'<a href="{html.escape(run.href)}">{text}</a>' if run.href else text


# --- Slack ---


def _slack_block(block: Block) -> str:
    text = "".join(map(_slack_run, block.runs))
    match block.kind:
        case "heading":
            return f"*{_slack_plain(block.text)}*"
        case "item":
            return _bullet(block, "• ") + text
        case "quote":
            return "> " + text.replace("\n", "\n> ")
        case "code":
            return f"```{_slack_plain(block.text)}```"
        case "rule":
            return "* * *"
        case "image":
            return ""
    return text


def _slack_run(run: Run) -> str:
    text = _slack_plain(run.text)
    if run.href:
        return f"<{_slack_plain(run.href).replace('|', '%7C')}|{text.replace('|', '¦')}>"
    return f"`{text}`" if run.code else _around(text, run, "*", "_", "~")


def _slack_plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _around(text: str, run: Run, bold: str, italic: str, struck: str) -> str:
    """Marks around the words; spaces stay outside, where Markdown and Slack want them."""
    core = text.strip()
    if not core:
        return text
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    for yes, mark in ((run.italic, italic), (run.bold, bold), (run.struck, struck)):
        core = f"{mark}{core}{mark}" if yes else core
    return f"{before}{core}{after}"
