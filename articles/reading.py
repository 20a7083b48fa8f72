"""An article's text as people read it on the desk's pages."""

import html
import re

from django.utils.safestring import SafeString, mark_safe

from articles.clean import clean_html

_IMAGE = re.compile(r"<img\b[^>]*>")
_SOURCE = re.compile(r'\bsrc="([^"]*)"')
_WORDS = re.compile(r'\balt="([^"]*)"')


def copy_as_html(content: str) -> SafeString:
    """An article's text for reading: safe, and without loading anything from outside.

    A picture becomes a link to it, so that reading an item tells its source nothing.
    """
    # Cleaned when it was stored; cleaned again, because this is where it would hurt.
    return mark_safe(_IMAGE.sub(_picture_link, clean_html(content)))  # noqa: S308 (see above)


def _picture_link(image: re.Match[str]) -> str:
    source, words = _SOURCE.search(image[0]), _WORDS.search(image[0])
    if source is None:
        return ""
    # Both are attribute values of cleaned HTML, so they are escaped already.
    label = f"Picture: {words[1]}" if words and words[1].strip() else "Picture"
    return (
        f'<a href="{source[1]}" rel="noopener noreferrer" target="_blank">'
        f"{html.escape(html.unescape(label))}</a>"
    )
