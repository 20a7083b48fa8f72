"""Who wrote it, in the many forms that feeds have for it. Pure.

An author is a name. Of `mail (Name)`, `Name <mail>` and `Name (mail)` the name is kept; who gives
nothing but an address is called by it.
"""

import re

from sources.feedparsing.texts import plain, words
from sources.feedparsing.vocabulary import Element, Fields, Words, fields

_LONGEST, _MOST = 300, 200
_MAIL = re.compile(r"(?:mailto:)?[\w.+%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}(?:\?\S{0,100})?")
_AROUND = " \t\"'()<>[]{},;"
_KINDS = ("dc:creator", "dc:author", "author", "itunes:author", "managingeditor",
          "itunes:owner", "media:credit")  # fmt: skip
_WRITERS = frozenset({"author", "reporter", "journalist", "writer"})


def authors(given: Fields, known: Words) -> tuple[str, ...]:
    """The authors among an entry's or a feed's fields.

    Of several kinds of author the most telling only: RSS's `author` beside a `dc:creator` is the
    mail address that RSS asks for.
    """
    for word in _KINDS:
        if word in given:
            writers = [each for each in given[word][:_MOST] if _wrote(each, word)]
            if names := dict.fromkeys(filter(None, [_person(each, known) for each in writers])):
                return tuple(names)
    return ()


def _wrote(element: Element, word: str) -> bool:
    return word != "media:credit" or element.get("role") in _WRITERS


def _person(element: Element, known: Words) -> str:
    """One author: Atom's person with name, email and uri inside, or RSS's text."""
    if not len(element):
        return _name(words(element))
    inside = {word.rpartition(":")[2]: found for word, found in fields(element, known).items()}
    for word in ("name", "email", "uri", "url", "homepage"):
        if (found := inside.get(word)) and (text := plain(found[0])):
            return _name(text) if word in ("name", "email") else text
    return _name(words(element))


def _name(text: str) -> str:
    text = text[:_LONGEST].strip()
    if "@" not in text:
        return text
    name = " ".join(_MAIL.sub(" ", text).split()).strip(_AROUND)
    if name.count("(") > name.count(")"):  # such as “Ada (night desk)”
        name += ")"
    if any(sign.isalnum() for sign in name):
        return name
    return text.strip(_AROUND).removeprefix("mailto:")
