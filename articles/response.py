"""How the public took a story: kept here by whoever publishes, read by whoever weighs sources."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from articles.models import StoryResponse

MEASURES = ("views", "reactions", "replies", "shares")


@dataclass(frozen=True, slots=True)
class Response:
    """What all posts of a story drew together; None where no platform said anything."""

    story_id: int
    read_at: datetime  # when a platform was asked last
    views: int | None = None
    reactions: int | None = None
    replies: int | None = None
    shares: int | None = None
    times: float | None = None  # of what is usual on its channels; None: too little is known


def keep(found: Iterable[Response]) -> int:
    """Store these, one for a story; how many were not so before. One read and one write."""
    wanted = {each.story_id: each for each in found}
    known = {row.story_id: _of(row) for row in StoryResponse.objects.filter(story__in=wanted)}
    changed = [each for _, each in sorted(wanted.items()) if known.get(each.story_id) != each]
    StoryResponse.objects.bulk_create(
        [StoryResponse(**asdict(each)) for each in changed],
        update_conflicts=True,
        unique_fields=["story"],
        update_fields=[*MEASURES, "times", "read_at"],
        batch_size=500,
    )
    return len(changed)


def in_words(response: StoryResponse | None) -> str:
    """As people say it: "12 reactions, 1 reply, 1.8 times the usual"; "" for nothing known."""
    if response is None:
        return ""
    counted = [(getattr(response, name), name) for name in MEASURES]
    told = [numbered(number, name) for number, name in counted if number is not None]
    return ", ".join([*told, *([held(response.times)] if response.times is not None else [])])


def numbered(number: int, measure: str) -> str:
    """A number of one of the `MEASURES`: "1 reply", "1,200 views"."""
    one = {"replies": "reply"}.get(measure, measure.removesuffix("s"))
    return f"{number:,} {one if number == 1 else measure}"


def held(times: float) -> str:
    """How it does against what is usual: "1.8 times the usual"."""
    return "as usual" if 0.95 <= times < 1.05 else f"{times:.1f} times the usual"


def _of(row: StoryResponse) -> Response:
    return Response(**{each.name: getattr(row, each.name) for each in fields(Response)})
