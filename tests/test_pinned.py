from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from archives import make_wheel, sdist_bytes, wheel_bytes
from conftest import run_git
from small_project import DEMO, FOREIGN, component, exact_pins, make_project

from kfp_release.carried_pins import SDIST_PINS, SDIST_SBOM
from kfp_release.component import ComponentFile
from kfp_release.cyclonedx_bom import wheel_bom
from kfp_release.errors import Problems, ReleaseError
from kfp_release.package_files import package_files
from kfp_release.pinned import BadPins, PinnedPackage, pinned_package, pins_at_hand, sbom_at_hand
from kfp_release.python_distribution import python_distribution
from kfp_release.record import Pins
from kfp_release.sbom import Sbom
from kfp_release.sdist import Sdist
from kfp_release.stub import stub_text
from kfp_release.wheel import Wheel
from kfp_release.written import WRITTEN, NotFree


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project")


def pinned(project: Path, pins_file: Path | None = None, *, in_git: bool = True) -> PinnedPackage:
    commit = run_git(project, "rev-parse", "HEAD").strip() if in_git else ""
    pins = pins_at_hand(project, version="1.0", commit=commit, pins_file=pins_file, environ={})
    return pinned_package(project, pins=pins, version="1.0", commit=commit)


def test_it_gives_the_package_its_component_files_and_its_pins(project: Path) -> None:
    package = pinned(project)
    wheel = package.in_wheel(
        make_wheel({"demo_parts/__init__.py": b"", "demo_parts/yaml/stale.yaml": b"name: Stale\n"})
    )
    files = {member.path: member.data for member in wheel.members if ".dist-info/" not in member.path}
    assert files == {
        "demo_parts/__init__.py": b"",
        "demo_parts/yaml/foreign.yml": component(FOREIGN),
        "demo_parts/yaml/multiply.yaml": component(f"{DEMO}:1.0"),
        "demo_parts/pins.json": package.pins.to_json(),
        "demo_parts/operators.pyi": stub_text(package.operators).encode(),
        "demo_parts/py.typed": b"",
        **{f"demo_parts/{name}": data for name, data in package_files().items()},
    }


def test_operators_of_an_earlier_build_are_replaced_and_a_persons_listing_is_not(project: Path) -> None:
    old = {"demo_parts/operators.py": WRITTEN, "demo_parts/_operators/gone.py": WRITTEN, "demo_parts/__main__.py": b"1"}
    wheel = pinned(project).in_wheel(make_wheel({"demo_parts/__init__.py": b"", **old}))
    assert wheel.read("demo_parts/operators.py") == package_files()["operators.py"]
    assert wheel.read("demo_parts/__main__.py") == b"1"
    assert "demo_parts/_operators/gone.py" not in {member.path for member in wheel.members}


@pytest.mark.parametrize("name", ["_operators/mine.py", "_operators/catalog.py", "_operators.py"])
def test_a_persons_file_where_operators_go_is_refused_unless_all_of_them_are_a_persons(
    project: Path, name: str
) -> None:
    files = {"demo_parts/__init__.py": b"", f"demo_parts/{name}": b"mine = 1\n"}
    with pytest.raises(NotFree, match=f"^demo_parts/{name} is one that a person wrote, where .*\n  → give it another"):
        pinned(project).in_wheel(make_wheel(files))
    wheel = pinned(project).in_wheel(make_wheel({**files, "demo_parts/operators.py": LAZY}))
    assert {path for path in (member.path for member in wheel.members) if "_operators" in path} == {
        f"demo_parts/{name}"
    }


LAZY = b"def __getattr__(name):\n    return name\n"
OPERATORS = {"demo_parts/__init__.py": b"", "demo_parts/operators.py": LAZY}


def test_a_package_with_a_module_of_operators_gets_their_types(project: Path) -> None:
    package = pinned(project)
    wheel = package.in_wheel(make_wheel(OPERATORS))
    assert wheel.read("demo_parts/operators.pyi").decode() == stub_text(package.operators, has_load=False)
    assert wheel.read("demo_parts/py.typed") == b""
    assert [operator.name for operator in package.operators] == ["foreign_op", "multiply_op"]


def test_a_module_that_has_its_operators_written_out_gets_no_types(project: Path) -> None:
    wheel = pinned(project).in_wheel(make_wheel({**OPERATORS, "demo_parts/operators.py": b"def multiply_op(): ...\n"}))
    assert not [member for member in wheel.members if member.path.endswith((".pyi", "py.typed"))]


