"""What the world remembers over a restart: the news so far and what was posted to it.

A demo that is started again goes on where it ended: its desk knows those reports, and looks for its
posts. Faults and limits are forgotten.
"""

import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Protocol


class Remembers(Protocol):
    """A part of the world with something to keep."""

    remembers: ClassVar[tuple[str, ...]]  # names of its attributes


def keep(path: Path, parts: Sequence[Remembers]) -> None:
    """Write the parts' memory down, whole or not at all."""
    memory = {type(part).__name__: {n: vars(part)[n] for n in part.remembers} for part in parts}
    draft = path.with_suffix(".draft")
    draft.write_bytes(pickle.dumps(memory))
    os.replace(draft, path)


def recall(path: Path, parts: Sequence[Remembers]) -> bool:
    """Give the parts their memory back; False if there is none that they understand."""
    try:
        memory = pickle.loads(path.read_bytes())  # noqa: S301 - a file that `keep` has written
        found = {part: memory[type(part).__name__] for part in parts}
    except (FileNotFoundError, EOFError, AttributeError, ImportError, LookupError, TypeError,
            pickle.UnpicklingError):  # fmt: skip
        return False  # none, or of a version whose world was another
    if any(set(part.remembers) != set(kept) for part, kept in found.items()):
        return False
    for part, kept in found.items():
        vars(part).update(kept)
    return True
