"""What Reddit complains of inside an answer of status 200. Pure.

With api_type=json it is a list of [code, words, field] under json.errors; some endpoints answer
{"reason": …, "explanation": …} instead. https://www.reddit.com/dev/api/
"""

import re
from dataclasses import dataclass

from config.outbound import Response
from publishing.platforms.reading import complaint, member, text

_UNITS = {"millisecond": 0.001, "second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}
_IN_WORDS = re.compile(r"(\d{1,6})\s*(millisecond|second|minute|hour|day)")
_LONGEST = 86400.0  # seconds to wait, whatever is said
_PATIENCE = {"RATELIMIT": 600.0, "QUOTA_FILLED": 3600.0}  # seconds where none are named


@dataclass(frozen=True, slots=True)
class Complaint:
    """One of them: Reddit's code, and its words for a person."""

    code: str
    words: str


def complaints(answer: Response) -> list[Complaint]:
    """All of an answer's, in their order; none where it worked."""
    body = complaint(answer)
    listed = member(body, "json").get("errors")
    found = []
    for each in listed if isinstance(listed, list) else []:
        parts = [part for part in each if isinstance(part, str)] if isinstance(each, list) else []
        if parts:
            found.append(Complaint(parts[0], " ".join(parts[1:2]) or parts[0]))
    if not found and body.get("success") is False:
        found.append(Complaint("FAILED", text(body, "explanation") or "It does not say why."))
    return found


def patience(answer: Response, said: list[Complaint]) -> float | None:
    """Seconds to wait, where it is a matter of waiting; None where it is not.

    The number beside the errors is exact; the words ("try again in 9 minutes") are rounded down.
    """
    waiting = [each for each in said if each.code in _PATIENCE]
    if not waiting:
        return None
    exact = member(complaint(answer), "json").get("ratelimit")
    if isinstance(exact, int | float) and not isinstance(exact, bool) and 0 <= exact < 1e9:
        return min(float(exact), _LONGEST)
    for each in waiting:
        if match := _IN_WORDS.search(each.words):
            unit = _UNITS[match[2]]
            return min((int(match[1]) + 1) * unit, _LONGEST)
    return max(_PATIENCE[each.code] for each in waiting)
