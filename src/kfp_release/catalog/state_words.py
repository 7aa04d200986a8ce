"""What the state of a version means to a reader, and in which colour it is said."""

from __future__ import annotations

from dataclasses import dataclass

from kfp_release.status_row import State


@dataclass(frozen=True, slots=True)
class StateWords:
    """A state in a word and in a sentence. `tone` is ``good``, ``warn``, ``bad`` or ``off``."""

    word: str
    sentence: str
    tone: str


def state_words(state: State | None) -> StateWords:
    """Of a version; None where ECR and the index were not asked."""
    if state is None:
        return StateWords("not asked", "ECR and the index were not asked what they have of it.", "off")
    return StateWords(state.value, *_WORDS[state])


_WORDS = {
    State.IN_ORDER: ("Its tag, its images and its files are there, and agree.", "good"),
    State.NOT_RELEASED: ("Its tag is there, and nothing of it is public yet.", "warn"),
    State.INCOMPLETE: ("It is partly public, and can be completed.", "warn"),
    State.ABANDONED: ("Its images are there, but nothing that can be installed.", "warn"),
    State.DRIFT: ("What is public of it is not what it should be.", "bad"),
    State.WITHDRAWN: ("It was taken back. Install another version.", "off"),
    State.SNAPSHOT: ("It is of a commit that has no tag, for trying out.", "off"),
}
