"""Fills a JSON schema with sentences, as a model with structured output would."""

from typing import Any

from simulator.extract import Sentence


class BadSchema(ValueError):
    """A schema that this can't follow."""


def fill(schema: Any, sentences: list[Sentence]) -> Any:
    """A value that fits the schema: objects, arrays, strings, numbers, enums, `$ref`, `anyOf`.

    A name such as `title` gets a headline, `quote` a single sentence, an array a sentence an item,
    and a number or a name that means a source gets the number of the sentence's source.
    Raises BadSchema for a type there is none of.
    """
    if not isinstance(schema, dict):
        raise BadSchema("A schema is a JSON object.")
    return _value(schema, schema, "", sentences or [Sentence("Nothing was given.", 1)])


def _value(schema: dict[str, Any], root: dict[str, Any], name: str, said: list[Sentence]) -> Any:
    schema = _resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type") or ("object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = next(one for one in kind if one != "null")
    match kind:
        case "object":
            fields = schema.get("properties", {})
            return {field: _value(inner, root, field, said) for field, inner in fields.items()}
        case "array":
            return _items(schema, root, name, said)
        case "string":
            return _text(schema, name, said)
        case "integer" | "number":
            return _number(schema, name, said)
        case "boolean":
            return False
        case "null":
            return None
        case _:
            raise BadSchema(f"Invalid schema: unknown type {kind!r}.")


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """Follows `$ref` inside the schema and takes the first choice that isn't null."""
    while True:
        if "$ref" in schema:
            target: Any = root
            for step in str(schema["$ref"]).removeprefix("#/").split("/"):
                if step not in target:
                    raise BadSchema(f"Invalid schema: nothing at {schema['$ref']!r}.")
                target = target[step]
            schema = target
        elif choices := schema.get("anyOf") or schema.get("oneOf"):
            schema = next((one for one in choices if one.get("type") != "null"), choices[0])
        else:
            return schema


def _items(
    schema: dict[str, Any], root: dict[str, Any], name: str, said: list[Sentence]
) -> list[Any]:
    most = min(int(schema.get("maxItems", 5)), 5)
    wanted = max(min(most, len(said)), int(schema.get("minItems", 0)))
    inner = schema.get("items", {"type": "string"})
    return [_value(inner, root, name, [said[place % len(said)]]) for place in range(wanted)]


def _text(schema: dict[str, Any], name: str, said: list[Sentence]) -> str:
    name = name.lower()
    if any(part in name for part in ("title", "headline", "slug")):
        text = said[0].text.rstrip(".!?")
    elif name in ("source", "article", "id", "ref", "label"):
        text = str(said[0].passage)
    elif any(part in name for part in ("quote", "claim", "sentence")):
        text = said[0].text
    elif name == "language":
        text = "en"
    else:
        text = " ".join(sentence.text for sentence in said[:4])
    limit = schema.get("maxLength")
    return text if limit is None or len(text) <= limit else text[: int(limit)].rstrip()


def _number(schema: dict[str, Any], name: str, said: list[Sentence]) -> int | float:
    means_source = any(part in name.lower() for part in ("source", "article", "citation", "id"))
    number = said[0].passage if means_source else len(said)
    low, high = schema.get("minimum", number), schema.get("maximum", number)
    bounded: int | float = min(max(number, low), high)
    return bounded
