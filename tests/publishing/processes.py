"""Real processes of the desk on the test's own database and Valkey."""

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from django.db import connection

_ROOT = Path(__file__).resolve().parents[2]


def start(*arguments: str) -> "subprocess.Popen[bytes]":
    """A Python process with these arguments, in a process group of its own."""
    database = connection.settings_dict
    host = database["OPTIONS"].get("host") or database["HOST"]
    login = f"{database['USER']}:{database['PASSWORD']}"
    extra = ",".join(f"{key}={path}" for key, path in settings.EXTRA_PLATFORMS.items())
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=_ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": f"postgres://{login}@/{database['NAME']}?host={host}",
            "REDIS_URL": settings.REDIS_URL,
            "EXTRA_PLATFORMS": extra,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
