from dataclasses import replace

import pytest

from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.runtime_key import RuntimeInputs, runtime_key

BASE = f"python:3.12@{Digest.of(b'base')}"
DOCKERFILE = b"ARG BASE\nFROM ${BASE}\n"


def inputs(base: str = BASE, **changed: str) -> RuntimeInputs:
    return RuntimeInputs.of(
        DOCKERFILE,
        context={"requirements.lock": (0o644, b"numpy==2.4.6\n"), "a.sh": (0o755, b"#!/bin/sh\n")},
        build_args={"BASE": base, "EXTRA": "1", **changed},
        bases=(base,),
        platform="linux/amd64",
    )


def test_the_key_of_these_inputs_never_changes() -> None:
    # Another key here is another key for every user: everyone's runtimes are built anew.
    assert runtime_key(inputs()) == "397302aa4e5a5e476403975083c1a282"


@pytest.mark.parametrize(
    "other",
    [
        replace(inputs(), dockerfile=Digest.of(DOCKERFILE + b"\n")),
        replace(inputs(), platform="linux/arm64"),
        replace(inputs(), context=()),
        replace(inputs(), context=(("requirements.lock", 0o755, Digest.of(b"numpy==2.4.6\n").hex),)),
        replace(inputs(), context=(("requirements.txt", 0o644, Digest.of(b"numpy==2.4.6\n").hex),)),
        replace(inputs(), context=(("requirements.lock", 0o644, Digest.of(b"numpy==2.4.7\n").hex),)),
        replace(inputs(), base_digests=(Digest.of(b"updated"),)),
        inputs(f"python:3.12@{Digest.of(b'updated')}"),
        inputs(EXTRA="2"),
        inputs(MORE="1"),
    ],
)
def test_whatever_a_runtime_is_built_from_changes_its_key(other: RuntimeInputs) -> None:
    assert runtime_key(other) != runtime_key(inputs())


def test_the_order_of_files_and_arguments_does_not_matter() -> None:
    one = inputs()
    other = replace(one, context=tuple(reversed(one.context)), build_args=dict(reversed(list(one.build_args.items()))))
    assert runtime_key(one) == runtime_key(other)


def test_the_same_base_from_a_mirror_gives_the_same_key() -> None:
    assert runtime_key(inputs()) == runtime_key(inputs(f"127.0.0.1:5000/mirror/python@{Digest.of(b'base')}"))


def test_a_base_without_a_digest_has_no_key() -> None:
    with pytest.raises(ReleaseError, match=r"'python:3\.12' has no digest") as caught:
        inputs("python:3.12")
    assert "name:tag@sha256:" in caught.value.remedy


@pytest.mark.parametrize("base", ["python@sha256:abc", "python@md5:1", "python@"])
def test_a_base_with_a_bad_digest_has_no_key(base: str) -> None:
    with pytest.raises(ReleaseError, match="is not a digest"):
        inputs(base)
