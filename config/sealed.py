"""A model field for credentials: encrypted at rest, masked wherever it is shown.

The column holds a Fernet token under ``settings.FIELD_ENCRYPTION_KEYS`` (newest first, apart
from SECRET_KEY, rotated by ``manage.py rotate_keys``). The value on a model is a `Sealed`::

    source.credentials = {"client_secret": "…"}   # becomes a Sealed at once
    source.credentials                            # <Sealed: set>
    source.credentials.reveal()["client_secret"]  # the one way in

Loading a row decrypts nothing, so a list with one damaged row still renders; `Sealed.reveal`
raises `TamperedSecret` for it, so nothing ever runs on a value that is not what was sealed. The
name of table and column is sealed inside, so a token copied into another column is refused too.
"""

import functools
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression
from django.db.models.query_utils import DeferredAttribute

if TYPE_CHECKING:
    _Field = models.Field[Mapping[str, Any] | "Sealed", "Sealed"]  # set to, read as
else:
    _Field = models.Field  # generic in django-stubs only

_SHORTEST_HINTED = 12  # four characters of anything shorter would give too much away


class TamperedSecret(Exception):
    """A stored secret is not what this installation sealed into that column."""


class Sealed:
    """Credentials by name. Immutable; false when nothing is set; neither pickled nor dumped."""

    __slots__ = ("_column", "_token", "_values")

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self._values: dict[str, Any] | None = dict(values or {})
        self._token = ""
        self._column = ""

    @classmethod
    def stored(cls, token: str, column: str) -> Self:
        """What a column holds, not yet opened. ``column`` is "table.column"."""
        sealed = cls()
        if token:
            sealed._values, sealed._token, sealed._column = None, token, column
        return sealed

    def reveal(self) -> dict[str, Any]:
        """The secrets in clear, a fresh dict. Raises `TamperedSecret`."""
        if self._values is not None:
            return dict(self._values)
        try:
            content = json.loads(_keyring().decrypt(self._token))
            if content["column"] != self._column:
                raise TamperedSecret(f"A secret of {content['column']} was put in {self._column}.")
            return dict(content["values"])
        except (InvalidToken, ValueError, KeyError, TypeError) as error:
            raise TamperedSecret(
                f"The secrets in {self._column} can't be read: the row was changed from outside, "
                "or its key is missing from FIELD_ENCRYPTION_KEYS. Enter them again."
            ) from error

    def describe(self) -> dict[str, str]:
        """For a form: each name with "set, ends …x7Qz", "set" or "not set". Never raises."""
        try:
            values = self.reveal()
        except TamperedSecret:
            return {"credentials": "unreadable, enter them again"}
        return {name: _hint(value) for name, value in values.items()}

    def token_for(self, column: str) -> str:
        """What to store in ``column``; empty if nothing is set."""
        if not self:
            return ""
        if self._token and self._column == column:
            return self._token  # as it was read: saving a damaged row doesn't need its key
        return _seal(self.reveal(), column)

    def resealed(self) -> Self | None:
        """The same secrets under the newest key, or None if they are under it already."""
        if not self._token or _is_newest(self._token):
            return None
        return self.stored(_seal(self.reveal(), self._column), self._column)

    def __bool__(self) -> bool:
        return bool(self._token or self._values)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sealed):
            return NotImplemented
        return (bool(self._token) and self._token == other._token) or (
            self.reveal() == other.reveal()
        )

    __hash__ = None  # type: ignore[assignment]  # equal values have unequal tokens

    def __repr__(self) -> str:
        return f"<Sealed: {'set' if self else 'empty'}>"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("Secrets are not pickled: pass the row's id and load it there.")


class _SealingAttribute(DeferredAttribute):
    """Turns a mapping into a `Sealed` at the moment it is assigned to a model."""

    def __set__(self, instance: models.Model, value: object) -> None:
        instance.__dict__[self.field.attname] = self.field.to_python(value)


class SealedJSONField(_Field):
    """A JSON object of secrets. Never in a form, a fixture, a filter or an index by itself."""

    description = "Encrypted credentials"
    descriptor_class = _SealingAttribute

    def __init__(self, *args: Any, **options: Any) -> None:
        if options.get("null"):
            raise ValueError("an empty SealedJSONField is {}, not null")
        usual: dict[str, Any] = {"default": dict, "blank": True, "editable": False}
        super().__init__(*args, **{**usual, **options})

    def get_internal_type(self) -> str:
        """Stored as text, so that no database tool takes it for readable JSON."""
        return "TextField"

    def to_python(self, value: object) -> Sealed:
        """A mapping as `Sealed`; anything else but an empty value is a mistake of the caller."""
        if isinstance(value, Sealed):
            return value
        if value is None or value == "":
            return Sealed()
        if isinstance(value, Mapping):
            return Sealed(value)
        raise TypeError(f"{self.name} takes a mapping of secrets, not {type(value).__name__}")

    def from_db_value(
        self, value: str | None, _expression: Expression, _connection: BaseDatabaseWrapper
    ) -> Sealed:
        """The stored token, unopened."""
        return Sealed.stored(value or "", self._bound_to)

    def get_prep_value(self, value: object) -> str:
        """The token to store."""
        return self.to_python(value).token_for(self._bound_to)

    def get_lookup(self, lookup_name: str) -> None:
        """None, which Django reports as unsupported: each token is different, nothing matches."""
        return

    def value_to_string(self, obj: models.Model) -> str:
        """Always empty: a dump, loaded elsewhere, has its credentials not set."""
        return ""

    @property
    def _bound_to(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"


def _hint(value: object) -> str:
    if value is None or value == "":
        return "not set"
    if isinstance(value, str) and len(value) >= _SHORTEST_HINTED:
        return f"set, ends …{value[-4:]}"
    return "set"


def _seal(values: Mapping[str, Any], column: str) -> str:
    return _keyring().encrypt(json.dumps({"column": column, "values": values}).encode()).decode()


def _is_newest(token: str) -> bool:
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(token)
    except InvalidToken:
        return False
    return True


def _keyring() -> MultiFernet:
    return _keyring_of(tuple(getattr(settings, "FIELD_ENCRYPTION_KEYS", ())))


@functools.lru_cache(maxsize=4)
def _keyring_of(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS: is not set; credentials need a key.")
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured(
            "FIELD_ENCRYPTION_KEYS: holds something else than keys of 32 bytes in URL-safe base64."
        ) from error
