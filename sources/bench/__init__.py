"""Measuring intake: a site with thousands of feeds, workers that sync them, and what it took.

`manage.py bench_ingest` runs it; docs/speed.md has the figures. Nothing here is used by a desk.
"""
