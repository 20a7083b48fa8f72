"""The pages of docs/ that are drawn from the code's own tables, so that they can't grow old."""

from config.handbook import lifecycle, platforms, sources


def pages() -> dict[str, str]:
    """Each such page: file name in docs/ to its text."""
    return {
        "lifecycle.md": lifecycle.page(),
        "platforms.md": platforms.page(),
        "sources.md": sources.page(),
    }
