from __future__ import annotations

import gzip
import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from archives import FILES, INFO, NAME, PURE, SCRIPTS, wheel_bytes

from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.interpreter import DEFAULT_INTERPRETER, Interpreter
from kfp_release.layer import PACKAGE_BIN, PACKAGE_LIB, Layer, NotPure, package_layer
from kfp_release.manifest import OCI_LAYER_GZIP
from kfp_release.wheel import Wheel

PYTHON = DEFAULT_INTERPRETER


def layer(
    files: dict[str, bytes] | None = None, *, interpreter: Interpreter = PYTHON, package: str = "some_components"
) -> Layer:
    wheel = Wheel.parse(NAME, wheel_bytes({**FILES, **(files or {})}))
    return package_layer(wheel, package=package, interpreter=interpreter)


def members(made: Layer) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(made.data), mode="r:gz") as archive:
        return archive.getmembers()


def read(made: Layer, path: str) -> str:
    with tarfile.open(fileobj=io.BytesIO(made.data), mode="r:gz") as archive:
        stream = archive.extractfile(path.removeprefix("/"))
        assert stream is not None
        return stream.read().decode()


def test_its_digests_are_of_the_stream_and_of_the_tar_inside() -> None:
    made = layer()
    assert made.descriptor.media_type == OCI_LAYER_GZIP
    assert made.descriptor.digest == Digest.of(made.data)
    assert made.descriptor.size == len(made.data)
    assert made.diff_id == Digest.of(gzip.decompress(made.data))


def test_all_is_of_owner_0_of_one_time_and_below_its_own_folder() -> None:
    found = members(layer())
    assert [member.name for member in found[:4]] == [
        "opt",
        "opt/package",
        "opt/package/bin",
        "opt/package/bin/multiply",
    ]
    assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in found} == {(0, 0, "", "", 0)}
    assert {m.mode for m in found if m.isdir()} == {0o755}
    assert [m.name for m in found] == sorted(m.name for m in found)
    assert all(m.name == "opt" or m.name.startswith("opt/package") for m in found)


def test_only_scripts_are_executable() -> None:
    files = [member for member in members(layer()) if member.isfile()]
    assert {m.name for m in files if m.mode == 0o755} == {"opt/package/bin/multiply"}
    assert {m.mode for m in files} == {0o755, 0o644}


def test_what_is_pinned_stays_out() -> None:
    names = {member.name for member in members(layer())}
    assert not [name for name in names if "yaml" in name or "pins.json" in name]
    other = layer({"some_components/pins.json": b"other", "some_components/yaml/multiply.yaml": b"image: x:1@sha256\n"})
    assert other == layer()


def test_what_is_pinned_stays_out_of_a_package_in_a_package() -> None:
    names = {
        m.name for m in members(layer({"team/parts/pins.json": b"", "team/parts/a.py": b""}, package="team.parts"))
    }
    assert "opt/package/lib/team/parts/a.py" in names
    assert "opt/package/lib/team/parts/pins.json" not in names


def test_types_stay_out_for_no_pipeline_is_written_in_an_image() -> None:
    typed = {"some_components/operators.py": b"", "some_components/operators.pyi": b"", "some_components/py.typed": b""}
    names = {member.name for member in members(layer(typed))}
    assert f"{PACKAGE_LIB[1:]}/some_components/operators.py" in names
    assert not [name for name in names if name.endswith(("operators.pyi", "py.typed"))]
    without = {path: data for path, data in typed.items() if path.endswith(".py")}
    assert layer(typed).descriptor == layer(without).descriptor


def test_how_the_wheel_was_packed_does_not_show() -> None:
    other = Wheel.parse(NAME, wheel_bytes(dict(reversed(list(FILES.items()))), mode=0o600))
    assert package_layer(other, package="some_components", interpreter=PYTHON) == layer()


