"""Forms whose fields an adapter declares: a source's connector, a channel's platform.

An adapter lists its options and credentials as data. Here they become form fields: options filled
with what is stored, secrets write-only (empty means unchanged; what is set is said in words).
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from django import forms

from config.admin_base import NumberInput, PasswordInput, Select, Switch, Textarea, TextInput


class Declared(Protocol):
    """One declared option or credential; `sources` and `publishing` have their own values."""

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def required(self) -> bool: ...
    @property
    def help(self) -> str: ...
    @property
    def default(self) -> Any: ...
    @property
    def choices(self) -> tuple[tuple[str, str], ...]: ...


def option_fields(
    declared: Iterable[Declared], stored: Mapping[str, Any], prefix: str = "option_"
) -> dict[str, forms.Field]:
    """A form field for each option, holding what is stored or the default."""
    return {
        f"{prefix}{each.name}": _field(each, stored.get(each.name, each.default))
        for each in declared
    }


def secret_fields(
    declared: Iterable[Declared], described: Mapping[str, str], prefix: str = "secret_"
) -> dict[str, forms.Field]:
    """A write-only form field for each credential; `described` says what is set already."""
    found: dict[str, forms.Field] = {}
    for each in declared:
        state = described.get(each.name, "")
        words = f"{each.help} Now: {state}; leave empty to keep it." if state else each.help
        found[f"{prefix}{each.name}"] = forms.CharField(
            label=each.label,
            required=each.required and not state,
            help_text=words.strip(),
            max_length=5000,
            widget=(
                PasswordInput(attrs={"autocomplete": "new-password"}, render_value=False)
                if each.kind == "secret"
                else TextInput(attrs={"autocomplete": "off"})
            ),
        )
    return found


def given(cleaned: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The cleaned values of one kind of fields, by the adapter's own names."""
    return {
        name.removeprefix(prefix): value
        for name, value in cleaned.items()
        if name.startswith(prefix)
    }


def kept(before: Mapping[str, Any], typed: Mapping[str, Any]) -> dict[str, Any]:
    """The credentials to store: what was typed over what was there; empty means unchanged."""
    return {**before, **{name: value for name, value in typed.items() if value}}


def _field(declared: Declared, initial: Any) -> forms.Field:
    about: dict[str, Any] = {
        "label": declared.label,
        "required": declared.required,
        "help_text": declared.help,
        "initial": initial,
    }
    if declared.choices:
        return forms.ChoiceField(choices=declared.choices, widget=Select, **about)
    if declared.kind == "number":
        return forms.IntegerField(widget=NumberInput, min_value=0, max_value=10**6, **about)
    if declared.kind == "flag":
        return forms.BooleanField(widget=Switch, **{**about, "required": False})
    if declared.kind == "url":
        return forms.URLField(widget=TextInput, max_length=2000, assume_scheme="https", **about)
    if declared.kind == "lines":
        return forms.CharField(widget=Textarea(attrs={"rows": 3}), max_length=10_000, **about)
    return forms.CharField(widget=TextInput, max_length=2000, **about)
