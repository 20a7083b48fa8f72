"""The desk's pages: the wire, the stories."""

from articles.admin import stories, wire  # noqa: F401 (imported so that they register)
