"""What the tests ask of a true server, whichever it is."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar

from publishing.models import Channel
from tests.servers.proxy import Mode, Proxy, before


class Venue(ABC):
    """A server that stories are published to, and how its readers see them."""

    key: ClassVar[str]  # of the platform
    label: ClassVar[str]
    writes: ClassVar[int] = 1  # requests that change something, in one publication
    modes: ClassVar[tuple[Mode, ...]] = tuple(Mode)  # what can go wrong on the way there
    finds_out: ClassVar[bool] = True  # the desk settles every doubt by itself; else a person does
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

    def proxied(self) -> AbstractContextManager[Proxy]:
        """A proxy before the server."""
        return before(self.url)

    def prepare(self, channel: Channel) -> None:  # noqa: B027 - most need nothing
        """What a new channel to it needs beside options and credentials."""

    @abstractmethod
    def meant(self, method: str, path: str) -> bool:
        """Whether this request makes, changes or takes away a post."""

    @abstractmethod
    def posts(self, title: str) -> list[str]:
        """The texts of the posts with this in it that stand there now, as readers see them."""
