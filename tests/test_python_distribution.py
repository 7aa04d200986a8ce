"""METADATA, as builds write it and as nobody should."""

from __future__ import annotations

import pytest
from layer_fixtures import metadata

from kfp_release.python_distribution import BadMetadata, python_distribution


def test_name_and_version_are_those_of_the_file() -> None:
    found = python_distribution(metadata("Some.Thing", "1!2.0+local.1"))
    assert (found.name, found.version, found.key) == ("Some.Thing", "1!2.0+local.1", "some-thing")


@pytest.mark.parametrize(
    ("header", "licence", "is_expression"),
    [
        ("License-Expression: mit", "MIT", True),
        ("License-Expression: Apache-2.0 or BSD-3-Clause", "Apache-2.0 OR BSD-3-Clause", True),
        ("License: BSD-3-Clause", "BSD-3-Clause", True),
        ("License: Apache License, Version 2.0", "Apache License, Version 2.0", False),
        ("License-Expression: LicenseRef-Nobody-Knows", "LicenseRef-Nobody-Knows", True),
        ("License: Copyright (c) of many\n        Permission is hereby granted", "", False),
        ("License: " + "x" * 5000, "", False),
        ("License: \x1b[31mred", "", False),
        ("Classifier: License :: OSI Approved", "", False),
    ],
)
def test_a_licence_is_an_spdx_expression_or_a_name(header: str, licence: str, *, is_expression: bool) -> None:
    found = python_distribution(metadata("a", more=f"{header}\n"))
    assert (found.licence, found.has_expression) == (licence, is_expression)


REQUIRES = """\
Requires-Dist: always
Requires-Dist: Windows_Only; sys_platform == "win32"
Requires-Dist: old; python_version < "3.12"
Requires-Dist: new>=2; python_version >= "3.12"
Requires-Dist: arm; platform_machine == "aarch64"
Requires-Dist: of-extra[x]; extra == "image"
Requires-Dist: release; platform_release > "4"
Requires-Dist: not a requirement at all; ;
"""


def test_it_requires_what_applies_to_linux_and_its_python() -> None:
    found = python_distribution(metadata("a", more=REQUIRES))
    assert found.required(python="3.12", machine="x86_64") == ("always", "new")
    assert found.required(python="3.11", machine="aarch64") == ("always", "arm", "old")
    assert found.required(python="3.12", machine="x86_64", extra="image") == ("always", "new", "of-extra")


def test_requirements_are_kept_as_they_are_written() -> None:
    found = python_distribution(metadata("a", more="Requires-Dist: b <4 , >=3\n"))
    assert [text for text, _ in found.requires] == ["b <4 , >=3"]


def test_the_body_is_not_looked_at() -> None:
    assert python_distribution(b"Name: a\nVersion: 1\n\nName: b\nVersion: 2\n").version == "1"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Name: a\n",
        b"Version: 1\n",
        b"Name: ../a\nVersion: 1\n",
        b"Name: a\nVersion: \n",
        b"Name: a\nVersion: 1 2\n",
        b"\xff\xff",
        b"Name: a\nName: b\nVersion: 1\n",
        b"\n\nName: a\nVersion: 1\n",
    ],
)
def test_what_names_no_distribution_is_refused(data: bytes) -> None:
    with pytest.raises(BadMetadata, match="it has the name"):
        python_distribution(data)
