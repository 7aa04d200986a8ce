"""The parsers of archives and images: wheels, sdists, manifests, configs, layouts on disk."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from random import Random
from typing import Any

from chaos.hostile import archives as hostile_archives
from chaos.hostile.archives import FILE_NAMES, ROOT, SDIST, WHEEL
from chaos.hostile.documents import CONFIG, DESCRIPTOR, HEX, KEY, MANIFEST, PINS, V1
from chaos.hostile.parser import Parser
from chaos.hostile.scratch import scratch_folder
from chaos.hostile.values import NAMES, any_value, chance, changed_bytes, changed_json
from kfp_release.archive import members_of, same_members
from kfp_release.archived_interfaces import archived_interfaces
from kfp_release.carried_pins import sdist_pins, wheel_pins, wheel_problems
from kfp_release.digest import Digest
from kfp_release.image import Image, normal_runtime, with_package, without_package
from kfp_release.interpreter import DEFAULT_INTERPRETER
from kfp_release.layer import Layer, package_layer
from kfp_release.layout import Layout
from kfp_release.manifest import OCI_LAYER_GZIP, OCI_MANIFEST, BadImage, Descriptor, ImageConfig, Manifest
from kfp_release.member import Member, by_path
from kfp_release.rebuilt_part import file_part, image_part, package_differences, runtime_part
from kfp_release.release_file import ReleaseFile, file_findings
from kfp_release.sdist import Sdist
from kfp_release.stored import gzip_stored
from kfp_release.tar import tar_bytes
from kfp_release.version import ReleaseVersion
from kfp_release.wheel import Wheel

_NAME, _SDIST = "some_components-1.2-py3-none-any.whl", f"{ROOT}.tar.gz"
_PINS = json.dumps(PINS)
_LAYER = Layer(b"layer", Descriptor(OCI_LAYER_GZIP, Digest(HEX), 5), Digest(HEX))
_LAYER_OF_OURS = hostile_archives.sdist_of(SDIST)
_LABELS = {"kfp-release.runtime-key": KEY, "org.opencontainers.image.version": "1.2"}


def _file_name(random: Random, sound: str) -> str:
    return random.choice(FILE_NAMES) if chance(random, 10) else sound


def _wheel(random: Random) -> tuple[str, bytes]:
    return _file_name(random, _NAME), hostile_archives.wheel(random)


def _sdist(random: Random) -> tuple[str, bytes]:
    return _file_name(random, _SDIST), hostile_archives.sdist(random)


def _read_wheel(case: tuple[str, bytes]) -> object:
    wheel = Wheel.parse(*case)
    assert Wheel.parse(wheel.filename, wheel.to_bytes()) == wheel
    return wheel.is_pure, members_of(*case), package_layer(wheel, package="a.b", interpreter=DEFAULT_INTERPRETER)


def _read_sdist(case: tuple[str, bytes]) -> object:
    sdist = Sdist.parse(*case)
    again = Sdist.parse(sdist.filename, sdist.to_bytes(0))
    assert again == sdist
    return sdist.paths, sdist_pins(sdist)


def _compared(case: tuple[str, bytes]) -> object:
    ours = hostile_archives.wheel_of(WHEEL) if case[0].endswith(".whl") else hostile_archives.sdist_of(SDIST)
    return same_members(case[0], ours, case[1]), file_part(case[0], case[1], ours)


def _layer_compared(case: tuple[str, bytes]) -> object:
    return package_differences(case[1], _LAYER_OF_OURS)


def _either(random: Random) -> tuple[str, bytes]:
    return random.choice((_wheel, _sdist))(random)


def _file(case: tuple[str, bytes]) -> object:
    version = ReleaseVersion.parse("1.2")
    file = ReleaseFile.read("some-components", *case, version)
    return list(file_findings("some-components", version, [file]))


def _members(random: Random) -> list[tuple[str, bytes, int]]:
    names = (*NAMES, "a/b", "a", "b/c", "A", "b" * 120, "ä" * 60)
    return [(random.choice(names), b"x" * random.randrange(600), random.choice((0o644, 0o777))) for _ in range(3)]


def _tar(case: list[tuple[str, bytes, int]]) -> object:
    """What cannot leave its folder is written, and read back as it was."""
    members = by_path([Member(f"{ROOT}/{name}", data, mode) for name, data, mode in case], "an archive")
    members |= {f"{ROOT}/PKG-INFO": Member(f"{ROOT}/PKG-INFO", b"")}
    data = b"".join(gzip_stored([tar_bytes(members.values(), mtime=0)]))
    assert {member.path: member for member in Sdist.parse(_SDIST, data).members} == members
    return data


def _carrying(random: Random) -> Wheel:
    component = changed_json(random, json.dumps(V1)) if chance(random, 30) else V1.encode()
    files = {
        "some_components/pins.json": changed_json(random, _PINS),
        f"some_components/yaml/{random.choice(('multiply.yaml', 'Multiply.yaml', 'x y', 'a'))}": component,
    }
    if chance(random, 10):
        files["other/yaml/pins.json"] = files["some_components/pins.json"]
    members = [Member(path, data) for path, data in {**WHEEL, **files}.items()]
    return Wheel(_NAME, Wheel.parse(_NAME, hostile_archives.wheel_of(WHEEL)).name, "1.2", tuple(members))


def _carried(wheel: Wheel) -> object:
    pins, package = wheel_pins(wheel)
    return list(wheel_problems(wheel, pins, package))


def _interfaces(case: tuple[str, bytes]) -> object:
    return archived_interfaces(*case).to_json()


def _of_project(random: Random) -> tuple[str, bytes]:
    """A pinned wheel, or an sdist with a configuration."""
    if chance(random, 50):
        return _NAME, _carrying(random).to_bytes()
    folder = random.choice((b"yaml", b"a/b", b".", b"/", b"..", b"\\n", b""))
    pyproject = b'[project]\nname = "some-components"\n[tool.kfp-release]\ncomponents = "' + folder + b'"\n'
    files = {**SDIST, f"{ROOT}/pyproject.toml": pyproject, f"{ROOT}/yaml/a.yaml": V1.encode()}
    data = hostile_archives.sdist_of(files)
    return _SDIST, changed_bytes(random, data) if chance(random, 20) else data


def _descriptor(random: Random) -> Any:
    if chance(random, 10):
        return any_value(random)
    return {**DESCRIPTOR, random.choice(("mediaType", "digest", "size")): any_value(random)}


def _manifest(random: Random) -> tuple[bytes, str]:
    kind = OCI_MANIFEST if chance(random, 90) else random.choice(NAMES)
    return changed_json(random, MANIFEST), kind


def _read_manifest(case: tuple[bytes, str]) -> object:
    manifest = Manifest.parse(*case)
    again = Manifest.of(manifest.config, manifest.layers, manifest.annotations)
    return manifest.digest, again, str(manifest.descriptor.size)


def _read_config(data: bytes) -> object:
    config = ImageConfig.parse(data)
    return config.platform, config.labels, config.environment, ImageConfig.of(config.value)


def _image(random: Random) -> tuple[bytes, bytes, bool]:
    return changed_json(random, CONFIG, most=2), changed_json(random, MANIFEST, most=1), chance(random, 90)


def _read_image(case: tuple[bytes, bytes, bool]) -> object:
    """A config below a manifest that names it, or one that does not."""
    config, manifest = ImageConfig.parse(case[0]), Manifest.parse(case[1], OCI_MANIFEST)
    if case[2]:
        manifest = Manifest.of(config.descriptor, manifest.layers, manifest.annotations)
    image = Image(manifest, config)
    runtime = normal_runtime(image)
    assert normal_runtime(runtime) == runtime
    with contextlib.suppress(BadImage):
        without_package(image)
    made = with_package(runtime, _LAYER, labels=_LABELS, created=1)
    assert without_package(made) == runtime
    runtime_part(image, runtime, what="runtime")
    image_part(image, made, name="demo")
    return made


def _layout(random: Random) -> tuple[bytes, bytes, bytes, bytes]:
    config = changed_json(random, CONFIG, most=1)
    manifest = {**json.loads(MANIFEST), "config": _described(config)}
    blob = changed_json(random, json.dumps(manifest), most=1)
    entry = {**_described(blob), "mediaType": OCI_MANIFEST}
    entry["annotations"] = {"org.opencontainers.image.ref.name": "demo"}
    index = changed_json(random, json.dumps({"schemaVersion": 2, "manifests": [entry]}), most=2)
    marker = b'{"imageLayoutVersion":"1.0.0"}'
    return (changed_bytes(random, marker) if chance(random, 5) else marker), index, blob, config


def _described(data: bytes) -> dict[str, Any]:
    digest = str(Digest.of(data))
    return {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": len(data)}


def _read_layout(case: tuple[bytes, bytes, bytes, bytes]) -> object:
    marker, index, *blobs = case
    with scratch_folder() as folder:
        path = Path(folder, "blobs", "sha256")
        path.mkdir(parents=True)
        Path(folder, "oci-layout").write_bytes(marker)
        Path(folder, "index.json").write_bytes(index)
        for blob in blobs:
            (path / Digest.of(blob).hex).write_bytes(blob)
        layout = Layout(Path(folder))
        image = layout.image("demo")
        layout.add(image, name="other")
        return image.config.platform, layout.has_content(image.config.diff_ids[-1])


PARSERS = {
    "wheel": Parser(
        (
            *("wheel.Wheel.parse", "wheel.record_bytes", "archive.members_of", "archive_name.ArchiveName.of_wheel"),
            *("inflation.require_allowed", "inflation.require_few", "layer.is_pinned_file"),
            *("stub.module_path", "stub.stub_path", "stub.mark_path", "layer.is_made"),
            "written.package_path",
        ),
        _wheel,
        _read_wheel,
    ),
    "sdist": Parser(("sdist.Sdist.parse", "archive_name.ArchiveName.of_sdist"), _sdist, _read_sdist),
    "package layer of another's": Parser(
        ("sdist.read_tar", "rebuilt_part.package_differences"), _sdist, _layer_compared
    ),
    "another archive of the same name": Parser(("archive.same_members", "rebuilt_part.file_part"), _either, _compared),
    "file of a release, as the index has it": Parser(
        ("release_file.ReleaseFile.read", "release_file.file_findings"), _either, _file
    ),
    "members and tar": Parser(("member.by_path",), _members, _tar),
    "pins of a wheel": Parser(("carried_pins.wheel_problems",), _carrying, _carried),
    "interfaces of an archive": Parser(
        ("archived_interfaces.archived_interfaces", "config.declared_components"), _of_project, _interfaces
    ),
    "descriptor": Parser(("manifest.Descriptor.parse",), _descriptor, Descriptor.parse),
    "manifest": Parser(("manifest.Manifest.parse",), _manifest, _read_manifest),
    "image config": Parser(("manifest.ImageConfig.parse",), lambda random: changed_json(random, CONFIG), _read_config),
    "image of runtime and layer": Parser(("manifest.ImageConfig.of", "manifest.Manifest.of"), _image, _read_image),
    "image layout": Parser((), _layout, _read_layout),
}
