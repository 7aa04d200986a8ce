"""What counts in the source of a Python module: what it says, without comments and layout."""

from __future__ import annotations

import ast
import warnings


def code_content(data: bytes) -> bytes:
    """One form for all sources that Python reads as the same code, whatever version of Python reads them.

    Docstrings count. What is no Python, or nested too deeply, stays as it is.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's own, of an escape in a text
            return _said(ast.parse(data)).encode(errors="surrogatepass")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return data


def _said(node: object) -> str:
    if isinstance(node, ast.AST):
        # What is absent is None in one version of Python, an empty list in another, and unknown in a third.
        fields = ((name, value) for name, value in ast.iter_fields(node) if value is not None and value != [])
        return f"{type(node).__name__}({','.join(f'{name}={_said(value)}' for name, value in fields)})"
    if isinstance(node, list):
        return f"[{','.join(map(_said, node))}]"
    return repr(node)
