"""Component files for tests of interfaces: v1 and compiled, in a few words."""

from __future__ import annotations

from kfp_release.interface_diff import InterfaceDiff, InterfaceFiles, compare
from kfp_release.version import ReleaseVersion

IMAGE = "533211398604.dkr.ecr.eu-north-1.amazonaws.com/team/demo"
INPUTS = ("name: rate, type: Float", "name: data, type: Dataset", "name: seed, type: Integer, default: '0'")
OUTPUTS = ("name: model, type: Model", "name: loss, type: Float")


def v1(
    inputs: tuple[str, ...] = INPUTS,
    outputs: tuple[str, ...] = OUTPUTS,
    *,
    image: str = IMAGE,
    program: str = "train",
    about: str = "Trains.",
) -> bytes:
    """A v1 component; each of its ports as it stands between the braces of a YAML mapping."""
    ports = [f"{section}:\n" + "".join(f"- {{{port}}}\n" for port in items) for section, items in _of(inputs, outputs)]
    head = f"name: Train\ndescription: {about}\n"
    body = f"implementation:\n  container:\n    image: {image}\n    command: [{program}]\n"
    return (head + "".join(ports) + body).encode()


def _of(inputs: tuple[str, ...], outputs: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    return [(section, items) for section, items in (("inputs", inputs), ("outputs", outputs)) if items]


def files(name: str, contents: dict[str, bytes], version: str | None = None) -> InterfaceFiles:
    """One side, of files in yaml/."""
    released = None if version is None else ReleaseVersion.parse(version)
    paths = {f"yaml/{file}": data for file, data in contents.items()}
    return InterfaceFiles(name, paths, released, prefix=f"{name}:")


def diff(old: bytes, new: bytes, *, descriptions: bool = False) -> InterfaceDiff:
    """From one file of the component train to another."""
    sides = files("1.0", {"train.yaml": old}, "1.0"), files("here", {"train.yaml": new})
    return compare(*sides, descriptions=descriptions).require_parsed()


def told(found: InterfaceDiff) -> list[str]:
    """Each change in a line: a ``!`` for what breaks, then what, before and after."""
    return [
        f"{'! ' if change.is_breaking else ''}{change.what} [{change.before} > {change.after}]"
        for change in found.changes
    ]
