"""JMESPath for people: errors that say where, and an end even for hostile documents. Pure.

The language: https://jmespath.org/specification.html
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import jmespath
import orjson
from jmespath import exceptions, functions, visitor

MOST_BYTES = 5 * 1024 * 1024  # of one document
DEEPEST = 60  # levels of lists and objects
MOST_VALUES = 500_000  # in one document
MOST_STEPS = 2_000_000  # of one expression: what it visits and what it builds
LONGEST = 1000  # characters of an expression

_TOO_DEEP = f"The answer is JSON nested deeper than {DEEPEST} levels."


class BadPath(Exception):
    """An expression that can't be read. The text says where in it, and what is wrong there."""


class BadDocument(Exception):
    """A document that is no JSON, or JSON beyond our bounds. The text is a sentence."""


class Path:
    """One compiled expression. Raises `BadPath` for one that is none."""

    def __init__(self, expression: str) -> None:
        self.expression = expression.strip()
        self._tree = _compiled(self.expression).parsed

    def __call__(self, document: Any) -> Any:
        """What the expression finds, None for nothing. Raises `BadPath` when it does not fit.

        Bounded by `MOST_STEPS`, so that no document makes an expression run away.
        """
        try:
            return _Bounded().visit(self._tree, document)
        except exceptions.JMESPathTypeError as problem:
            raise BadPath(
                f"“{problem.function_name}” gets {problem.current_value!r:.60}, which it can't "
                "work with; leave out what lacks a value, such as with [?name]."
            ) from None
        except (exceptions.JMESPathError, RecursionError, ValueError, TypeError) as problem:
            raise BadPath(f"It can't be worked out here: {problem!s:.200}") from None


def read_json(body: bytes) -> Any:
    """The document in `body`. Raises `BadDocument` for what is none, or is too large or deep."""
    if len(body) > MOST_BYTES:
        raise BadDocument(f"The answer is larger than {MOST_BYTES // 1024 // 1024} MB.")
    body = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not body:
        raise BadDocument("The answer is empty.")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        document = _leniently(body, str(problem))
    _check_bounds(document)
    return document


def _leniently(body: bytes, problem: str) -> Any:
    """What orjson alone refuses: half a surrogate pair, left by programs that cut texts."""
    if problem.startswith("depth"):
        raise BadDocument(_TOO_DEEP)
    if "surrogate" in problem:
        try:
            return json.loads(body)
        except RecursionError:
            raise BadDocument(_TOO_DEEP) from None
        except ValueError as other:
            problem = str(other)
    raise BadDocument(f"The answer should be JSON and is not: {problem}.")


def _check_bounds(document: Any) -> None:
    """Level by level instead of recursing: the depth is what is in doubt."""
    level, values = [document], 0
    for _depth in range(DEEPEST + 1):
        values += len(level)
        if values > MOST_VALUES:
            raise BadDocument(f"The answer holds more than {MOST_VALUES:,} values.")
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return
    raise BadDocument(_TOO_DEEP)


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


class _Bounded(visitor.TreeInterpreter):  # type: ignore[misc] # jmespath brings no types
    """Counts what it visits and how much it builds: `[@,@][]|[@,@][]|…` doubles at each step."""

    def __init__(self) -> None:
        super().__init__()
        self._steps = 0

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        found = super().visit(node, *args, **kwargs)
        self._steps += 1
        if isinstance(found, list | dict):
            self._steps += len(found)
        elif isinstance(found, str):
            self._steps += len(found) // 64
        if self._steps > MOST_STEPS:
            raise BadPath("It takes more work than a document of a source may cost.")
        return found


def _compiled(expression: str) -> Any:
    if not expression:
        raise BadPath("It is empty.")
    if len(expression) > LONGEST:
        raise BadPath(f"It is longer than {LONGEST} characters.")
    try:
        compiled = jmespath.compile(expression)
    except exceptions.IncompleteExpressionError:
        raise BadPath(f"It ends too early, after “{expression[-20:]}”.") from None
    except exceptions.LexerError as problem:
        raise BadPath(_place(expression, problem.lexer_position, problem.message)) from None
    except exceptions.ParseError as problem:
        raise BadPath(_place(expression, problem.lex_position, problem.msg)) from None
    except (exceptions.JMESPathError, ValueError) as problem:
        raise BadPath(f"{problem!s:.200}") from None
    except RecursionError:
        raise BadPath("It is nested too deeply.") from None
    _check_functions(expression, compiled.parsed)
    return compiled


def _place(expression: str, position: int, words: str) -> str:
    """`words` with the place in the expression, counted from 1, and what stands there."""
    words = re.sub(r"\s+", " ", words).strip().rstrip(".:")
    words = re.split(r": Parse error at column", words)[0]
    words = re.sub(r"^expecting: .*", "something else is expected", words, flags=re.I)
    there = expression[position : position + 20]
    where = f"at character {position + 1}, before “{there}”" if there else "at its end"
    return f"It can't be read {where}: {words[:1].lower()}{words[1:]}."


def _check_functions(expression: str, node: Any) -> None:
    """Unknown functions and wrong numbers of arguments, which JMESPath finds only when it runs."""
    table = functions.Functions.FUNCTION_TABLE
    for each in _nodes(node):
        if each.get("type") != "function_expression":
            continue
        name, count = each["value"], len(each["children"])
        position = max(expression.find(f"{name}("), 0)
        if name not in table:
            raise BadPath(_place(expression, position, f"there is no function “{name}”"))
        signature = table[name]["signature"]
        variadic = bool(signature) and signature[-1].get("variadic", False)
        if count < len(signature) or (count > len(signature) and not variadic):
            need = f"{'at least ' if variadic else ''}{len(signature)}"
            words = f"“{name}” takes {need} arguments, not {count}"
            raise BadPath(_place(expression, position, words))


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.get("children", ()))
