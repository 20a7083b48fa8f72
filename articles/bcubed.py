"""How good clusters are against labels: B-cubed, after Bagga and Baldwin (1998). Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Marks:
    """What a clustering is worth, 0 to 1 each."""

    precision: float  # of an item's cluster: the share that is truly of its event
    recall: float  # of an item's event: the share that is in its cluster
    f1: float  # their harmonic mean
    items: int
    events: int
    clusters: int


def bcubed(events: Sequence[str], clusters: Sequence[int]) -> Marks:
    """The marks of `clusters` against `events`, both given for each item in the same order.

    Precision and recall are means over items, so that large and small events count by their
    items. Raises `ValueError` when there is nothing to compare.
    """
    if not events or len(events) != len(clusters):
        raise ValueError("Give as many clusters as labelled items, and at least one.")
    together = Counter(zip(events, clusters, strict=True))
    of_event, of_cluster = Counter(events), Counter(clusters)
    squares = {pair: number * number for pair, number in together.items()}
    precision = sum(n / of_cluster[cluster] for (_, cluster), n in squares.items()) / len(events)
    recall = sum(n / of_event[event] for (event, _), n in squares.items()) / len(events)
    return Marks(
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / (precision + recall),
        items=len(events),
        events=len(of_event),
        clusters=len(of_cluster),
    )
