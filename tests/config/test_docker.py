"""Dockerfile and compose file against the settings: no engine runs here, so they are read.

They are unbuilt on the machines where the desk is developed; these checks keep them honest.
"""

import re
import shlex
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((HERE / "docker/compose.yml").read_text())
DOCKERFILE = (HERE / "docker/Dockerfile").read_text()
OURS = ("migrate", "web", "worker", "beat", "sweeper")
SETTINGS = (HERE / "config/settings.py").read_text()
READ = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', SETTINGS))
REQUIRED = {
    "SECRET_KEY", "JWT_SIGNING_KEY", "FIELD_ENCRYPTION_KEYS", "DATABASE_URL", "REDIS_URL",
    "PUBLIC_URL", "ALLOWED_HOSTS",
}  # fmt: skip


def test_every_service_of_the_design_is_there():
    assert {*OURS, "postgres", "redis", "nginx"} == set(COMPOSE["services"])


@pytest.mark.parametrize("name", OURS)
def test_a_service_sets_only_variables_that_the_settings_read(name):
    given = {
        variable.removesuffix("_FILE") for variable in COMPOSE["services"][name]["environment"]
    }
    assert given <= READ
    assert given >= REQUIRED | {"NEWSDESK_ENV"}


def test_every_secret_file_that_a_service_reads_is_declared():
    for name in OURS:
        service = COMPOSE["services"][name]
        mounted = {f"/run/secrets/{secret}" for secret in service["secrets"]}
        read = {v for k, v in service["environment"].items() if k.endswith("_FILE")}
        assert read <= mounted
        assert set(service["secrets"]) <= set(COMPOSE["secrets"])


def test_no_secret_is_written_into_the_compose_file():
    for name in OURS:
        for variable in ("SECRET_KEY", "JWT_SIGNING_KEY", "FIELD_ENCRYPTION_KEYS", "DATABASE_URL"):
            assert variable not in COMPOSE["services"][name]["environment"]


def test_only_nginx_is_reached_from_outside():
    assert [name for name, each in COMPOSE["services"].items() if "ports" in each] == ["nginx"]


def test_every_variable_that_compose_takes_is_explained_in_the_example():
    text = (HERE / "docker/compose.yml").read_text()
    taken = set(re.findall(r"\$\{([A-Z_]+)", text))
    example = {
        line.split("=")[0]
        for line in (HERE / "docker/env.example").read_text().splitlines()
        if "=" in line and not line.startswith("#")
    }
    assert taken == example


def test_the_worker_listens_to_every_queue_that_tasks_are_routed_to():
    command = COMPOSE["services"]["worker"]["command"]
    listened = set(command[command.index("--queues") + 1].split(","))
    routed = set(re.findall(r'\{"queue": "(\w+)"\}', SETTINGS)) | {"default"}
    assert listened == routed


@pytest.mark.parametrize("name", ["migrate", "sweeper"])
def test_a_command_of_ours_that_compose_runs_exists(name):
    command = COMPOSE["services"][name]["command"][2]
    places = [HERE / app / "management/commands" for app in ("config", "publishing", "sources")]
    assert command == "migrate" or any((place / f"{command}.py").exists() for place in places)


def test_a_deploy_waits_longer_than_the_longest_call_to_a_platform():
    from publishing.begin import CALL_DEADLINE

    assert int(COMPOSE["services"]["worker"]["stop_grace_period"].removesuffix("s")) > CALL_DEADLINE


def test_everything_the_image_copies_exists_and_is_let_through():
    let_through = (HERE / ".dockerignore").read_text().split()
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.M):
        for path in shlex.split(line)[:-1]:
            assert (HERE / path).exists(), path
            assert f"!{path.split('/')[0]}" in let_through, path


def test_the_image_runs_as_nobody_special_and_in_production():
    assert re.search(r"^USER newsdesk$", DOCKERFILE, re.M)
    assert "NEWSDESK_ENV=production" in DOCKERFILE
    assert DOCKERFILE.count("\nFROM ") + DOCKERFILE.startswith("FROM ") == 2


def test_the_image_installs_by_hash():
    assert "--require-hashes" in DOCKERFILE
    lock = (HERE / "requirements/prod.txt").read_text()
    pins = re.findall(r"^[a-z0-9][^\s]*==\S+", lock, re.M)
    assert len(pins) > 30
    assert lock.count("--hash=sha256:") >= len(pins)
