"""How a release was made, as SLSA's provenance says it: of what, by whom, with which tools.

Source: SLSA 1.0, provenance (https://slsa.dev/provenance/v1). What is our own in it stands in docs/evidence.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from kfp_release.commit import parse_commit
from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.materials import Materials
from kfp_release.record_json import count_of, list_of, text_of, texts_of
from kfp_release.run import PAGE, Run
from kfp_release.runtime_key import RuntimeInputs
from kfp_release.sbom import SBOM_SUFFIX, SBOM_TYPE
from kfp_release.statement import BadStatement, Statement, Subject
from kfp_release.terminal_text import one_line

PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = f"{PAGE}#build-type-1"


@dataclass(frozen=True, slots=True)
class MadeImage:
    """One image of the release: where it belongs, and what its runtime was made of."""

    repository: str
    runtime_key: str
    runtime: Digest | None
    """The runtime itself; None where another tool has packed the image anew, and it cannot be told from it."""
    materials: Materials
    sbom: Digest | None = None
    """Of the bytes that are attached to it; None where an older version of this tool released it."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """The predicate of one release, with the statement's subjects."""

    subjects: tuple[Subject, ...]
    source: str
    """The repository's URL."""
    tag: str
    """Empty for a snapshot."""
    commit: str
    images: Mapping[str, MadeImage]
    tools: Mapping[str, str]
    run: Run

    def says_the_same(self, other: Provenance) -> bool:
        """Whether both are of the same things, made of the same: other runs, tools, mirrors and SBOMs apart.

        SBOMs that say the same differ in the tools that wrote them.
        """
        return self._content() == other._content()

    def _content(self) -> tuple[object, ...]:
        images = {
            name: (made.repository, made.runtime_key, made.runtime, made.materials.dockerfile, made.materials.inputs)
            for name, made in self.images.items()
        }
        return sorted(self.subjects), self.source, self.tag, self.commit, images

    def statement(self) -> Statement:
        """What is signed."""
        external: dict[str, Any] = {"source": self.source, "tag": self.tag}
        if self.run.workflow:
            external["workflow"] = dict(self.run.workflow)
        definition = {
            "buildType": BUILD_TYPE,
            "externalParameters": external,
            "internalParameters": {"images": {name: _parameters(made) for name, made in self.images.items()}},
            "resolvedDependencies": [
                self._git(),
                *(one for name in sorted(self.images) for one in self._made_of(name)),
            ],
        }
        details: dict[str, Any] = {"builder": {"id": self.run.builder, "version": dict(self.tools)}}
        if self.run.invocation:
            details["metadata"] = {"invocationId": self.run.invocation}
        if byproducts := [_sbom(name, made.sbom) for name, made in sorted(self.images.items()) if made.sbom]:
            details["byproducts"] = byproducts
        return Statement(self.subjects, PREDICATE_TYPE, {"buildDefinition": definition, "runDetails": details})

    def _git(self) -> dict[str, Any]:
        ref = f"@refs/tags/{self.tag}" if self.tag else ""
        return {"uri": f"git+{self.source}{ref}", "digest": {"gitCommit": self.commit}}

    def _made_of(self, name: str) -> Iterator[dict[str, Any]]:
        made, inputs = self.images[name], self.images[name].materials.inputs
        yield _file(made.materials.dockerfile, inputs.dockerfile.hex, image=name, role="dockerfile")
        for path, mode, hex_ in inputs.context:
            yield _file(path, hex_, image=name, role="context", mode=mode)
        for base, digest in zip(made.materials.bases, inputs.base_digests, strict=True):
            yield _image(base.rpartition("@")[0], digest, image=name, role="base")
        if made.runtime is not None:
            yield _image(f"{made.repository}:runtime-{made.runtime_key}", made.runtime, image=name, role="runtime")

    @classmethod
    def parse(cls, statement: Statement) -> Self:
        """Raise `BadStatement` unless it is a provenance of this tool's own build type."""
        if statement.predicate_type != PREDICATE_TYPE:
            raise BadStatement(f"its predicate is {one_line(statement.predicate_type, 80)!r}, and not {PREDICATE_TYPE}")
        try:
            return cls._of(statement)
        except (KeyError, TypeError, ValueError, AttributeError, ReleaseError) as error:
            said = error.args[0] if isinstance(error, BadStatement) else f"{type(error).__name__}: {error}"
            raise BadStatement(f"its predicate is not one of kfp-release: {one_line(str(said), 160)}") from error

    @classmethod
    def _of(cls, statement: Statement) -> Self:
        definition, details = statement.predicate["buildDefinition"], statement.predicate["runDetails"]
        if definition["buildType"] != BUILD_TYPE:
            raise BadStatement(f"its buildType is {one_line(str(definition['buildType']), 120)!r}")
        external = definition["externalParameters"]
        git, *others = list_of(definition["resolvedDependencies"])
        parameters = definition["internalParameters"]["images"]
        sboms = {one["annotations"]["image"]: one for one in list_of(details.get("byproducts", []))}
        made = cls(
            subjects=statement.subjects,
            source=text_of(external["source"]),
            tag=text_of(external["tag"]),
            commit=parse_commit(text_of(git["digest"]["gitCommit"])),
            images={
                text_of(name): _made(item, _of_image(others, name), sboms.get(name))
                for name, item in parameters.items()
            },
            tools=texts_of(details["builder"]["version"]),
            run=Run(
                text_of(details["builder"]["id"]),
                text_of(details.get("metadata", {}).get("invocationId", "")),
                texts_of(external.get("workflow", {})),
            ),
        )
        # What is not read here would be signed and never looked at.
        if made.statement().to_bytes() != statement.to_bytes():
            raise BadStatement("it says more, or says it otherwise, than kfp-release does")
        return made


