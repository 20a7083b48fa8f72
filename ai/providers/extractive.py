"""No model at all: picks sentences out of the material, word for word. Needs no key and no network.

What it says stands in a source, so it can't invent; it can't connect or rephrase either. Where
several sources are in play, each sentence names its own.
"""

from typing import ClassVar, Literal

from ai import ranking
from ai.providers.base import Account, Completion, Request, Unusable
from ai.ranking import Sentence
from config.outbound import Client

MODEL = "extractive-1"


class Extractive:
    """Verbatim sentences with their source."""

    label: ClassVar[str] = "Extractive (offline)"
    needs: ClassVar[Literal["", "api_key", "base_url"]] = ""
    at_home: ClassVar[bool] = True
    deadline: ClassVar[float] = 10.0

    def __init__(self, account: Account) -> None:
        self._account = account

    async def complete(self, request: Request, http: Client) -> Completion:
        """Pick the sentences. Raises `Unusable` when the material has none."""
        write = {"article": _article, "analysis": _analysis}.get(request.task, _summary)
        text = write(request)
        if not text:
            raise Unusable("There is not enough text to pick sentences from.")
        return Completion(text=text, model=MODEL, input_tokens=0, output_tokens=0, finish="stop")


def _summary(request: Request) -> str:
    chosen = ranking.in_order(ranking.strongest(request.passages, 3))
    return " ".join(_quoted(sentence, request) for sentence in chosen)


def _article(request: Request) -> str:
    chosen = ranking.in_order(ranking.strongest(request.passages, 12))
    if not chosen:
        return ""
    title = request.topic or request.passages[chosen[0].passage].title
    return "\n\n".join([title, *_paragraphs(chosen, request)])


def _analysis(request: Request) -> str:
    ranked = ranking.strongest(request.passages, 12)
    with_figures = [each for each in ranked if any(letter.isdigit() for letter in each.text)]
    carrying = [each for each in ranked[:4] if each not in with_figures[:4]]
    blocks = {
        "What carries the material:": carrying,
        "Figures to check:": with_figures[:4],
    }
    return "\n\n".join(
        "\n\n".join([heading, *(_quoted(each, request) for each in ranking.in_order(found))])
        for heading, found in blocks.items()
        if found
    )


def _paragraphs(chosen: list[Sentence], request: Request) -> list[str]:
    """Two sentences a paragraph, never from two sources."""
    paragraphs: list[list[Sentence]] = []
    for sentence in chosen:
        last = paragraphs[-1] if paragraphs else []
        if 0 < len(last) < 2 and last[0].passage == sentence.passage:
            last.append(sentence)
        else:
            paragraphs.append([sentence])
    return [" ".join(_quoted(each, request) for each in paragraph) for paragraph in paragraphs]


def _quoted(sentence: Sentence, request: Request) -> str:
    sources = {passage.source for passage in request.passages}
    if len(sources) < 2:
        return sentence.text
    return f"{sentence.text} ({request.passages[sentence.passage].source})"
