"""The desk's pages: the wire, its clusters, the stories."""

from articles.admin import (  # noqa: F401 (imported so that they register)
    clusters,
    rule_runs,
    rules,
    stories,
    wire,
)
