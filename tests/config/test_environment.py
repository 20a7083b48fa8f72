"""Wrong or missing values are refused at start, with the variable's name."""

import stat
import threading

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from config.environment import Environment, kept_secret


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda env: env.flag("X", default=False), "perhaps"),
        (lambda env: env.number("X", default=1, least=0, most=9), "many"),
        (lambda env: env.number("X", default=1, least=0, most=9), "10"),
        (lambda env: env.choice("X", ("a", "b"), default="a"), "c"),
        (lambda env: env.url("X", ("redis",), required=True), ""),
        (lambda env: env.url("X", ("redis",), required=False), "http://example.org"),
        (lambda env: env.origins("X", default=[]), "https://*.example.org"),
        (lambda env: env.origins("X", default=[]), "https://example.org/path"),
        (lambda env: env.origins("X", default=[]), "example.org"),
        (lambda env: env.networks("X", default=[]), "10.0.0.0/99"),
        (lambda env: env.table("X"), "mine"),
        (lambda env: env.time_zone("X", default="UTC"), "Mars/Olympus"),
        (lambda env: env.secret("X", least=50), ""),
        (lambda env: env.secret("X", least=50), "short"),
        (lambda env: env.fernet_keys("X", made_up_in=None), ""),
        (lambda env: env.fernet_keys("X", made_up_in=None), "not-a-key"),
        (lambda env: env.names("X", required=True), ""),
        (lambda env: env.text("X"), ""),
    ],
)
def test_a_value_that_can_not_be_used_is_refused_by_name(read, value):
    with pytest.raises(ImproperlyConfigured, match=r"^X: "):
        read(Environment({"X": value}))


def test_a_refusal_never_repeats_a_secret():
    with pytest.raises(ImproperlyConfigured) as refusal:
        Environment({"X": "hunter2hunter2"}).secret("X", least=50)
    assert "hunter2" not in str(refusal.value)


def test_a_secret_may_come_from_a_file(tmp_path):
    (tmp_path / "key").write_text("from the file\n")
    assert Environment({"X_FILE": str(tmp_path / "key")}).secret("X") == "from the file"


def test_a_value_and_its_file_at_once_is_refused(tmp_path):
    with pytest.raises(ImproperlyConfigured, match="keep one of them"):
        Environment({"X": "a", "X_FILE": str(tmp_path / "key")}).text("X")


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(ImproperlyConfigured, match=r"^X_FILE: "):
        Environment({"X_FILE": str(tmp_path / "none")}).text("X")


def test_several_encryption_keys_come_newest_first():
    keys = [Fernet.generate_key().decode() for _ in range(2)]
    assert Environment({"X": ",".join(keys)}).fernet_keys("X", made_up_in=None) == keys


def test_a_made_up_secret_is_private_and_stays_the_same(tmp_path):
    made = [Environment({}).secret("X", made_up_in=tmp_path / "secrets") for _ in range(2)]
    assert made[0] == made[1]
    assert stat.S_IMODE((tmp_path / "secrets" / "x").stat().st_mode) == 0o600


def test_many_starts_at_once_make_up_one_secret(tmp_path):
    made: list[str] = []
    numbers = iter(range(100))

    def start() -> None:
        made.append(kept_secret(tmp_path / "s" / "x", lambda: f"secret {next(numbers)}"))

    threads = [threading.Thread(target=start) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 1
    assert [path.name for path in (tmp_path / "s").iterdir()] == ["x"]
