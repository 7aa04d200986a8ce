"""A public version beside what its tag gives, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kfp_release.rebuilt_part import RebuiltPart, Verdict
from kfp_release.source import Source
from kfp_release.verify import Verified


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A version as it is public, beside what its tag gives."""

    verified: Verified
    source: Source
    parts: tuple[RebuiltPart, ...]
    """The commit, runtimes and images, then the files."""
    tools: Mapping[str, str]
    """Versions of what it was rebuilt with; none where a runtime is missing, for then it was not."""

    @property
    def differences(self) -> tuple[RebuiltPart, ...]:
        """The parts that are not what the tag gives, or of which that cannot be told."""
        return tuple(part for part in self.parts if part.verdict in {Verdict.DIFFERS, Verdict.NOT_REBUILT})

    @property
    def is_proved(self) -> bool:
        """Whether all that is public agrees with itself, and is what the tag gives."""
        return not self.verified.problems and not self.differences

    @property
    def remedies(self) -> tuple[str, ...]:
        """What to do, each once. Of another commit everything else differs too: then only what to do about that."""
        remedies = [part.remedy for part in self.differences if part.remedy]
        of_commit = bool(self.parts) and self.parts[0].verdict is Verdict.DIFFERS
        return tuple(dict.fromkeys(remedies[:1] if of_commit else remedies))

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            **self.verified.to_json(),
            "tag": self.source.tag,
            "proved": self.is_proved,
            "rebuilt": [part.to_json() for part in self.parts],
            "tools": dict(self.tools),
        }