def _parameters(made: MadeImage) -> dict[str, Any]:
    inputs = made.materials.inputs
    return {
        "repository": made.repository,
        "runtimeKey": made.runtime_key,
        "platform": inputs.platform,
        "buildArgs": dict(inputs.build_args),
    }


def _file(name: str, sha256: str, **annotations: str | int) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": sha256}, "annotations": annotations}


def _image(name: str, digest: Digest, **annotations: str) -> dict[str, Any]:
    return {"uri": f"oci://{name}", "digest": {"sha256": digest.hex}, "annotations": annotations}


def _sbom(name: str, sbom: Digest) -> dict[str, Any]:
    return {
        "name": f"{name}{SBOM_SUFFIX}",
        "digest": {"sha256": sbom.hex},
        "mediaType": SBOM_TYPE,
        "annotations": {"image": name},
    }


def _of_image(dependencies: list[Any], name: str) -> dict[str, list[Any]]:
    """What one image is made of, by role."""
    found: dict[str, list[Any]] = {"dockerfile": [], "context": [], "base": [], "runtime": []}
    for item in dependencies:
        if item["annotations"]["image"] == name:
            found[item["annotations"]["role"]].append(item)
    return found


def _made(parameters: Mapping[str, Any], made_of: Mapping[str, list[Any]], sbom: Mapping[str, Any] | None) -> MadeImage:
    if len(made_of["dockerfile"]) != 1 or len(made_of["runtime"]) > 1:
        raise BadStatement("an image is made of one Dockerfile, and stands on one runtime at most")
    (dockerfile,) = made_of["dockerfile"]
    digests = [Digest(text_of(base["digest"]["sha256"])) for base in made_of["base"]]
    names = [text_of(base["uri"]).removeprefix("oci://") for base in made_of["base"]]
    return MadeImage(
        repository=text_of(parameters["repository"]),
        runtime_key=text_of(parameters["runtimeKey"]),
        runtime=next((Digest(text_of(one["digest"]["sha256"])) for one in made_of["runtime"]), None),
        materials=Materials(
            dockerfile=text_of(dockerfile["name"]),
            bases=tuple(f"{name}@{digest}" for name, digest in zip(names, digests, strict=True)),
            inputs=RuntimeInputs(
                dockerfile=Digest(text_of(dockerfile["digest"]["sha256"])),
                context=tuple(
                    (
                        text_of(item["name"]),
                        count_of(item["annotations"]["mode"]),
                        Digest(text_of(item["digest"]["sha256"])).hex,
                    )
                    for item in made_of["context"]
                ),
                build_args=texts_of(parameters["buildArgs"]),
                base_digests=tuple(digests),
                platform=text_of(parameters["platform"]),
            ),
        ),
        sbom=None if sbom is None else Digest(text_of(sbom["digest"]["sha256"])),
    )
