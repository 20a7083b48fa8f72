#!/usr/bin/env python
"""The desk's command line: `manage.py help` lists what it can do."""

import os
import sys


def main() -> None:
    """Do what the command line says; a refused setting is a sentence there, not a traceback."""
    if sys.argv[1:2] == ["parse_feed"]:  # reads files only: neither Django nor engines for that
        from sources.feedparsing.__main__ import main as parse_feed

        sys.exit(parse_feed(sys.argv[2:], "manage.py parse_feed"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from config.embedded import EngineUnavailable

    try:
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, EngineUnavailable) as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
