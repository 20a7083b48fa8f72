"""Names of sources: each has its own."""

from sources.models import Source

LONGEST = 120  # characters


def free_name(wanted: str) -> str:
    """The wanted name, with a number where another source has it."""
    wanted = wanted.strip()[:LONGEST]
    taken = set(Source.objects.filter(name__startswith=wanted[:100]).values_list("name", flat=True))
    numbered = (f"{wanted[: LONGEST - 7]} ({number})" for number in range(2, 10_000))
    return wanted if wanted not in taken else next(n for n in numbered if n not in taken)
