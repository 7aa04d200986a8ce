"""SBOMs as they are written: valid, whole, and the same to the byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from layer_fixtures import STATUS_PATH, Entry, info_path, layer, metadata, package, status

from kfp_release.cyclonedx_bom import BomImage, image_bom, runtime_bom, wheel_bom
from kfp_release.digest import Digest
from kfp_release.image_ref import Repository
from kfp_release.interpreter import DEFAULT_INTERPRETER
from kfp_release.inventory import FoundDistribution, Inventory
from kfp_release.python_distribution import python_distribution
from kfp_release.record import PinnedImage
from kfp_release.sbom import BadSbom, Sbom

REPOSITORY = Repository.parse("533211398604.dkr.ecr.eu-north-1.amazonaws.com/team/demo")
RUNTIME = BomImage(REPOSITORY, Digest.of(b"runtime"), "linux/amd64", 315532800, {"kfp-release": "1.2"})
IMAGE = BomImage(REPOSITORY, Digest.of(b"image"), "linux/amd64", 1_800_000_000, {"kfp-release": "1.2"}, "1.2", "0" * 32)
PANDAS = 'Requires-Dist: numpy>=1\nRequires-Dist: tzdata; sys_platform == "win32"\nLicense-Expression: BSD-3-Clause\n'
FILES: dict[str, Entry] = {
    "etc/os-release": b"ID=debian\nVERSION_ID=12\n",
    STATUS_PATH: status(package("base-files", "12.4+deb12u15"), package("libgcc", more="Source: gcc-12 (12-3)\n")),
    info_path("pandas"): metadata("pandas", more=PANDAS),
    info_path("numpy"): metadata("numpy", more="License-Expression: BSD-3-Clause AND MIT\n"),
    info_path("numpy", site="usr/lib/python3/dist-packages"): metadata("numpy"),
    info_path("Foo.Bar"): metadata("Foo.Bar", more="License: as it is\nRequires-Dist: pandas[x]\n"),
}
PACKAGE = FoundDistribution(
    python_distribution(
        metadata("demo-parts", "1.2", more='Requires-Dist: kfp>=2\nRequires-Dist: pandas; extra == "x"\n')
    ),
    "/opt/package/lib/demo_parts-1.2.dist-info/METADATA",
    2,
)


def runtime(files: dict[str, Entry]) -> Sbom:
    return runtime_bom(RUNTIME, Inventory.of([layer(files)]))


def image() -> Sbom:
    return image_bom(IMAGE, runtime(FILES), PACKAGE, interpreter=DEFAULT_INTERPRETER, extra="x")


def wheel() -> Sbom:
    pinned = [
        PinnedImage(name, REPOSITORY, f"{REPOSITORY}:1.2@{IMAGE.digest}", "0" * 32, "linux/amd64")
        for name in ("demo", "training")
    ]
    return wheel_bom(PACKAGE.distribution, pinned, commit="c" * 40, created=1_800_000_000)


def all_of_them() -> list[str]:
    return [str(Digest.of(sbom.data)) for sbom in (runtime(FILES), image(), wheel())]


@cache
def validator() -> JsonStrictValidator:
    return JsonStrictValidator(SchemaVersion.V1_6)


def value_of(sbom: Sbom) -> Any:
    return json.loads(sbom.data)


def components(sbom: Sbom) -> dict[str, Any]:
    return {item["bom-ref"]: item for item in value_of(sbom)["components"]}


def depends(sbom: Sbom) -> dict[str, list[str]]:
    return {item["ref"]: item["dependsOn"] for item in value_of(sbom)["dependencies"] if item.get("dependsOn")}


@pytest.mark.parametrize("make", [lambda: runtime(FILES), lambda: runtime({}), image, wheel])
def test_it_keeps_to_the_schema(make: Any) -> None:
    assert validator().validate_str(make().data.decode()) is None


@pytest.mark.parametrize("make", [lambda: runtime(FILES), image, wheel])
def test_it_is_the_same_to_the_byte_at_any_time(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert make().data == first.data
    shuffled = runtime(dict(reversed(FILES.items())))
    assert shuffled.data == runtime(FILES).data


def test_a_runtime_lists_packages_distributions_and_the_system() -> None:
    found = components(runtime(FILES))
    assert {ref: item.get("purl") for ref, item in found.items()} == {
        "os": None,
        "base-files:amd64": "pkg:deb/debian/base-files@12.4%2Bdeb12u15?arch=amd64&distro=debian-12",
        "libgcc:amd64": "pkg:deb/debian/libgcc@1?arch=amd64&distro=debian-12&upstream=gcc-12%4012-3",
        "foo-bar==1.0": "pkg:pypi/foo-bar@1.0",
        "numpy==1.0": "pkg:pypi/numpy@1.0",
        "pandas==1.0": "pkg:pypi/pandas@1.0",
    }


def test_it_tells_in_which_layer_what_is_not_of_the_first_came() -> None:
    above = layer({info_path("six"): metadata("six"), info_path("numpy"): metadata("numpy")})
    found = components(runtime_bom(RUNTIME, Inventory.of([layer(FILES), above])))
    layers = {
        ref: [each["value"] for each in item["properties"]] for ref, item in found.items() if "properties" in item
    }
    assert layers == {"six==1.0": ["2"], "numpy==1.0": ["1", "2"]}


def test_its_subject_is_the_runtime_by_its_digest_and_no_key() -> None:
    sbom = runtime(FILES)
    root = value_of(sbom)["metadata"]["component"]
    assert root["purl"] == f"pkg:oci/demo@{RUNTIME.digest}?repository_url={REPOSITORY}"
    assert (sbom.digest, sbom.runtime_key, sbom.is_runtime) == (RUNTIME.digest, "", True)
    assert value_of(sbom)["metadata"]["timestamp"] == "1980-01-01T00:00:00+00:00"


def test_a_distribution_in_two_places_is_one_component() -> None:
    places = components(runtime(FILES))["numpy==1.0"]["evidence"]["occurrences"]
    assert [place["location"] for place in places] == [
        f"/{info_path('numpy')}",
        f"/{info_path('numpy', site='usr/lib/python3/dist-packages')}",
    ]


def test_licences_are_as_spdx_has_them() -> None:
    found = components(runtime(FILES))
    assert {ref: found[ref].get("licenses") for ref in ("pandas==1.0", "numpy==1.0", "foo-bar==1.0")} == {
        "pandas==1.0": [{"license": {"id": "BSD-3-Clause"}}],
        "numpy==1.0": [{"expression": "BSD-3-Clause AND MIT"}],
        "foo-bar==1.0": [{"license": {"name": "as it is"}}],
    }


def test_distributions_depend_on_what_they_require_and_is_there() -> None:
    assert depends(runtime(FILES)) == {
        "image": ["base-files:amd64", "foo-bar==1.0", "libgcc:amd64", "os"],
        "foo-bar==1.0": ["pandas==1.0"],
        "pandas==1.0": ["numpy==1.0"],
    }


def test_a_base_that_is_not_debian_says_so() -> None:
    notes = value_of(runtime({"etc/os-release": b"ID=alpine\n"}))["metadata"]["properties"]
    assert [note["value"] for note in notes] == [
        "no Debian packages seen: it has no /var/lib/dpkg",
        "no Python distributions seen",
    ]


def test_what_could_not_be_read_is_told() -> None:
    notes = value_of(runtime({**FILES, info_path("broken"): b""}))["metadata"]["properties"]
    assert notes == [{"name": "kfp-release:unread", "value": f"/{info_path('broken')}"}]


def test_an_image_lists_what_its_runtime_does_and_the_package() -> None:
    sbom = image()
    below = components(runtime(FILES))
    found = components(sbom)
    added = found.pop("demo-parts==1.2")
    assert found == below
    assert added["properties"] == [{"name": "kfp-release:layer", "value": "2"}]
    assert added["evidence"]["occurrences"] == [{"location": PACKAGE.path}]
    assert (sbom.digest, sbom.runtime_key, sbom.is_runtime) == (IMAGE.digest, IMAGE.runtime_key, False)
    assert value_of(sbom)["metadata"]["timestamp"] == "2027-01-15T08:00:00+00:00"


def test_the_package_depends_on_what_its_extra_declares() -> None:
    graph = depends(image())
    assert graph["demo-parts==1.2"] == ["pandas==1.0"]
    assert graph["image"] == ["base-files:amd64", "demo-parts==1.2", "foo-bar==1.0", "libgcc:amd64", "os"]
    assert graph["pandas==1.0"] == ["numpy==1.0"]


@pytest.mark.parametrize("other", ["0.9", "1.1"])
def test_of_a_name_that_is_there_twice_it_is_the_interpreters(other: str) -> None:
    system = info_path("pandas", other, site="usr/lib/python3/dist-packages")
    below = runtime({**FILES, system: metadata("pandas", other)})
    sbom = image_bom(IMAGE, below, PACKAGE, interpreter=DEFAULT_INTERPRETER, extra="x")
    assert depends(sbom)["demo-parts==1.2"] == ["pandas==1.0"]


def test_a_wheel_links_to_the_sbom_of_each_image_and_lists_what_it_requires() -> None:
    found = components(wheel())
    assert {ref: item.get("scope") for ref, item in found.items()} == {
        "image:demo": None,
        "image:training": None,
        "kfp": "required",
        "pandas": "optional",
    }
    (link,) = found["image:demo"]["externalReferences"]
    assert link == {"type": "bom", "url": image().link}
    assert found["image:demo"]["purl"].startswith(f"pkg:oci/demo@{IMAGE.digest}?repository_url=")
    assert "tools" not in value_of(wheel())["metadata"]


def test_a_runtimes_sbom_that_the_library_cannot_read_is_refused() -> None:
    value = value_of(runtime(FILES))
    value["components"][0]["type"] = "a thing"
    with pytest.raises(BadSbom, match="the SBOM of the runtime of team/demo cannot be read") as caught:
        image_bom(IMAGE, Sbom.parse(json.dumps(value).encode()), PACKAGE, interpreter=DEFAULT_INTERPRETER, extra="x")
    assert "kfp-release runtime" in caught.value.remedy


def test_it_is_the_same_to_the_byte_in_every_process() -> None:
    """Sets have an order of their own in each."""
    code = "import test_cyclonedx_bom as t; print(*t.all_of_them())"
    for seed in ("1", "2"):
        environ = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parent)}
        done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
        assert done.stdout.split() == all_of_them()
