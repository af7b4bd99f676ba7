"""A hash of a feature's code, so that a model refuses to run on a feature that has changed since.

What is hashed is the text of the class and of everything in `ai.features` that it names, directly or not:
a change in the rolling sum changes every feature that sums. Comments, docstrings and layout do not count, and
the text is cut into words by Python's own tokenizer, so that the hash is the same on every machine.
"""

import ast
import hashlib
import inspect
import io
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

from engine.errors import UserError

_PACKAGE = "ai.features"
_LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER}
_STARTS = {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}


def code_hash(kind: type) -> str:
    """SHA-256 of the code of `kind`, in hexadecimal.

    Raises
    ------
    UserError
        The source is not there (a program packed without it).
    """
    return _hash_of(kind)


@cache
def _hash_of(kind: Any) -> str:
    texts: dict[str, str] = {}
    _collect(sys.modules[kind.__module__], kind.__qualname__.partition(".")[0], kind, texts)
    joined = "\n".join(f"{name}:{normalised(text)}" for name, text in sorted(texts.items()))
    return hashlib.sha256(joined.encode()).hexdigest()


def normalised(source: str) -> str:
    """Words of `source` without comments, docstrings and layout, one space apart."""
    words: list[str] = []
    starts = True
    tokens = list(tokenize.generate_tokens(io.StringIO(inspect.cleandoc("\n" + source)).readline))
    for token, following in zip(tokens, [*tokens[1:], tokens[-1]], strict=True):
        if token.type in _LAYOUT:
            continue
        is_docstring = starts and token.type == tokenize.STRING and following.type == tokenize.NEWLINE
        starts = token.type in _STARTS or (starts and is_docstring)
        if is_docstring:
            continue
        if token.type in _STARTS:
            words.append(tokenize.tok_name[token.type])
        else:
            words.append(token.string)
    return " ".join(words)


def _collect(module: ModuleType, name: str, thing: object, texts: dict[str, str]) -> None:
    """Add the text of `thing` (called `name` in `module`) and of what it names, from this package."""
    home = getattr(thing, "__module__", None) if inspect.isclass(thing) or inspect.isfunction(thing) else None
    if home is not None and home != module.__name__:
        if not home.startswith(_PACKAGE):
            return
        module, name = sys.modules[home], thing.__name__  # type: ignore[attr-defined]
    key = f"{module.__name__}.{name}"
    if key in texts:
        return
    text = _statement(module, name)
    if text is None:
        return
    texts[key] = text
    for used in _names(text):
        if used != name and used in vars(module):
            found = vars(module)[used]
            if not isinstance(found, ModuleType):
                _collect(module, used, found, texts)


def _names(text: str) -> Iterator[str]:
    tree: Any = ast.parse(inspect.cleandoc("\n" + text))
    yield from sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)})


def _statement(module: ModuleType, name: str) -> str | None:
    """Text of the top-level statement that defines `name`; None where it was imported."""
    lines, statements = _parsed(module)
    node = statements.get(name)
    if node is None:
        return None
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(each.lineno for each in decorators)])
    return "".join(lines[first - 1 : node.end_lineno])


@cache
def _parsed(module: ModuleType) -> tuple[list[str], dict[str, ast.stmt]]:
    try:
        source = inspect.getsource(module)
    except (OSError, TypeError) as error:
        raise UserError(
            f"The source of {module.__name__} is not here, so features cannot be told from changed ones; "
            "install the station with its .py files."
        ) from error
    statements: dict[str, ast.stmt] = {}
    for node in ast.parse(source).body:
        for name in _defined(node):
            statements[name] = node
    return source.splitlines(keepends=True), statements


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [each.id for target in node.targets for each in ast.walk(target) if isinstance(each, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []
