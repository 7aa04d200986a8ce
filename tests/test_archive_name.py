from __future__ import annotations

import pytest
from packaging.version import Version

from kfp_release.archive_name import ArchiveName
from kfp_release.member import BadArchive


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("demo_parts-1.2-py3-none-any.whl", "1.2"),
        ("demo_parts-1.2-1-py2.py3-none-any.whl", "1.2"),
        ("demo_parts-1!1.2+local-cp312-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "1!1.2+local"),
    ],
)
def test_a_wheel_s_name_tells_project_and_version(text: str, version: str) -> None:
    assert ArchiveName.of_wheel(text) == ArchiveName("demo-parts", Version(version))  # type: ignore[arg-type] # is one


@pytest.mark.parametrize("text", ["demo_parts-1.2rc1.tar.gz", "demo-parts-1.2rc1.zip"])
def test_an_sdist_s_name_tells_project_and_version(text: str) -> None:
    assert ArchiveName.of_sdist(text) == ArchiveName("demo-parts", Version("1.2rc1"))  # type: ignore[arg-type] # likewise


DIGITS = "9" * 5000


@pytest.mark.parametrize(
    "text",
    [
        *("", ".whl", "a.whl", "a-1.whl", "a-x-py3-none-any.whl", "../a-1-py3-none-any.whl", "a\\b-1-py3-none-any.whl"),
        *("a-1-py3-none-any.whl\0", "\xe4-1-py3-none-any.whl", f"a-{DIGITS}-py3-none-any.whl"),
        f"a-1-{DIGITS}-py3-none-any.whl",
        "a-1" + "-" + ".".join(["py3"] * 11) + "-" + ".".join(["none"] * 10) + "-" + ".".join(["any"] * 10) + ".whl",
        "a" * 240 + "-1-py3-none-any.whl",
    ],
)
def test_what_no_wheel_is_called_is_refused(text: str) -> None:
    with pytest.raises(BadArchive, match="is not a wheel's file name") as caught:
        ArchiveName.of_wheel(text)
    assert caught.value.remedy == "name it as it was built"


@pytest.mark.parametrize(
    "text", ["", ".tar.gz", "a.tar.gz", "a-x.tar.gz", "../a-1.tar.gz", "a/b-1.tar.gz", f"a-{DIGITS}.tar.gz", "a-1.exe"]
)
def test_what_no_sdist_is_called_is_refused(text: str) -> None:
    with pytest.raises(BadArchive, match="is not an sdist's file name"):
        ArchiveName.of_sdist(text)