def test_a_script_finds_its_library_itself() -> None:
    assert read(layer(), f"{PACKAGE_BIN}/multiply") == (
        "#!/opt/app/bin/python\n"
        "import sys\n"
        "\n"
        f'sys.path.insert(0, "{PACKAGE_LIB}")\n'
        "from some_components.programs import main\n"
        "\n"
        'if __name__ == "__main__":\n'
        "    sys.exit(main())\n"
    )


def test_unpacked_its_script_runs_and_its_metadata_is_found(tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(layer(interpreter=Interpreter(sys.executable)).data), mode="r:gz") as archive:
        archive.extractall(tmp_path, filter="data")
    script = tmp_path / "opt/package/bin/multiply"
    script.write_text(script.read_text().replace(PACKAGE_LIB, str(tmp_path / "opt/package/lib")))
    assert subprocess.run([script], check=True, capture_output=True, text=True).stdout == "6.0\n"

    look = (
        "from importlib.metadata import distribution, entry_points, files\n"
        "found = distribution('some-components')\n"
        "print(found.version, found.read_text('INSTALLER').strip())\n"
        "print([file.as_posix() for file in files('some-components') if not file.locate().is_file()])\n"
        "print(entry_points(group='console_scripts', name='multiply')['multiply'].value)\n"
    )
    library = {"PYTHONPATH": str(tmp_path / "opt/package/lib")}
    seen = subprocess.run([sys.executable, "-c", look], env=library, check=True, capture_output=True, text=True).stdout
    assert seen.splitlines() == ["1.2 kfp-release", "[]", "some_components.programs:main"]


def test_record_names_the_scripts_from_the_library_on() -> None:
    record = read(layer(), f"{PACKAGE_LIB}/{INFO}/RECORD").splitlines()
    assert record[0].startswith("../bin/multiply,sha256=")
    assert record[-1] == f"{INFO}/RECORD,,"


def test_a_package_without_scripts_is_a_layer_too() -> None:
    made = layer({f"{INFO}/entry_points.txt": b"[other]\na = b:c\n"})
    assert not [member for member in members(made) if member.name.startswith("opt/package/bin")]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({f"{INFO}/WHEEL": PURE.replace(b"py3-none-any", b"cp312-cp312-linux_x86_64")}, "only pure-Python packages"),
        ({f"{INFO}/WHEEL": PURE.replace(b"true", b"false")}, "only pure-Python packages"),
        ({"some_components-1.2.data/scripts/tool": b""}, r"data/scripts/tool, a file for outside of the package"),
    ],
)
def test_what_is_not_of_python_alone_is_refused(files: dict[str, bytes], message: str) -> None:
    with pytest.raises(NotPure, match=message):
        layer(files)


@pytest.mark.parametrize(
    "line",
    [
        "../evil = a:b",
        "a/b = a:b",
        "x = a",
        "x = a:",
        "x = a.b:c d",
        "x = a:b\n  --import os",
        "x = :f",
        ".hidden = a:b",
    ],
)
def test_a_script_that_cannot_be_made_is_refused(line: str) -> None:
    with pytest.raises(ReleaseError, match=r"cannot be made|malformed"):
        layer({f"{INFO}/entry_points.txt": f"[console_scripts]\n{line}\n".encode()})


def test_a_script_may_reach_into_an_object_and_name_extras() -> None:
    made = layer({f"{INFO}/entry_points.txt": SCRIPTS + b"Tool.x = some_components.programs:App.run [extra]\n"})
    script = read(made, f"{PACKAGE_BIN}/Tool.x")
    assert "from some_components.programs import App\n" in script
    assert "sys.exit(App.run())" in script


def test_a_program_that_would_hide_the_interpreter_is_refused() -> None:
    scripts = b"[console_scripts]\npython3 = some_components.programs:main\n"
    wheel = Wheel.parse(NAME, wheel_bytes({**FILES, f"{INFO}/entry_points.txt": scripts}))
    with pytest.raises(ReleaseError, match="the program python3 would hide the runtime's"):
        package_layer(wheel, package="some_components", interpreter=PYTHON)
