"""The SDKs cost seconds and tens of megabytes, so only a call imports them."""

import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_SCRIPT = """
import sys
import django
django.setup()
from django.core import checks
checks.run_checks(tags=[checks.Tags.models])
import ai.admin, ai.tasks, ai.assist
from ai import providers
assert providers.check_table() == [] and len(providers.available()) == 4
print(sorted({"openai", "anthropic", "httpx2"} & {name.partition(".")[0] for name in sys.modules}))
"""


def test_a_desk_with_every_provider_set_up_starts_without_their_sdks(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "VAR_DIR": str(tmp_path),
            "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "OPENAI_API_KEY": "sk-demo",
            "ANTHROPIC_API_KEY": "sk-ant-demo",
            "OLLAMA_BASE_URL": "http://127.0.0.1:1",
        },
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "[]"
