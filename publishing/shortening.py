"""Long texts made short, and cut into threads, at a sentence where that is possible. Pure."""

from collections.abc import Iterator

import regex

from publishing.counting import Ruler, graphemes

_SENTENCE_END = regex.compile(r"[.!?…。！？][\"'”’»)\]]*(?=\s|$)|(?<=[。！？])")
_ABBREVIATION = regex.compile(r"\b(?:\p{Lu}|Mr|Mrs|Ms|Dr|Prof|St|No|vs|etc|e\.g|i\.e|a\.m|p\.m)\.$")
_LONGEST_MARK = 6  # of a thread's number: "99/99 "
MOST_PARTS = 99


def shortened(text: str, ruler: Ruler) -> str:
    """`text` within the rule: ended at a sentence if more than half of it stays, else at a word.

    A text cut at a word ends with an ellipsis; "" if not even one word fits.
    """
    if ruler.fits(text):
        return text
    cut = _longest_start(text, ruler.less(ruler.length("…")))
    end = _last_sentence(cut, whole=False)
    if end > len(cut) // 2:
        return cut[:end].rstrip()
    at_word = regex.sub(r"\S+$", "", cut) if cut != text and _inside_word(text, len(cut)) else cut
    kept = (at_word.rstrip() or cut).rstrip(" ,;:–—-")
    return f"{kept}…" if kept and ruler.fits(f"{kept}…") else ""


def thread(text: str, ruler: Ruler, *, most: int = 25) -> list[str]:
    """`text` in numbered parts ("1/4 …"), each within the rule; one part has no number.

    Parts end at a paragraph, else at a sentence, else at a word. What doesn't fit into `most`
    parts is cut from the last one, which then ends with an ellipsis.
    """
    text = text.strip()
    if ruler.fits(text):
        return [text] if text else []
    most = max(1, min(most, MOST_PARTS))
    parts = list(_parts(text, ruler.less(_LONGEST_MARK), most))
    return [f"{number}/{len(parts)} {part}" for number, part in enumerate(parts, 1)]


def _parts(text: str, ruler: Ruler, most: int) -> Iterator[str]:
    for _ in range(most - 1):
        if ruler.fits(text):
            break
        cut = _longest_start(text, ruler)
        end = _break(text, cut)
        yield text[:end].rstrip()
        text = text[end:].lstrip()
    if text:
        yield shortened(text, ruler)


def _break(text: str, cut: str) -> int:
    """Where the part that is at most `cut` should end."""
    paragraph = cut.rfind("\n\n")
    if paragraph > len(cut) // 2:
        return paragraph
    sentence = _last_sentence(cut, whole=len(cut) == len(text))
    if sentence > len(cut) // 3:
        return sentence
    if paragraph > len(cut) // 4:
        return paragraph
    word = max(cut.rfind(" "), cut.rfind("\n"))
    if _inside_word(text, len(cut)) and word > 0:
        return word
    return len(cut)


def _longest_start(text: str, ruler: Ruler) -> str:
    """As many whole graphemes from the start as fit. Bisected: counting a text costs its length."""
    pieces = graphemes(text)
    low, high = 0, len(pieces)
    while low < high:
        middle = (low + high + 1) // 2
        if ruler.fits("".join(pieces[:middle])):
            low = middle
        else:
            high = middle - 1
    return "".join(pieces[:low])


def _last_sentence(cut: str, *, whole: bool) -> int:
    """Where the last whole sentence in `cut` ends; 0 for none."""
    end = 0
    for found in _SENTENCE_END.finditer(cut):
        at_the_cut = found.end() == len(cut) and not whole
        if not at_the_cut and not _ABBREVIATION.search(cut[: found.end()]):
            end = found.end()
    return end


def _inside_word(text: str, position: int) -> bool:
    return (
        position < len(text) and not text[position].isspace() and not text[position - 1].isspace()
    )
