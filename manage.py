#!/usr/bin/env python
"""The desk's command line: `manage.py help` lists what it can do."""

import os
import sys

READS_FILES_ONLY = ("parse_feed",)


def main() -> None:
    """Do what the command line says; a refused setting is a sentence there, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] and sys.argv[1] in READS_FILES_ONLY:  # no need to start engines for it
        os.environ.setdefault("DATABASE_URL", "postgres://none/none")
        os.environ.setdefault("REDIS_URL", "redis://none")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from config.embedded import EngineUnavailable

    try:
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, EngineUnavailable) as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