def test_types_of_an_earlier_build_are_replaced(project: Path) -> None:
    stale = {"demo_parts/operators.pyi": stub_text([]).encode(), "demo_parts/py.typed": b"partial\n"}
    wheel = pinned(project).in_wheel(make_wheel({**OPERATORS, **stale}))
    assert b"multiply_op: _MultiplyOp\n" in wheel.read("demo_parts/operators.pyi")
    assert wheel.read("demo_parts/py.typed") == b"partial\n"


def test_types_that_a_person_wrote_stay_as_they_are(project: Path) -> None:
    written = {"demo_parts/operators.pyi": b"multiply_op: object\n"}
    wheel = pinned(project).in_wheel(make_wheel({**OPERATORS, **written}))
    assert wheel.read("demo_parts/operators.pyi") == b"multiply_op: object\n"
    assert "demo_parts/py.typed" not in {member.path for member in wheel.members}


def test_a_wheel_without_the_package_is_refused(project: Path) -> None:
    with pytest.raises(ReleaseError, match="the wheel has no package demo_parts"):
        pinned(project).in_wheel(make_wheel({"other/__init__.py": b""}))


def test_each_component_is_recorded_with_its_images_and_the_hash_of_the_pinned_file(project: Path) -> None:
    foreign, multiply = pinned(project).pins.components
    assert (foreign.name, foreign.images) == ("foreign_op", (FOREIGN,))
    assert (multiply.name, multiply.file, multiply.images) == ("multiply_op", "multiply.yaml", (f"{DEMO}:1.0",))
    assert multiply.sha256 == hashlib.sha256(component(f"{DEMO}:1.0")).hexdigest()


def test_pins_without_components_are_completed(project: Path, tmp_path: Path) -> None:
    path = tmp_path / "pins.json"
    value = exact_pins(project)
    path.write_bytes(value.to_json()[: value.to_json().index(b'  "components"')] + b'  "components": {}\n}\n')
    assert pinned(project, path).pins == value


def test_the_pins_that_an_sdist_carries_count_outside_of_git_alone(project: Path) -> None:
    value = exact_pins(project)
    (project / SDIST_PINS).write_bytes(value.to_json())
    assert pinned(project, in_git=False).pins == value
    assert not pinned(project).pins.is_exact


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"version": "1.0"', '"version": "1.1"', "the pins are of version 1.1, and 1.0 is being built"),
        ('"distribution": "demo-parts"', '"distribution": "other"', "are of distribution other"),
        ('"commit": "{commit}"', f'"commit": "{"e" * 40}"', "are of commit eeee"),
        ('"demo": {', '"trainer": {', f"are of images trainer = {DEMO}, and demo = {DEMO} is being built"),
        ('"file": "multiply.yaml"', '"file": "divide.yaml"', r"were made of other component files: divide\.yaml"),
        ('"schema": 1', '"schema": 9', "has schema 9"),
        ('{\n  "schema"', '"schema"', r"pins\.json is not JSON"),
    ],
)
def test_pins_of_something_else_are_refused(project: Path, tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "pins.json"
    value = exact_pins(project)
    text, old = value.to_json().decode(), old.replace("{commit}", value.commit)
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ReleaseError, match=message):
        pinned(project, path)


def test_a_component_file_that_changed_after_the_pins_is_refused(project: Path, tmp_path: Path) -> None:
    path = tmp_path / "pins.json"
    path.write_bytes(exact_pins(project).to_json())
    (project / "yaml/multiply.yaml").write_bytes(component(DEMO) + b"# more\n")
    with pytest.raises(BadPins, match=r"other component files: multiply\.yaml\n  → build from the commit"):
        pinned(project, path)


def test_pins_that_are_not_there_are_refused(project: Path) -> None:
    with pytest.raises(BadPins, match="pins /nowhere cannot be read: No such file"):
        pinned(project, Path("/nowhere"))


def test_all_that_is_wrong_in_component_files_is_told_at_once(project: Path) -> None:
    (project / "yaml/multiply.yaml").write_bytes(component(f"{DEMO}:0.9"))
    (project / "yaml/foreign.yml").write_bytes(b"a: [\n")
    with pytest.raises(Problems) as caught:
        pinned(project)
    assert [problem.path for problem in caught.value.problems] == ["yaml/foreign.yml", "yaml/multiply.yaml"]


