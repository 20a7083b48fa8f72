"""The address of a page that somebody pasted, taken apart for `Recognises`. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Pasted:
    """A page's address in parts."""

    origin: str  # such as https://lobste.rs, as it was written
    host: str  # lower case, without www.
    path: tuple[str, ...]  # its segments, decoded; empty ones left out
    query: Mapping[str, str]  # of each name the last

    def at(self, index: int) -> str:
        """A segment of the path; "" where there is none."""
        return self.path[index] if index < len(self.path) else ""


def pasted(url: str) -> Pasted | None:
    """The parts of an http or https address; None for anything else."""
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").removeprefix("www.").rstrip(".")
        _ = parts.port  # raises for a port that is none
        query = dict(parse_qsl(parts.query, max_num_fields=50))
    except ValueError:  # such as "http://[half", or a crowd of fields
        return None
    if parts.scheme not in ("http", "https") or not host or len(url) > _LONGEST:
        return None
    segments = tuple(unquote(each) for each in parts.path.split("/") if each)
    return Pasted(f"{parts.scheme}://{parts.netloc}", host, segments, query)
