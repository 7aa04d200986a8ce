"""The package layer: a wheel as one small image layer, made without any container engine.

OCI image-spec, layer.md. The package in it is the one without pinned component files, for a digest cannot be inside
the image that it names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from kfp_release.deflate import gzip_deflated
from kfp_release.digest import Digest
from kfp_release.entry_points import ConsoleScript, console_scripts
from kfp_release.errors import ReleaseError
from kfp_release.interpreter import Interpreter
from kfp_release.manifest import OCI_LAYER_GZIP, Descriptor
from kfp_release.member import EXECUTABLE, Member
from kfp_release.stub import mark_path, stub_path
from kfp_release.tar import tar_bytes
from kfp_release.wheel import Wheel, record_bytes
from kfp_release.written import WRITTEN, package_path

PACKAGE_LIB = "/opt/package/lib"
PACKAGE_BIN = "/opt/package/bin"

_SCRIPT = """\
#!{interpreter}
import sys

sys.path.insert(0, "{lib}")
from {module} import {first}

if __name__ == "__main__":
    sys.exit({function}())
"""


class NotPure(ReleaseError):
    """A package that cannot be a layer, for it is not of Python alone."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer's bytes as they are stored, how a manifest names them, and the digest of the tar inside."""

    data: bytes
    descriptor: Descriptor
    diff_id: Digest


def package_layer(wheel: Wheel, *, package: str, interpreter: Interpreter) -> Layer:
    """The layer that holds `wheel` below ``/opt/package``, its scripts starting with `interpreter`.

    `package` is the import package whose operators, component files, pins and types stay out: no pipeline is written
    in an image.
    Raise `NotPure` for a wheel with compiled modules or files for elsewhere.
    """
    _refuse_impure(wheel)
    # What a pipeline's author needs; an image has no use for it.
    of_pipelines = {stub_path(package), mark_path(package)}
    of_pipelines |= {member.path for member in wheel.members if is_made(member, package)}
    tar = tar_bytes(_members(wheel.without(of_pipelines), interpreter), mtime=0)
    data = gzip_deflated(tar)
    return Layer(data, Descriptor(OCI_LAYER_GZIP, Digest.of(data), len(data)), Digest.of(tar))


def is_made(member: Member, package: str) -> bool:
    """Whether a wheel's file is one that the build puts into the package: pins, component files, operators."""
    in_package = member.path.startswith(package_path(package, ""))
    return is_pinned_file(member.path, package) or (in_package and member.data.startswith(WRITTEN))


def is_pinned_file(path: str, package: str) -> bool:
    """Whether a wheel's file tells of images: a component file or ``pins.json``."""
    folder = package.replace(".", "/")
    return path == f"{folder}/pins.json" or path.startswith(f"{folder}/yaml/")


def _refuse_impure(wheel: Wheel) -> None:
    if not wheel.is_pure:
        raise NotPure(
            f"{wheel.filename} is for one platform; only pure-Python packages (…-none-any.whl) can be a layer",
            remedy="move compiled modules into a distribution of their own, and lock it for the runtime",
        )
    data = wheel.dist_info.removesuffix(".dist-info") + ".data/"
    if stray := [member.path for member in wheel.members if member.path.startswith(data)]:
        raise NotPure(
            f"{wheel.filename} has {stray[0]}, a file for outside of the package",
            remedy="use [project.scripts] for programs and package data for files",
        )


def _members(wheel: Wheel, interpreter: Interpreter) -> list[Member]:
    record, metadata = (f"{wheel.dist_info}/{name}" for name in ("RECORD", "METADATA"))
    library = [
        replace(member, data=_headers(member.data)) if member.path == metadata else member
        for member in wheel.members
        if member.path != record
    ]
    declared = next((member.data for member in library if member.path == f"{wheel.dist_info}/entry_points.txt"), b"")
    library.append(Member(f"{wheel.dist_info}/INSTALLER", b"kfp-release\n"))
    scripts = [_script(script, interpreter) for script in console_scripts(declared.decode())]
    if hiding := [script.path for script in scripts if script.path.startswith("python")]:
        raise ReleaseError(
            f"the program {hiding[0]} would hide the runtime's, for {PACKAGE_BIN} comes first on its PATH",
            remedy="give it another name in [project.scripts]",
        )
    # RECORD names files from its library on (PyPA, recording installed projects); importlib.metadata reads it so.
    rows = {f"../bin/{script.path}": script.data for script in scripts}
    rows |= {member.path: member.data for member in library}
    library.append(Member(record, record_bytes(rows, record)))
    return [
        *(replace(member, path=f"{PACKAGE_LIB[1:]}/{member.path}") for member in library),
        *(replace(script, path=f"{PACKAGE_BIN[1:]}/{script.path}") for script in scripts),
    ]


def _headers(metadata: bytes) -> bytes:
    """`metadata` without the README that is its body: nobody reads it in an image."""
    return metadata.partition(b"\n\n")[0] + b"\n"


def _script(script: ConsoleScript, interpreter: Interpreter) -> Member:
    text = _SCRIPT.format(
        interpreter=interpreter,
        lib=PACKAGE_LIB,
        module=script.module,
        first=script.function.partition(".")[0],
        function=script.function,
    )
    return Member(script.name, text.encode(), EXECUTABLE)
