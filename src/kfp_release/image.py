"""An image is a runtime and a package layer. Pure functions put them together and take them apart again.

A runtime has one normal form, so that it comes back from any image made of it with the same bytes: what an image adds
is written down in the annotations of its manifest, and nothing of that kind is left in a runtime.
Source: OCI image-spec 1.1, manifest.md, config.md, annotations.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from kfp_release.layer import PACKAGE_BIN, PACKAGE_LIB, Layer
from kfp_release.manifest import OCI_LAYER_GZIP, BadImage, Descriptor, ImageConfig, Manifest

LABEL_VERSION: Final = "org.opencontainers.image.version"
LABEL_REVISION: Final = "org.opencontainers.image.revision"
LABEL_SOURCE: Final = "org.opencontainers.image.source"
LABEL_RUNTIME_KEY: Final = "kfp-release.runtime-key"

RUNTIME_EPOCH: Final = 315532800
"""When every runtime was made: 1980-01-01T00:00:00Z, in seconds since 1970."""
DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What container engines set where an image has no PATH."""

_NOT_THE_RUNTIMES = re.compile(
    r"io\.buildah\..*|kfp-release\..*|org\.opencontainers\.image\.(?:version|revision|source|created|base\..*)"
)
"""Labels of the engine, of the base image's own release, and of the release to come."""
_NUMERIC_USER = re.compile(r"0*[1-9][0-9]{0,9}(?::[0-9]{1,10})?", re.ASCII)
_TOP_KEYS = ("architecture", "os", "os.version", "os.features", "variant", "author")
_RUN_KEYS = ("User", "ExposedPorts", "Cmd", "Volumes", "WorkingDir", "StopSignal")
_GZIP_LAYERS = {OCI_LAYER_GZIP, "application/vnd.docker.image.rootfs.diff.tar.gzip"}
_EXTENDED = {"PATH": PACKAGE_BIN, "PYTHONPATH": PACKAGE_LIB}


@dataclass(frozen=True, slots=True)
class Image:
    """The manifest and the config of one image, which belong together. Its layers stay where they are."""

    manifest: Manifest
    config: ImageConfig

    def __post_init__(self) -> None:
        named, real = self.manifest.config, self.config.descriptor
        if (named.digest, named.size) != (real.digest, real.size):
            raise BadImage(
                f"the manifest names the config {named.digest} of {named.size} bytes, and it is {real.digest} "
                f"of {real.size}"
            )
        layers, diff_ids = len(self.manifest.layers), len(self.config.diff_ids)
        if layers != diff_ids:
            raise BadImage(f"the manifest has {layers} layers, and the config {diff_ids} diff_ids")


def normal_runtime(image: Image) -> Image:
    """`image`, as an engine made it, in the one form that a runtime has. A runtime in this form stays what it is.

    It holds the layers and the settings, and nothing of the engine, the base's name or the clock.
    Raise `BadImage` for an image that no component can run on a cluster: with an ENTRYPOINT, without a numeric user.
    """
    value = image.config.value
    environment = {"PATH": "", **image.config.environment}
    environment["PATH"] = environment["PATH"] or DEFAULT_PATH
    if environment.get("PYTHONPATH") == "":
        del environment["PYTHONPATH"]
    run = value.get("config") or {}
    _refuse_unfit(run)
    layers = tuple(_normal_layer(layer) for layer in image.manifest.layers)
    normal_run = {key: run[key] for key in _RUN_KEYS if run.get(key)}
    normal_run["Env"] = _entries(environment)
    labels = {name: text for name, text in image.config.labels.items() if not _NOT_THE_RUNTIMES.fullmatch(name)}
    if labels:
        normal_run["Labels"] = labels
    normal = {key: value[key] for key in _TOP_KEYS if value.get(key)}
    normal |= {
        "created": _time(RUNTIME_EPOCH),
        "config": normal_run,
        "rootfs": {"type": "layers", "diff_ids": [str(item) for item in image.config.diff_ids]},
    }
    if history := _normal_history(value.get("history"), len(layers)):
        normal["history"] = history
    return _image(normal, layers, {})


def with_package(runtime: Image, layer: Layer, *, labels: Mapping[str, str], created: int) -> Image:
    """`runtime` with the package layer on top, put in front on its PATH and PYTHONPATH.

    `labels` go into the config, and into the manifest's annotations, where they can be read without the config.
    `created` is in seconds since 1970. Raise `BadImage` unless `runtime` is in its normal form.
    """
    if normal_runtime(runtime) != runtime:
        raise BadImage(
            f"the runtime {runtime.manifest.digest} is not one that kfp-release made",
            remedy="remove that tag from ECR, and run kfp-release runtime",
        )
    if taken := runtime.config.labels.keys() & labels.keys():
        raise BadImage(
            f"the runtime has the label {min(taken)!r}, which the image of a release gets",
            remedy="remove that LABEL from the Dockerfile",
        )
    return _extended(runtime, layer.descriptor, str(layer.diff_id), labels=labels, created=_time(created))


