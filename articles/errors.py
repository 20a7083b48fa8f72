"""What can go wrong with an act of the desk.

`DeskError`: the root; its text is for the person who acted.
├── `NotAllowed`: the person lacks the right.
├── `WrongState`: the act is not open in the article's state.
├── `StaleVersion`: somebody saved in between; carries the text that stands now.
├── `NeedsReason`: the act asks for a reason.
└── `Incomplete`: the text is not ready; carries the problems by field.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from articles.models import Article


class DeskError(Exception):
    """An act that was refused. Nothing was changed."""

    code = "refused"


class NotAllowed(DeskError):
    """The person lacks the right."""

    code = "not_allowed"


class WrongState(DeskError):
    """The article is in a state in which this can't be done."""

    code = "wrong_state"


class NeedsReason(DeskError):
    """The act is on the record with a reason, and none was given."""

    code = "needs_reason"


class StaleVersion(DeskError):
    """Somebody saved after this person had opened the article."""

    code = "stale_version"

    def __init__(self, current: "Article", opened: int) -> None:
        super().__init__(
            f"Somebody saved this after you had opened it: you have version {opened}, "
            f"the desk has version {current.version}. Nothing of yours was saved over it."
        )
        self.current = current
        self.opened = opened


class Incomplete(DeskError):
    """The text is not ready for this act."""

    code = "incomplete"

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = dict(problems)
