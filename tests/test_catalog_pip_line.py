"""No line that the catalog shows looks for a private project on the public index."""

from __future__ import annotations

from pathlib import Path

import pytest

from kfp_release.catalog.pip_line import pip_of
from kfp_release.index_settings import CodeArtifactRepository, DevpiIndex, IndexSettings, IndexUrls, S3Folder

PROJECT = Path(__file__).resolve().parent.parent
LOGIN = (
    "aws codeartifact login --tool pip --domain data-science --domain-owner 533211398604 "
    "--repository components --region eu-north-1"
)
"""As docs/indexes.md has it."""


@pytest.mark.parametrize(
    ("index", "told"),
    [
        (
            IndexUrls("https://up.example/", "https://in.example/simple/"),
            "pip install --index-url https://in.example/simple/",
        ),
        (
            DevpiIndex.parse("https://devpi.example/team/prod"),
            "pip install --index-url https://devpi.example/team/prod/+simple/",
        ),
        (
            CodeArtifactRepository.parse(
                "arn:aws:codeartifact:eu-north-1:533211398604:repository/data-science/components"
            ),
            f"{LOGIN}\npip install",
        ),
        (S3Folder("bucket", "python/"), "pip install --index-url URL-OF-YOUR-INDEX"),
        (None, "pip install --index-url URL-OF-YOUR-INDEX"),
    ],
)
def test_no_line_to_copy_installs_from_the_public_index(index: IndexSettings | None, told: str) -> None:
    assert pip_of(index) == told
    if isinstance(index, CodeArtifactRepository):
        assert LOGIN in (PROJECT / "docs/indexes.md").read_text(encoding="utf-8")
