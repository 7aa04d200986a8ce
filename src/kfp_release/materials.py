"""What the runtime of an image is built from: named for people, and all that its key is a hash of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from kfp_release.digest import Digest
from kfp_release.record_json import count_of, list_of, text_of, texts_of
from kfp_release.runtime_key import RuntimeInputs, runtime_key


@dataclass(frozen=True, slots=True)
class Materials:
    """What a commit gives to the runtime of one image."""

    dockerfile: str
    """Its path in the commit."""
    bases: tuple[str, ...]
    """The image of each FROM, with its digest, in the Dockerfile's order."""
    inputs: RuntimeInputs

    @property
    def key(self) -> str:
        """The key of the runtime that this gives."""
        return runtime_key(self.inputs)

    def to_value(self) -> dict[str, Any]:
        """As it stands in plan.json and release.json."""
        return {
            "dockerfile": {"path": self.dockerfile, "sha256": self.inputs.dockerfile.hex},
            "context": [{"path": path, "mode": mode, "sha256": hex_} for path, mode, hex_ in self.inputs.context],
            "bases": list(self.bases),
            "build_args": dict(self.inputs.build_args),
            "platform": self.inputs.platform,
        }

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Self:
        """Raise `KeyError`, `TypeError` or `ReleaseError` for anything else; who asks makes one error of it."""
        bases = tuple(text_of(base) for base in list_of(value["bases"]))
        return cls(
            dockerfile=text_of(value["dockerfile"]["path"]),
            bases=bases,
            inputs=RuntimeInputs(
                dockerfile=Digest(text_of(value["dockerfile"]["sha256"])),
                context=tuple(
                    (text_of(item["path"]), count_of(item["mode"]), Digest(text_of(item["sha256"])).hex)
                    for item in list_of(value["context"])
                ),
                build_args=texts_of(value["build_args"]),
                base_digests=tuple(Digest.parse(base.rpartition("@")[2]) for base in bases),
                platform=text_of(value["platform"]),
            ),
        )
