"""What the tests ask of a true server, whichever it is."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar


class Venue(ABC):
    """A server that stories are published to, and how its readers see them."""

    key: ClassVar[str]  # of the platform
    label: ClassVar[str]
    writes: ClassVar[int] = 1  # requests that change something, in one publication
    credentials: Mapping[str, Any]
    url: str  # where the server itself listens

    @classmethod
    @abstractmethod
    @contextmanager
    def running(cls, data: Path) -> Iterator["Venue"]:
        """The server with its data in this folder. Raises `Missing` where it can't be had."""
        yield NotImplemented

    @abstractmethod
    def version(self) -> str:
        """The version that the server names itself."""

    @abstractmethod
    def options(self, url: str) -> dict[str, Any]:
        """A channel's options that lead to the server by `url`, the proxy's or its own."""

    @abstractmethod
    def meant(self, method: str, path: str) -> bool:
        """Whether this request makes, changes or takes away a post."""

    @abstractmethod
    def posts(self, title: str) -> list[str]:
        """The texts of the posts with this in it that stand there now, as readers see them."""
