"""Promise 6: what is sealed stays sealed, and what was tampered with is never used."""

import copy
import io
import pickle
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from cryptography.fernet import Fernet
from django.apps.registry import Apps
from django.conf import LazySettings
from django.core import serializers
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.forms import modelform_factory

from config.management.commands import rotate_keys
from config.sealed import Sealed, SealedJSONField, TamperedSecret

pytestmark = pytest.mark.django_db

SECRETS = {"app_password": "abcd-efgh-ijkl-x7Qz", "user": "desk", "pin": 1234, "note": ""}


class Safe(models.Model):
    """A table that exists during these tests only."""

    name = models.CharField(max_length=20)
    credentials = SealedJSONField()
    spare = SealedJSONField()

    objects: ClassVar[models.Manager["Safe"]] = models.Manager()  # for mypy, blind to `apps` below

    class Meta:
        apps = Apps()  # a registry of its own: no other test meets this model
        app_label = "config"
        db_table = "test_safe"

    def __str__(self) -> str:
        return self.name


@pytest.fixture(autouse=True)
def table(db: None, settings: LazySettings) -> None:
    """The table, and one key."""
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with connection.schema_editor() as editor:
        editor.create_model(Safe)  # gone again with the test's transaction


def stored(safe: Safe, column: str = "credentials") -> str:
    """The text in the column, as a database tool shows it."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM test_safe WHERE id = %s", [safe.pk])
        return str(cursor.fetchone()[0])


def overwrite(safe: Safe, text: str, column: str = "credentials") -> None:
    """What somebody with access to the database might do."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE test_safe SET {column} = %s WHERE id = %s", [text, safe.pk])


@pytest.fixture
def safe() -> Safe:
    return Safe.objects.create(name="wordpress", credentials=SECRETS)


def test_what_is_saved_can_be_revealed(safe: Safe) -> None:
    assert Safe.objects.get().credentials.reveal() == SECRETS


def test_the_column_holds_no_secret(safe: Safe) -> None:
    assert "x7Qz" not in stored(safe)
    assert "app_password" not in stored(safe)


def test_every_way_of_writing_seals(safe: Safe) -> None:
    Safe.objects.update(credentials={"token": "by-update"})
    assert "by-update" not in stored(safe)
    (created,) = Safe.objects.bulk_create([Safe(name="b", credentials={"token": "in-bulk"})])
    assert "in-bulk" not in stored(created)
    created.credentials = {"token": "again"}
    Safe.objects.bulk_update([created], ["credentials"])
    assert "again" not in stored(created)
    assert Safe.objects.get(pk=created.pk).credentials.reveal() == {"token": "again"}


def test_a_mapping_is_masked_from_the_moment_it_is_assigned() -> None:
    safe = Safe(credentials=SECRETS)
    loaded = Sealed.stored("gAAA", "a.b")
    for sealed in (safe.credentials, loaded):
        for shown in (repr(sealed), str(sealed), f"{sealed}", f"{sealed!r:>20}", repr([sealed])):
            assert "Sealed" in shown
            assert "x7Qz" not in shown
            assert "gAAA" not in shown
    assert "x7Qz" not in repr(vars(safe))


def test_nothing_set_is_false_and_stores_nothing() -> None:
    empty = Safe.objects.create(name="rss")
    assert not Safe.objects.get().credentials
    assert stored(empty) == ""
    assert Safe.objects.get().credentials.reveal() == {}
    assert Safe(credentials=SECRETS).credentials


def test_anything_but_a_mapping_is_refused() -> None:
    with pytest.raises(TypeError, match="mapping"):
        Safe(credentials="abcd-efgh")
    safe = Safe()
    with pytest.raises(TypeError, match="mapping"):
        safe.credentials = ["abcd"]  # type: ignore[assignment]  # the mistake under test


def test_a_revealed_dict_is_a_copy() -> None:
    sealed = Sealed({"token": "a"})
    sealed.reveal()["token"] = "b"
    assert sealed.reveal() == {"token": "a"}


def test_the_description_gives_four_characters_of_long_secrets_only(safe: Safe) -> None:
    assert Safe.objects.get().credentials.describe() == {
        "app_password": "set, ends …x7Qz",
        "user": "set",
        "pin": "set",
        "note": "not set",
    }


@pytest.mark.parametrize(
    "text",
    ['{"app_password": "planted"}', "planted", "gAAAAABplanted", "{}", "null", "ä"],
)
def test_a_planted_row_still_lists_and_is_never_used(safe: Safe, text: str) -> None:
    overwrite(safe, text)
    (listed,) = Safe.objects.all()
    assert repr(listed.credentials) == "<Sealed: set>"
    assert listed.credentials.describe() == {"credentials": "unreadable, enter them again"}
    with pytest.raises(TamperedSecret, match=r"test_safe\.credentials"):
        listed.credentials.reveal()


@pytest.mark.parametrize("place", [0, 20, -1])
def test_a_changed_token_is_never_used(safe: Safe, place: int) -> None:
    token = stored(safe)
    changed = list(token)
    changed[place] = "A" if changed[place] != "A" else "B"
    overwrite(safe, "".join(changed))
    with pytest.raises(TamperedSecret):
        Safe.objects.get().credentials.reveal()


