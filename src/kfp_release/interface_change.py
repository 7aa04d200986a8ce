"""One change between the interfaces of two versions: what, of which operator, and whether it breaks who calls it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ChangeKind(StrEnum):
    """What has changed. The words are for programs."""

    OPERATOR_REMOVED = "operator-removed"
    OPERATOR_RENAMED = "operator-renamed"
    OPERATOR_ADDED = "operator-added"
    KEYWORDS_ONLY = "keywords-only"
    POSITIONS_TOO = "positions-too"
    EXIT_HANDLER_ONLY = "exit-handler-only"
    ANY_TASK_TOO = "any-task-too"
    INPUT_REMOVED = "input-removed"
    INPUT_ADDED = "input-added"
    INPUT_RETYPED = "input-retyped"
    INPUT_REQUIRED = "input-required"
    INPUT_OPTIONAL = "input-optional"
    INPUT_ORDER = "input-order"
    DEFAULT_CHANGED = "default-changed"
    OUTPUT_REMOVED = "output-removed"
    OUTPUT_ADDED = "output-added"
    OUTPUT_RETYPED = "output-retyped"
    DESCRIPTION_CHANGED = "description-changed"


_BREAKING = {
    *(ChangeKind.OPERATOR_REMOVED, ChangeKind.OPERATOR_RENAMED, ChangeKind.KEYWORDS_ONLY),
    *(ChangeKind.EXIT_HANDLER_ONLY, ChangeKind.INPUT_REMOVED, ChangeKind.INPUT_RETYPED, ChangeKind.INPUT_REQUIRED),
    *(ChangeKind.INPUT_ORDER, ChangeKind.OUTPUT_REMOVED, ChangeKind.OUTPUT_RETYPED),
}
_WORDS = {
    ChangeKind.OPERATOR_REMOVED: "removed",
    ChangeKind.OPERATOR_RENAMED: "renamed",
    ChangeKind.OPERATOR_ADDED: "added",
    ChangeKind.KEYWORDS_ONLY: "takes keywords only",
    ChangeKind.POSITIONS_TOO: "takes positions too",
    ChangeKind.EXIT_HANDLER_ONLY: "only for exit handlers",
    ChangeKind.ANY_TASK_TOO: "for any task",
    ChangeKind.INPUT_REMOVED: "input {} removed",
    ChangeKind.INPUT_ADDED: "input {} added",
    ChangeKind.INPUT_RETYPED: "input {} retyped",
    ChangeKind.INPUT_REQUIRED: "input {} made required",
    ChangeKind.INPUT_OPTIONAL: "input {} made optional",
    ChangeKind.INPUT_ORDER: "inputs in another order",
    ChangeKind.DEFAULT_CHANGED: "default of {} changed",
    ChangeKind.OUTPUT_REMOVED: "output {} removed",
    ChangeKind.OUTPUT_ADDED: "output {} added",
    ChangeKind.OUTPUT_RETYPED: "output {} retyped",
    ChangeKind.DESCRIPTION_CHANGED: "description of {} changed",
}


@dataclass(frozen=True, slots=True)
class InterfaceChange:
    """One change of one operator."""

    operator: str
    """``multiply_op``; of one that is renamed, its name before."""
    kind: ChangeKind
    port: str = ""
    """The input or output, as a pipeline names it; empty where the operator itself has changed."""
    before: str = ""
    after: str = ""
    """What was and what is: a type, a default, a name, a signature."""
    path: str = ""
    line: int = 0
    """Where it stands now; else the file where it was, and 0."""
    is_demanded: bool = False
    """Whether it is an added input that every call must give."""

    @property
    def is_breaking(self) -> bool:
        """Whether a pipeline that compiled before may not compile now, or give its values to other inputs."""
        return self.kind in _BREAKING or self.is_demanded

    @property
    def what(self) -> str:
        """In a few words, without the operator: ``input b retyped``."""
        return _WORDS[self.kind].format(self.port or "the component") + (", required" if self.is_demanded else "")

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "operator": self.operator,
            "kind": self.kind.value,
            "port": self.port,
            "what": self.what,
            "before": self.before,
            "after": self.after,
            "breaking": self.is_breaking,
            "path": self.path,
            "line": self.line,
        }
