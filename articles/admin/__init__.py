"""The desk's pages: the wire, the stories."""

from articles.admin import rule_runs, rules, stories, wire  # noqa: F401 (imported so that they register)
