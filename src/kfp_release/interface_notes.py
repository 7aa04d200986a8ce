"""Changes of interfaces as entries of a CHANGELOG: Keep a Changelog 1.1, what breaks first and marked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from kfp_release.interface_change import ChangeKind, InterfaceChange

_Words = Callable[[InterfaceChange], str]


def interface_notes(changes: Iterable[InterfaceChange]) -> str:
    """The sections Added, Changed and Removed in Markdown; empty where nothing has changed."""
    sections: dict[str, list[str]] = {"Added": [], "Changed": [], "Removed": []}
    for change in changes:
        section, words = _NOTES[change.kind]
        mark = "**Breaking:** " if change.is_breaking else ""
        sections[section].append(f"- {mark}{_code(change.operator)}{words(change)}.")
    return "\n".join(f"### {name}\n\n" + "\n".join(lines) + "\n" for name, lines in sections.items() if lines)


def _added_input(change: InterfaceChange) -> str:
    demanded = ", which every call must give" if change.is_demanded else ""
    return f": input {_port(change)}{demanded}"


def _port(change: InterfaceChange) -> str:
    return f"{_code(change.port)} ({_code(change.before or change.after)})"


def _from_to(change: InterfaceChange) -> str:
    return f"{_code(change.after)} instead of {_code(change.before)}"


_NOTES: Mapping[ChangeKind, tuple[str, _Words]] = {
    ChangeKind.OPERATOR_ADDED: ("Added", lambda change: f": {_code(change.after)}"),
    ChangeKind.INPUT_ADDED: ("Added", _added_input),
    ChangeKind.OUTPUT_ADDED: ("Added", lambda change: f": output {_port(change)}"),
    ChangeKind.OPERATOR_RENAMED: ("Changed", lambda change: f" is called {_code(change.after)}"),
    ChangeKind.KEYWORDS_ONLY: ("Changed", lambda _: " takes its inputs by keyword only"),
    ChangeKind.POSITIONS_TOO: ("Changed", lambda _: " takes its inputs by position too"),
    ChangeKind.EXIT_HANDLER_ONLY: ("Changed", lambda _: " can be called as an exit handler's task only"),
    ChangeKind.ANY_TASK_TOO: ("Changed", lambda _: " can be called as any task"),
    ChangeKind.INPUT_RETYPED: ("Changed", lambda change: f": input {_code(change.port)} is {_from_to(change)}"),
    ChangeKind.INPUT_REQUIRED: (
        "Changed",
        lambda change: f": every call must give input {_code(change.port)} ({_code(change.after)})",
    ),
    ChangeKind.INPUT_OPTIONAL: (
        "Changed",
        lambda change: f": input {_code(change.port)} may be left out ({_code(change.after)})",
    ),
    ChangeKind.INPUT_ORDER: ("Changed", lambda change: f": the order of its inputs is {_from_to(change)}"),
    ChangeKind.DEFAULT_CHANGED: (
        "Changed",
        lambda change: f": the default of {_code(change.port)} is {_from_to(change)}",
    ),
    ChangeKind.OUTPUT_RETYPED: ("Changed", lambda change: f": output {_code(change.port)} is {_from_to(change)}"),
    ChangeKind.DESCRIPTION_CHANGED: (
        "Changed",
        lambda change: f": another description{' of ' + _code(change.port) if change.port else ''}",
    ),
    ChangeKind.OPERATOR_REMOVED: ("Removed", lambda _: ""),
    ChangeKind.INPUT_REMOVED: ("Removed", lambda change: f": input {_port(change)}"),
    ChangeKind.OUTPUT_REMOVED: ("Removed", lambda change: f": output {_port(change)}"),
}


def _code(text: str) -> str:
    return f"`{text.replace('`', chr(39))}`" if text else "``"
