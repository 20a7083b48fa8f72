"""Who wrote it, in the many forms that feeds have for it. Pure.

An author is a name. Of `mail (Name)`, `Name <mail>` and `Name (mail)` the name is kept; who gives
nothing but an address is called by it.
"""

import re

from sources.feedparsing.texts import plain, words
from sources.feedparsing.vocabulary import Element, Fields, Words, fields

_LONGEST = 300
_MAIL = re.compile(r"(?:mailto:)?[\w.+%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}(?:\?\S{0,100})?")
_AROUND = " \t\"'()<>[]{},;"


def authors(given: Fields, known: Words) -> tuple[str, ...]:
    """The authors among an entry's or a feed's fields, most telling element first."""
    names = [
        _name(words(each)) for word in ("dc:creator", "dc:author") for each in given.get(word, ())
    ]
    names += [_person(each, known) for each in given.get("author", ())] if not any(names) else []
    for word in ("itunes:author", "managingeditor"):
        if not any(names):
            names = [_name(words(each)) for each in given.get(word, ())]
    if not any(names):
        names = [
            _name(words(each)) for each in given.get("media:credit", ())
            if each.get("role", "author").lower() in ("author", "reporter", "journalist", "writer")
        ]  # fmt: skip
    return tuple(dict.fromkeys(name for name in names if name))


def _person(element: Element, known: Words) -> str:
    """One author: Atom's person with name, email and uri inside, or RSS's text."""
    if not len(element):
        return _name(words(element))
    inside = fields(element, known)
    for word in ("name", "title", "email", "uri", "url", "homepage"):
        if (found := inside.get(word)) and (text := plain(found[0])):
            return _name(text) if word != "uri" else text
    return _name(words(element))


def _name(text: str) -> str:
    text = text[:_LONGEST]
    if "@" not in text:
        return text.strip()
    name = " ".join(_MAIL.sub(" ", text).split()).strip(_AROUND)
    if name.count("(") > name.count(")"):
        name += ")"
    return (
        name
        if any(sign.isalnum() for sign in name)
        else text.strip(_AROUND).removeprefix("mailto:")
    )
