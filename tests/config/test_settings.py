"""The settings as a whole, each time in a fresh process, as a start sees them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

HERE = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "NEWSDESK_ENV": "production",
    "SECRET_KEY": "s" * 20 + "e" * 20 + "cret0123456789",
    "JWT_SIGNING_KEY": "j" * 32,
    "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "PUBLIC_URL": "https://desk.example.org",
    "ALLOWED_HOSTS": "desk.example.org",
}


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs manage.py with these variables and nothing else of ours."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=HERE, env=kept | variables, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_the_deploy_check_is_clean_with_production_variables(tmp_path):
    result = manage(
        "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION, VAR_DIR=str(tmp_path)
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("missing", sorted(set(PRODUCTION) - {"NEWSDESK_ENV"}))
def test_production_refuses_to_start_without_each_of_its_variables(missing, tmp_path):
    variables = PRODUCTION | {"VAR_DIR": str(tmp_path)}
    del variables[missing]
    result = manage("check", **variables)
    assert result.returncode != 0
    assert f"{missing}:" in result.stderr
    assert list(tmp_path.iterdir()) == []  # no secret was made up, no engine started


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "eighty"), ("DEBUG", "perhaps"), ("LOG_LEVEL", "LOUD"), ("AI_PROVIDER", "hal"),
     ("OUTBOUND_ALLOWED_NETWORKS", "10.0.0.0/99"), ("CORS_ALLOWED_ORIGINS", "*"),
     ("STORY_URL", "https://www.example.org/stories/")],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_its_name(name, value, tmp_path):
    result = manage("check", **(PRODUCTION | {name: value, "VAR_DIR": str(tmp_path)}))
    assert result.returncode != 0
    assert f"{name}:" in result.stderr


def test_secrets_may_come_from_files(tmp_path):
    (tmp_path / "key").write_text(PRODUCTION["SECRET_KEY"])
    variables = PRODUCTION | {"SECRET_KEY_FILE": str(tmp_path / "key")}
    del variables["SECRET_KEY"]
    assert manage("check", **variables, VAR_DIR=str(tmp_path)).returncode == 0


def test_starting_django_imports_no_ai_library(tmp_path):
    probe = (
        "import django, sys; django.setup(); import config.urls;"
        "print([name for name in ('openai', 'anthropic', 'httpx2') if name in sys.modules])"
    )
    result = manage("shell", "-c", probe, **PRODUCTION, VAR_DIR=str(tmp_path))
    assert result.stdout.strip().endswith("[]"), result.stdout + result.stderr


def test_a_refused_setting_is_one_sentence(tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    for name, value in {"PORT": "abc", "VAR_DIR": str(in_the_way)}.items():
        result = manage("check", **{"VAR_DIR": str(tmp_path), name: value})
        assert result.returncode == 1
        assert result.stderr.startswith(f"{name}: ")
        assert len(result.stderr.splitlines()) == 1
