"""What ECR was asked for and does not hand out: why not, and what to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Self

from kfp_release.errors import ReleaseError
from kfp_release.terminal_text import one_line


@dataclass(frozen=True, slots=True)
class Withheld:
    """It is not there, or archived, or damaged."""

    text: str
    """Why, in a line that follows the name of what it is about."""
    remedy: str

    @classmethod
    def of(cls, error: ReleaseError) -> Self:
        """What an error tells that has the right remedy."""
        return cls(one_line(str(error.args[0])), error.remedy)

    def because(self, error: ReleaseError) -> Self:
        """The same, with what an error tells."""
        return replace(self, text=f"{self.text}: {one_line(str(error.args[0]))}")


_AGAIN = "run this again; if it stays so, withdraw the version, and release the next"
NO_IMAGE: Final = Withheld("ECR hands out no image of the pinned digest", "see what changed: kfp-release status")
BAD_IMAGE: Final = Withheld("the public manifest cannot be read", _AGAIN)
BAD_CONFIG: Final = Withheld("the public config cannot be read", _AGAIN)
NO_RUNTIME: Final = Withheld("ECR has it not", "kfp-release runtime, in a checkout of the tag, recovers it")
BAD_RUNTIME: Final = Withheld(
    "what ECR has of it is damaged",
    "run this again; if it stays so, delete the runtime's tag in ECR (aws ecr batch-delete-image) and run"
    " kfp-release runtime in a checkout of the tag",
)