def test_what_is_wrong_in_the_folder_is_refused_with_what_is_wrong_in_its_files(project: Path) -> None:
    (project / "yaml/multiply.yml").write_bytes(component(f"{DEMO}:0.9"))
    (project / "yaml/more.yaml").mkdir()
    with pytest.raises(Problems) as caught:
        pinned(project)
    assert [(problem.path, problem.message[:12]) for problem in caught.value.problems] == [
        ("yaml/more.yaml", "cannot be re"),
        ("yaml/multiply.yml", "gives the op"),
        ("yaml/multiply.yml", "owned image "),
    ]


@pytest.mark.parametrize(
    "image",
    [
        DEMO,
        f"'{DEMO}'",
        f'"{DEMO}"',
        f"&image {DEMO}",
        f">-\n      {DEMO}",
        f'"{DEMO.replace("d", chr(92) + "x64", 1)}"',
        FOREIGN,
    ],
)
def test_what_is_recorded_of_a_component_is_what_its_pinned_file_says(project: Path, image: str) -> None:
    text = f"name: A\nimplementation:\n  container:\n    image: {image}\n    command: [multiply]\n"
    (project / "yaml" / "other.yaml").write_text(text)
    package = pinned(project, in_git=False)
    for recorded in package.pins.components:
        data = package.components[recorded.file]
        read = ComponentFile.parse(recorded.file, data)
        assert recorded.images == tuple(one.value for one in read.images)
        assert (recorded.name, recorded.sha256) == (read.operator, hashlib.sha256(data).hexdigest())


def of_wheel(pins: Pins) -> Sbom:
    package = python_distribution(f"Name: {pins.distribution}\nVersion: {pins.version}\n".encode())
    return wheel_bom(package, pins.images, commit=pins.commit, created=0)


def test_the_sbom_beside_the_pins_is_the_wheels(project: Path, tmp_path: Path) -> None:
    pins, path = exact_pins(project), tmp_path / "kfp-release-pins.json"
    path.write_bytes(pins.to_json())
    assert sbom_at_hand(project, pins, commit=pins.commit, pins_file=path) is None
    (tmp_path / SDIST_SBOM).write_bytes(of_wheel(pins).data)
    assert sbom_at_hand(project, pins, commit=pins.commit, pins_file=path) == of_wheel(pins)


def test_an_sdist_carries_it_and_a_checkout_does_not(project: Path) -> None:
    pins = exact_pins(project)
    (project / SDIST_PINS).write_bytes(pins.to_json())
    (project / SDIST_SBOM).write_bytes(of_wheel(pins).data)
    assert sbom_at_hand(project, pins, commit="", pins_file=None) == of_wheel(pins)
    assert sbom_at_hand(project, pins, commit=pins.commit, pins_file=None) is None


@pytest.mark.parametrize("change", [{"commit": "d" * 40}, {"distribution": "others"}], ids=str)
def test_an_sbom_of_another_wheel_is_refused(project: Path, tmp_path: Path, change: dict[str, str]) -> None:
    pins = exact_pins(project)
    (tmp_path / SDIST_SBOM).write_bytes(of_wheel(replace(pins, **change)).data)  # type: ignore[arg-type] # of texts
    with pytest.raises(BadPins, match="is not the SBOM of this build: it is of") as caught:
        sbom_at_hand(project, pins, commit=pins.commit, pins_file=tmp_path / "pins.json")
    assert caught.value.remedy == "remove it"


def test_it_goes_into_the_wheel_and_the_sdist(project: Path) -> None:
    pins = exact_pins(project)
    package = replace(pinned(project), pins=pins, sbom=of_wheel(pins))
    members = {
        "demo_parts/__init__.py": b"",
        "demo_parts-1.0.dist-info/METADATA": b"",
        "demo_parts-1.0.dist-info/WHEEL": b"",
    }
    wheel = Wheel.parse(
        "demo_parts-1.0-py3-none-any.whl", wheel_bytes({**members, "demo_parts-1.0.dist-info/RECORD": b""})
    )
    made = package.in_wheel(wheel)
    path = "demo_parts-1.0.dist-info/sboms/demo-parts.cdx.json"
    assert made.read(path) == of_wheel(pins).data
    assert f"\n{path},sha256=" in made.read("demo_parts-1.0.dist-info/RECORD").decode()
    sdist = Sdist.parse("demo_parts-1.0.tar.gz", sdist_bytes({"demo_parts-1.0/PKG-INFO": b""}))
    assert package.in_sdist(sdist).read(SDIST_SBOM) == of_wheel(pins).data
