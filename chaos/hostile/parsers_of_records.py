"""The parsers of what one step hands to the next: pins.json, release.json, plan.json, the folder dist/."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

from chaos.hostile import archives as hostile_archives
from chaos.hostile.documents import COMMIT, CONFIG, DEMO, HEX, HOST, KEY, MANIFEST, MATERIALS, PINS, RECORD
from chaos.hostile.parser import Parser
from chaos.hostile.scratch import scratch_folder
from chaos.hostile.values import any_value, changed_json
from kfp_release.built import BuiltRelease
from kfp_release.commands import tables
from kfp_release.cyclonedx_bom import BomImage, runtime_bom, wheel_bom
from kfp_release.digest import Digest
from kfp_release.image_ref import Repository
from kfp_release.inventory import Inventory
from kfp_release.json_text import read_json
from kfp_release.layout import Layout
from kfp_release.manifest import OCI_LAYER_GZIP, ImageConfig, Manifest, canonical_json
from kfp_release.plan import Plan
from kfp_release.planned_image import BadPlan, PlannedImage
from kfp_release.python_distribution import python_distribution
from kfp_release.record import Pins, ReleaseRecord
from kfp_release.report import Report

_OF = ("file_name", "text", "project", "list")
_LAYER = b"a layer"
_PINS, _RECORD = json.dumps(PINS), json.dumps(RECORD)
_IMAGE_PIN: dict[str, str] = json.loads(_PINS)["images"]["demo"]
_FILES: list[dict[str, str]] = json.loads(_RECORD)["distributions"]
_PARTS = tuple(f"record_json.{name}" for name in ("load", "dump", "malformed", *(f"{of}_of" for of in _OF)))
_WHEEL_SBOM = wheel_bom(
    python_distribution(b"Name: some-components\nVersion: 1.2\n"), (), commit=COMMIT, created=0
).data.decode()
_COMPONENT = "name: Multiply\nimplementation:\n  container:\n    image: {}\n    command: [multiply]\n"


def _runtime() -> dict[str, str]:
    config = ImageConfig.parse(CONFIG.encode())
    manifest = Manifest.parse(MANIFEST.encode(), json.loads(MANIFEST)["mediaType"])
    named = Manifest.of(config.descriptor, manifest.layers, manifest.annotations)
    return {"media_type": named.media_type, "manifest": named.data.decode(), "config": CONFIG}


_RUNTIME_SBOM = runtime_bom(
    BomImage(Repository.parse(DEMO), Digest(HEX), "linux/amd64", 0, {}), Inventory({"ID": "debian"}, (), (), ())
)
_IMAGE = {
    "name": "demo",
    "declared": DEMO,
    "registry": HOST,
    "repository_exists": True,
    "runtime_key": KEY,
    "platform": "linux/amd64",
    "materials": MATERIALS,
    "interpreter": "/opt/app/bin/python",
    "runtime": _runtime(),
    "existing": None,
    "runtime_sbom": _RUNTIME_SBOM.data.decode(),
}
_PLAN = json.dumps(
    {
        "schema": 3,
        "version": "1.2",
        "tag": "v1.2",
        "commit": COMMIT,
        "created": 1_800_000_000,
        "distribution": "some-components",
        "images": [_IMAGE, {**_IMAGE, "name": "other", "runtime": None, "existing": _runtime()}],
        "warnings": [{"path": "ECR", "message": "a rule takes 1.2 away", "remedy": "change it"}],
        "files": {"some-components": {"some_components-1.2.tar.gz": HEX, "some_components-1.2-py3-none-any.whl": None}},
    }
)


def _shown(report: Report) -> str:
    return report.markdown()


def _read_pins(data: bytes) -> object:
    pins = Pins.parse(data)
    assert Pins.parse(pins.to_json()) == pins
    report = Report("pins", (tables.images(pins.images),))
    return [image.repository for image in pins.images if image.is_exact], _shown(report)


def _read_record(data: bytes) -> object:
    record = ReleaseRecord.parse(data)
    assert ReleaseRecord.parse(record.to_json()) == record
    assert all("/" not in item.filename for item in record.distributions)
    return _shown(Report("record", (tables.distributions(record.distributions),)))


def _read_plan(data: bytes) -> object:
    with scratch_folder() as folder:
        path = folder / "plan.json"
        path.write_bytes(data)
        plan = Plan.read(path)
    assert Plan.parse(json.dumps(plan.to_json()).encode()) == plan
    notes = (tables.source_note(plan.source),)
    return _shown(Report("plan", (tables.planned_images(plan), tables.planned_files(plan)), notes))


def _read_json(data: bytes) -> object:
    value = read_json(data, most=1_000_000)
    assert read_json(canonical_json(value), most=2_000_000) == value
    return value


def _planned(random: Random) -> dict[str, Any]:
    return {**_IMAGE, random.choice(list(_IMAGE)): any_value(random)}


def _read_planned(value: dict[str, Any]) -> object:
    """Its one caller makes an error of ours of these three."""
    try:
        return PlannedImage.parse(value)
    except (KeyError, TypeError, ValueError) as error:
        raise BadPlan("an image of it is malformed") from error


def _dist(random: Random) -> dict[str, bytes]:
    """The files of a folder dist/ that somebody wrote: hashes agree, and contents need not."""
    config = changed_json(random, CONFIG, most=random.choice((0, 1))).replace(b" ", b"")
    layers = [json.loads(MANIFEST)["layers"][0], {**_described(_LAYER), "mediaType": OCI_LAYER_GZIP}]
    manifest = {**json.loads(MANIFEST), "config": _described(config), "layers": layers}
    blob = json.dumps(manifest).encode()
    pin = f"{DEMO}:1.2@{Digest.of(blob)}"
    component = _COMPONENT.format(pin).encode()
    images = {"demo": {**_IMAGE_PIN, "pin": pin}}
    parts = {"multiply_op": {"file": "multiply.yaml", "images": [pin], "sha256": Digest.of(component).hex}}
    pins = {**PINS, "images": images, "components": parts}
    carried = changed_json(random, json.dumps(pins), most=random.choice((0, 0, 1)))
    package = {"some_components/pins.json": carried, "some_components/yaml/multiply.yaml": component}
    root = hostile_archives.ROOT
    of_wheel = changed_json(random, _WHEEL_SBOM, most=random.choice((0, 0, 1)))
    in_sdist = {f"{root}/kfp-release-pins.json": carried, f"{root}/kfp-release-sbom.cdx.json": of_wheel}
    package[f"{root}.dist-info/sboms/some-components.cdx.json"] = of_wheel
    sdist = hostile_archives.sdist_of({**hostile_archives.SDIST, **in_sdist})
    wheel = hostile_archives.wheel_of({**hostile_archives.WHEEL, **package})
    names = [str(item["filename"]) for item in _FILES]
    files = [
        {"project": "some-components", "filename": name, "sha256": Digest.of(data).hex, "size": len(data)}
        for name, data in zip(names, (sdist, wheel), strict=True)
    ]
    record = changed_json(random, json.dumps({**RECORD, **pins, "distributions": files}), most=1)
    entry = {**_described(blob), "mediaType": manifest["mediaType"]}
    entry["annotations"] = {"org.opencontainers.image.ref.name": "demo"}
    index = changed_json(random, json.dumps({"manifests": [entry]}), most=random.choice((0, 0, 1)))
    blobs = {f"image/blobs/sha256/{Digest.of(data).hex}": data for data in (blob, config, _LAYER)}
    layout = {"image/oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "image/index.json": index, **blobs}
    subject = BomImage(Repository.parse(DEMO), Digest.of(blob), "linux/amd64", 0, {}, "1.2", KEY)
    sbom = changed_json(
        random, runtime_bom(subject, Inventory({}, (), (), ())).data.decode(), most=random.choice((0, 1))
    )
    return {"release.json": record, names[0]: sdist, names[1]: wheel, "demo.cdx.json": sbom, **layout}


def _described(data: bytes) -> dict[str, Any]:
    kind = "application/vnd.oci.image.config.v1+json"
    return {"mediaType": kind, "digest": str(Digest.of(data)), "size": len(data)}


def _read_dist(files: dict[str, bytes]) -> object:
    with scratch_folder() as folder:
        for name, data in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        built = BuiltRelease.read(folder)
        assert isinstance(built.layout, Layout)
        return built.bytes_to_push, json.dumps(built.to_json())


PARSERS = {
    "JSON": Parser(
        ("json_text.read_json", "manifest.canonical_json"),
        lambda random: changed_json(random, _PLAN, most=6),
        _read_json,
    ),
    "pins.json": Parser(("record.Pins.parse", *_PARTS), lambda random: changed_json(random, _PINS), _read_pins),
    "release.json": Parser(
        (
            *("record.ReleaseRecord.parse", "record_json.seconds_of", "record_json.count_of"),
            *("record_json.texts_of", "materials.Materials.parse"),
        ),
        lambda random: changed_json(random, _RECORD),
        _read_record,
    ),
    "plan.json": Parser(("plan.Plan.parse", "plan.Plan.read"), lambda random: changed_json(random, _PLAN), _read_plan),
    "planned image": Parser(("planned_image.PlannedImage.parse",), _planned, _read_planned),
    "dist": Parser(("built.BuiltRelease.read", "plain_file.read_plain"), _dist, _read_dist),
}
