"""The desk's settings as the tests use them: engines of their own, never a running desk's.

Everything else is what ships; a test that wants another value says so itself.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

_HERE = Path(__file__).resolve().parent.parent
os.environ.setdefault("VAR_DIR", str(_HERE / "var" / "test"))
os.environ.setdefault("NEWSDESK_EPHEMERAL_ENGINES", "1")
os.environ.setdefault("OUTBOUND_ALLOWED_NETWORKS", "127.0.0.0/8,::1/128")
os.environ.setdefault("LOG_LEVEL", "WARNING")

from config.settings import *  # noqa: E402, F403
from config.settings import CACHES, REDIS_URL  # noqa: E402

# Each pytest worker has its own PostgreSQL database (pytest-django) and its own Valkey database.
_worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
_own = urlunsplit(urlsplit(REDIS_URL)._replace(path=f"/{1 + int(_worker) % 14}"))
REDIS_URL = CELERY_BROKER_URL = CACHES["default"]["LOCATION"] = _own

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["*"]
