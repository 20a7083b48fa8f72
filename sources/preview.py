"""What a source would bring, before anything is saved."""

from dataclasses import dataclass

from django.utils import timezone

from articles.clean import one_line
from articles.models import Article
from articles.wire import WireCopy
from sources import fetching
from sources.models import Source

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Preview:
    """A look at a source. Nothing of it is stored."""

    title: str  # what the source calls itself
    count: int
    known: int  # how many of them we have from this source already
    first: tuple[tuple[str, str], ...]  # title and address of the first few
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        pieces = "1 piece" if self.count == 1 else f"{self.count} pieces"
        return f"{self.title or 'It'} answers with {pieces}, {self.known} of them known already."


def preview(source: Source) -> Preview:
    """Fetch the source as a sync would; raises `SourceError` with what is wrong."""
    fetched = fetching.fetch(source, timezone.now(), whole=True)
    return Preview(
        title=one_line(fetched.title, 100),
        count=len(fetched.copies),
        known=_known(source, fetched.copies),
        first=tuple((one_line(copy.title, 150), copy.url) for copy in fetched.copies[:SHOWN]),
        warnings=fetched.warnings,
    )


def _known(source: Source, copies: tuple[WireCopy, ...]) -> int:
    if source._state.adding:
        return 0
    ids = [copy.external_id.replace("\x00", "") for copy in copies]
    return Article.objects.filter(source=source, external_id__in=ids).count()
