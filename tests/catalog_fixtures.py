"""Releases with a story, for tests of the catalog: what came, changed and went, what was withdrawn and abandoned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from ecr_fixtures import REGION
from git_fixtures import commit, run
from many_releases import DECLARED, Content, Release, make_repository, publish_all, push_image
from publish_fixtures import parts

from kfp_release.catalog.facts import Facts
from kfp_release.catalog.gather import gather
from kfp_release.catalog.model import Catalog
from kfp_release.config import Config
from kfp_release.credentials import Credentials
from kfp_release.ecr import EcrRepository
from kfp_release.index import Index
from kfp_release.index_page import IndexFile
from kfp_release.index_settings import IndexUrls
from kfp_release.progress import Silent
from kfp_release.sandbox import Sandbox

MARKUP = "<script>alert(1)</script> & **bold** [link](javascript:alert(1))"
"""What a component file or a CHANGELOG may say; it is data."""
DOCKERFILE = "FROM python@sha256:0\nCOPY requirements.lock /\nRUN pip install\nUSER 65532\n"


def component(name: str, inputs: str = "", outputs: str = "", about: str = "") -> str:
    """A v1 file; ports as ``name: Type`` or ``name: Type = default``, with ``; `` between them."""
    lines = [f"name: {name}", f"description: {about or f'Does {name}. And more.'!r}"]
    for section, ports in (("inputs", inputs), ("outputs", outputs)):
        if ports:
            lines.append(f"{section}:")
            lines += [_port(port) for port in ports.split("; ")]
    return "\n".join([*lines, "implementation:", "  container:", "    image: {}", f"    command: [{name}]", ""])


def _port(text: str) -> str:
    about, _, default = text.partition(" = ")
    port, _, kind = about.partition(": ")
    return f"- {{name: {port}, type: {kind}{f', default: {default!r}' if default else ''}}}"


MAKE = component("make", "rows: Integer = 10", "table: Dataset")
TRAIN = component("train", "table: Dataset; rate: Float", "model: Model; loss: Float")
RETRAINED = component("train", "table: Dataset; rate: Float; rounds: Integer", "model: Model; loss: Float")
LEGACY = component("legacy", "text: String")
SCALE = component("scale", "table: Dataset; factor: Float", "scaled: Dataset", about=f"Scales a table. {MARKUP}")

STORY: tuple[dict[str, str], ...] = (
    {"make.yaml": MAKE, "train.yaml": TRAIN, "legacy.yaml": LEGACY},
    {"make.yaml": MAKE, "train.yaml": RETRAINED},
    {"make.yaml": MAKE, "train.yaml": RETRAINED},
    {"make.yaml": MAKE, "train.yaml": RETRAINED, "never.yaml": LEGACY},
    {"make.yaml": MAKE, "train.yaml": RETRAINED, "scale.yaml": SCALE},
)
"""The components of 1.0 to 1.4. 1.2 is withdrawn; 1.3 is abandoned, with an image and no file."""
COMING = component("score", "model: Model", "metrics: Metrics")
"""Of 2.0rc1, which has a tag and is not released."""
YANKED = "## [1.2] - 2026-11-22 [YANKED]\n\nDid not work.\n"
NOTES = f"# Changelog\n\n## [1.4] - 2026-11-24\n\n- Scales. {MARKUP}\n\n## nonsense <b>\n\n{YANKED}\n"


def content(number: int) -> Content:
    own = f"# Changelog\n\n## [1.{number}] - 2026-11-20\n\nAs 1.{number} had it.\n"
    return Content(STORY[number], {"CHANGELOG.md": own, "Dockerfile": DOCKERFILE})


@dataclass
class Asked:
    """An index and an ECR that count what they are asked."""

    index: Index
    client: Any
    calls: list[str] = field(default_factory=list)

    def files(self, project: str) -> Mapping[str, IndexFile]:
        self.calls.append("page")
        return self.index.files(project)

    def download(self, file: IndexFile) -> bytes:
        self.calls.append(file.filename)
        return self.index.download(file)


_OF_ECR = ("AWS_ENDPOINT_URL_ECR", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@cache
def _client(endpoint: str, access_key: str, secret_key: str) -> Any:
    """A third of a second, so one serves all tests of a module."""
    return boto3.session.Session().client(
        "ecr",
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
    )


@dataclass
class Place:
    """The repository with its releases, and where they are public."""

    project: Path
    sandbox: Sandbox
    store: EcrRepository
    releases: list[Release]

    def asked(self) -> Asked:
        environ = self.sandbox.environ
        settings = IndexUrls(environ["TWINE_REPOSITORY_URL"], environ["KFP_RELEASE_SIMPLE_URL"])
        index = Index(settings, Credentials(environ["TWINE_USERNAME"], environ["TWINE_PASSWORD"]))
        asked = Asked(index, _client(*(environ[name] for name in _OF_ECR)))
        asked.client.meta.events.register("before-call.ecr", lambda model, **_: asked.calls.append(model.name))
        return asked

    def config(self) -> Config:
        return Config.parse((self.project / "pyproject.toml").read_bytes(), self.sandbox.environ)

    def gather(self, facts: Facts | None = None, *, asked: Asked | None = None) -> Catalog:
        asked = asked or self.asked()
        return gather(
            self.project,
            self.config(),
            environ=self.sandbox.environ,
            stores=lambda repository: EcrRepository(asked.client, repository),
            index=asked,
            facts=facts or Facts(),
            progress=Silent(),
        )


def make_place(folder: Path, sandbox: Sandbox) -> Place:
    """All of the story, public in the sandbox."""
    project = folder / "project"
    releases = make_repository(project, len(STORY), contents=content)
    abandoned = releases.pop(3)
    store = publish_all(sandbox, releases)
    push_image(store, abandoned, parts()[0])
    commit(project, "yaml/score.yaml", COMING.replace("{}", str(DECLARED)))
    run(project, "tag", "v2.0rc1")
    commit(project, "CHANGELOG.md", NOTES)
    return Place(project, sandbox, store, releases)