def test_a_token_moved_to_another_column_is_never_used(safe: Safe) -> None:
    overwrite(safe, stored(safe), column="spare")
    with pytest.raises(TamperedSecret, match="spare"):
        Safe.objects.get().spare.reveal()


def test_secrets_can_be_copied_between_columns_through_the_model(safe: Safe) -> None:
    safe = Safe.objects.get()
    safe.spare = safe.credentials
    safe.save()
    assert Safe.objects.get().spare.reveal() == SECRETS


def test_a_damaged_row_can_be_saved_and_stays_damaged(safe: Safe) -> None:
    overwrite(safe, "planted")
    listed = Safe.objects.get()
    listed.name = "renamed"
    listed.save()
    assert stored(safe) == "planted"


def test_a_lost_key_is_loud(safe: Safe, settings: LazySettings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(TamperedSecret, match="FIELD_ENCRYPTION_KEYS"):
        Safe.objects.get().credentials.reveal()


@pytest.mark.parametrize("keys", [[], ["too short"], ["ä" * 44]])
def test_no_key_or_a_bad_one_names_the_setting(settings: LazySettings, keys: list[str]) -> None:
    settings.FIELD_ENCRYPTION_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match="FIELD_ENCRYPTION_KEYS"):
        Safe.objects.create(credentials=SECRETS)


@pytest.mark.parametrize("kind", ["json", "xml", "jsonl"])
def test_a_dump_holds_nothing_and_loads_as_not_set(safe: Safe, kind: str) -> None:
    dump = serializers.serialize(kind, [Safe.objects.get()])
    assert "x7Qz" not in dump
    assert stored(safe) not in dump
    assert "gAAAA" not in dump


def test_secrets_are_not_pickled_but_rows_can_be_copied(safe: Safe) -> None:
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(safe)
    assert copy.deepcopy(vars(safe))["credentials"] == safe.credentials


def test_no_form_and_no_filter_sees_it(safe: Safe) -> None:
    assert list(modelform_factory(Safe, fields="__all__").base_fields) == ["name"]
    for condition in ({"credentials": "x"}, {"credentials__contains": "x"}):
        with pytest.raises(FieldError):
            Safe.objects.filter(**condition)


def test_values_are_masked_and_deferred_columns_load(safe: Safe) -> None:
    assert repr(Safe.objects.values_list("credentials", flat=True)[0]) == "<Sealed: set>"
    assert Safe.objects.defer("credentials").get().credentials.reveal() == SECRETS


def test_equality_looks_at_what_is_inside() -> None:
    assert Sealed({"a": "1"}) == Sealed({"a": "1"})
    assert Sealed({"a": "1"}) != Sealed({"a": "2"})
    assert Sealed({"a": "1"}) != {"a": "1"}


# --- rotating keys ---------------------------------------------------------------------------


@pytest.fixture
def rotate(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command over the table of these tests and returns what it printed."""
    monkeypatch.setattr(rotate_keys, "apps", SimpleNamespace(get_models=lambda **_: [Safe]))

    def run(**options: Any) -> str:
        out = io.StringIO()
        call_command("rotate_keys", stdout=out, stderr=out, **options)
        return out.getvalue()

    return run


def test_after_rotation_the_old_key_is_not_needed(
    safe: Safe, settings: LazySettings, rotate: Any
) -> None:
    old, new = settings.FIELD_ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    assert "config.Safe.credentials: 1 re-encrypted, 0 under the newest" in rotate()
    settings.FIELD_ENCRYPTION_KEYS = [new]
    assert Safe.objects.get().credentials.reveal() == SECRETS


def test_rotation_goes_through_every_batch_and_resumes(settings: LazySettings, rotate: Any) -> None:
    Safe.objects.bulk_create(
        Safe(name=str(n), credentials={"n": n} if n % 2 else {}) for n in range(10)
    )
    settings.FIELD_ENCRYPTION_KEYS = [
        Fernet.generate_key().decode(),
        *settings.FIELD_ENCRYPTION_KEYS,
    ]
    done = Safe.objects.get(name="3")
    done.credentials = {"n": 3}
    done.save()  # as after an interrupted run: this one is under the new key
    assert "credentials: 4 re-encrypted, 1 under the newest key already, 0 un" in rotate(batch=3)
    assert "credentials: 0 re-encrypted, 5 under the newest key already, 0 un" in rotate(batch=5)
    assert {safe.credentials.reveal().get("n") for safe in Safe.objects.all()} == {
        *(1, 3, 5, 7, 9),
        None,
    }


def test_rotation_reports_what_it_cannot_read_and_does_the_rest(
    safe: Safe, settings: LazySettings, rotate: Any
) -> None:
    damaged = Safe.objects.create(name="damaged", credentials=SECRETS)
    overwrite(damaged, "planted")
    settings.FIELD_ENCRYPTION_KEYS = [
        Fernet.generate_key().decode(),
        *settings.FIELD_ENCRYPTION_KEYS,
    ]
    before = stored(safe)
    with pytest.raises(CommandError, match="1 could not be read"):
        rotate()
    assert stored(safe) != before
    assert stored(damaged) == "planted"


def test_rotation_finds_every_place_where_credentials_are_kept() -> None:
    found = {f"{model._meta.label}.{field.name}" for model, field in rotate_keys._sealed_fields()}
    assert found >= {"sources.Source.credentials", "publishing.Channel.credentials"}
