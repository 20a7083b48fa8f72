"""The console's pages of sources."""

from sources.admin import bursts, source  # noqa: F401 (imported so that they register)