def without_package(image: Image) -> Image:
    """The runtime that `image` was made of, to the byte. Raise `BadImage` where `with_package` did not make it."""
    value = image.config.value
    if not image.manifest.layers:
        raise BadImage(f"image {image.manifest.digest} has no package layer")
    labels = {name: text for name, text in image.config.labels.items() if name not in image.manifest.annotations}
    run = {**(value.get("config") or {}), "Env": _entries(_shortened(image.config.environment)), "Labels": labels}
    if not labels:
        del run["Labels"]
    rootfs = {**value["rootfs"], "diff_ids": value["rootfs"]["diff_ids"][:-1]}
    runtime_value = {**value, "created": _time(RUNTIME_EPOCH), "config": run, "rootfs": rootfs}
    if isinstance(history := value.get("history"), list):
        runtime_value["history"] = history[:-1]
    runtime = _image(runtime_value, image.manifest.layers[:-1], {})
    again = _extended(
        runtime,
        image.manifest.layers[-1],
        str(image.config.diff_ids[-1]),
        labels=image.manifest.annotations,
        created=str(value.get("created")),
    )
    if again != image or normal_runtime(runtime) != runtime:
        raise BadImage(f"image {image.manifest.digest} is not one that kfp-release made")
    return runtime


def _extended(runtime: Image, layer: Descriptor, diff_id: str, *, labels: Mapping[str, str], created: str) -> Image:
    value = runtime.config.value
    environment = dict(runtime.config.environment)
    for name, front in _EXTENDED.items():
        rest = environment.get(name)
        environment[name] = f"{front}:{rest}" if rest else front
    run = {**value["config"], "Env": _entries(environment), "Labels": {**runtime.config.labels, **labels}}
    rootfs = {**value["rootfs"], "diff_ids": [*value["rootfs"]["diff_ids"], diff_id]}
    extended = {**value, "created": created, "config": run, "rootfs": rootfs}
    if isinstance(history := value.get("history"), list) and history:
        extended["history"] = [*history, {"created": created, "created_by": "kfp-release: the package"}]
    return _image(extended, (*runtime.manifest.layers, layer), labels)


def _image(value: Mapping[str, Any], layers: tuple[Descriptor, ...], annotations: Mapping[str, str]) -> Image:
    config = ImageConfig.of(value)
    return Image(Manifest.of(config.descriptor, layers, annotations), config)


def _entries(environment: Mapping[str, str]) -> list[str]:
    return [f"{name}={text}" for name, text in environment.items()]


def _shortened(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` without what `_extended` put in front."""
    shorter = dict(environment)
    for name, front in _EXTENDED.items():
        shorter[name] = shorter.get(name, "").removeprefix(front).removeprefix(":")
        if not shorter[name]:
            del shorter[name]
    return shorter


def _refuse_unfit(run: Mapping[str, Any]) -> None:
    if entrypoint := run.get("Entrypoint"):
        raise BadImage(
            f"the runtime has the ENTRYPOINT {str(entrypoint)[:120]}, and a component's command must be all that runs",
            remedy="remove it from the Dockerfile, or write ENTRYPOINT [] where the base image has it",
        )
    user = str(run.get("User") or "")
    if not _NUMERIC_USER.fullmatch(user):
        raise BadImage(
            f"the runtime's USER is {user[:80]!r}, and a cluster with runAsNonRoot takes a number above 0 alone",
            remedy="end the Dockerfile with USER 65532:65532",
        )


def _normal_layer(layer: Descriptor) -> Descriptor:
    if layer.media_type not in _GZIP_LAYERS:
        raise BadImage(f"layer {layer.digest} is {layer.media_type[:120]!r}, and not a tar in gzip")
    return replace(layer, media_type=OCI_LAYER_GZIP)


def _normal_history(history: Any, layers: int) -> list[dict[str, Any]]:
    """What was done, without when, by whom and from which registry; nothing where it is not of these layers."""
    if not isinstance(history, list) or not all(isinstance(item, dict) for item in history):
        return []
    normal = [
        {"created": _time(RUNTIME_EPOCH)} | {key: item[key] for key in ("created_by", "empty_layer") if item.get(key)}
        for item in history
    ]
    return normal if sum("empty_layer" not in item for item in normal) == layers else []


def _time(seconds: int) -> str:
    """RFC 3339, section 5.6."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
