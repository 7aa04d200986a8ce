"""A catalog to look at: this repository's components with versions that are made up."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from packaging.version import Version

from kfp_release.catalog.history import previous_version
from kfp_release.catalog.image_model import CatalogEvidence, CatalogImage, CatalogLayer, LayerKind
from kfp_release.catalog.model import (
    Catalog,
    CatalogComponent,
    CatalogEvent,
    CatalogFile,
    CatalogInput,
    CatalogOutput,
    CatalogVersion,
    EventKind,
)
from kfp_release.catalog.snippet import Snippets
from kfp_release.component import ComponentFile
from kfp_release.digest import Digest
from kfp_release.input_default import read_default
from kfp_release.interface import Port
from kfp_release.interface_change import ChangeKind, InterfaceChange
from kfp_release.port_changes import inputs_of
from kfp_release.status_row import State
from kfp_release.version import ReleaseVersion
from kfp_release.version_bump import needed_bump

PROJECT = Path(__file__).resolve().parent.parent
SOURCE = "https://github.com/kubeflow-demo/components"
INDEX = "https://pypi.data-science.example/simple/"
DISTRIBUTION = "kubeflow-demo-components"
PACKAGE = "kubeflow_demo_components"
DAY = 24 * 3600
BEGIN = 1_735_891_200
"""3 January 2025."""


def version(text: str) -> ReleaseVersion:
    return ReleaseVersion(Version(text))


def digest(text: str) -> Digest:
    return Digest.of(text.encode())


@cache
def files() -> tuple[ComponentFile, ...]:
    """The component files of this repository."""
    return tuple(
        ComponentFile.parse(f"yaml/{path.name}", path.read_bytes())
        for path in sorted((PROJECT / "yaml").glob("*.yaml"))
    )


def component(file: ComponentFile, *, at: str = "2.0", history: tuple[CatalogEvent, ...] = ()) -> CatalogComponent:
    """As the catalog tells of it."""
    inputs = tuple(taken(name, port) for name, port in inputs_of(file).items())
    outputs = tuple(
        CatalogOutput(port.name, port.kfp_name, port.plain_type, port.is_artifact, port.description, takers(port))
        for port in file.outputs
    )
    title = file.root.text("name") or file.stem.replace("_", " ").capitalize()
    image = "demo" if "/demo" in file.text else "training"
    pin = f"533211398604.dkr.ecr.eu-north-1.amazonaws.com/data-science-kubeflow/{image}:{at}@{digest(image + at)}"
    return CatalogComponent(
        operator=file.operator,
        title=title,
        description=file.description,
        file=file.name,
        image=image,
        pins=(pin,),
        inputs=inputs,
        outputs=outputs,
        is_keyword_only=file.kind == "ir",
        snippet=snippets().of(file.operator),
        version=version(at),
        is_gone=False,
        history=history,
    )


def taken(name: str, port: Port) -> CatalogInput:
    default = repr(read_default(port)) if port.default is not None else ""
    return CatalogInput(
        name=port.name,
        parameter=name,
        type=port.plain_type,
        is_artifact=port.is_artifact,
        is_required=not port.is_optional,
        default=default,
        description=port.description,
    )


def takers(output: Port) -> tuple[tuple[str, str], ...]:
    return tuple(
        (file.operator, name)
        for file in files()
        for name, port in inputs_of(file).items()
        if port.plain_type == output.plain_type
    )


@cache
def snippets() -> Snippets:
    return Snippets(PACKAGE, files())


def change(operator: str, kind: ChangeKind, port: str = "", before: str = "", after: str = "") -> InterfaceChange:
    path = f"yaml/{operator.removesuffix('_op')}.yaml"
    return InterfaceChange(operator, kind, port, before, after, path, 3)


_CHANGES: dict[str, tuple[InterfaceChange, ...]] = {
    "1.0": (),
    "1.1": (
        change(
            "drop_missing_op",
            ChangeKind.OPERATOR_ADDED,
            after='(table: Dataset, columns: String = "") → complete: Dataset',
        ),
        change("describe_table_op", ChangeKind.OUTPUT_ADDED, "mean", after="Float"),
    ),
    "1.2": (change("load_table_op", ChangeKind.DEFAULT_CHANGED, "timeout", "300", "600"),),
    "1.3": (),
    "2.0rc1": (),
    "2.0": (
        change("multiply_op", ChangeKind.INPUT_RETYPED, "a", "Integer", "Float"),
        change("multiply_op", ChangeKind.INPUT_RETYPED, "b", "Integer", "Float"),
        change("multiply_op", ChangeKind.OUTPUT_RETYPED, "product", "Integer", "Float"),
        change("make_rows_op", ChangeKind.OPERATOR_RENAMED, before="make_rows_op", after="make_table_op"),
        change("train_model_op", ChangeKind.INPUT_ADDED, "seed", after="Integer = 0"),
    ),
    "2.1rc1": (change("report_model_op", ChangeKind.INPUT_ADDED, "title", after='String = "Model report"'),),
}
_STATES = {
    "1.0": State.IN_ORDER,
    "1.1": State.ABANDONED,
    "1.2": State.DRIFT,
    "1.3": State.WITHDRAWN,
    "2.0rc1": State.IN_ORDER,
    "2.0": State.IN_ORDER,
    "2.1rc1": State.INCOMPLETE,
}
_OUT = set(State) - {State.ABANDONED, State.NOT_RELEASED}
CHANGELOG = """\
### Added

- `{}` makes a table with the same values for the same seed, so that a [pipeline](docs/pipelines.md) can be compared.
- A second image, **training**, with scikit-learn; see [its documentation](https://scikit-learn.org/stable/).

### Changed

- **Breaking:** `multiply_op` takes and gives `Float`. A pipeline that gave `Integer` writes:

  ```python
  operators.multiply_op(a=2.0, b=3.0)
  ```

| image | was | is |
|---|---|---|
| demo | 61 MB | 58 MB |

### Fixed

- The seed counts on every platform.
"""


def images(text: str, number: int, *, names: tuple[str, ...] = ("demo", "training")) -> tuple[CatalogImage, ...]:
    """Those of one version: the dependencies are new in every third, the base in every twelfth."""
    return tuple(
        CatalogImage(
            name=name,
            repository=f"533211398604.dkr.ecr.eu-north-1.amazonaws.com/data-science-kubeflow/{name}",
            tag=text.replace("+", "-"),
            digest=digest(name + text),
            runtime_key=digest(f"{name}{number // 3}").hex[:16],
            platform="linux/amd64",
            layers=(
                CatalogLayer(
                    LayerKind.BASE, digest(f"b{number // 12}"), 28_230_000 + 90_000 * (number // 12), number % 12 == 0
                ),
                CatalogLayer(LayerKind.BASE, digest(f"c{number // 12}"), 3_510_000, number % 12 == 0),
                CatalogLayer(LayerKind.BASE, digest(f"d{number // 12}"), 12_800_000, number % 12 == 0),
                CatalogLayer(
                    LayerKind.DEPENDENCIES,
                    digest(f"e{name}{number // 3}"),
                    (14_600_000 if name == "demo" else 118_000_000) + 400_000 * (number // 3),
                    number % 3 == 0,
                ),
                CatalogLayer(LayerKind.PACKAGE, digest(f"package{number}"), 38_200 + 310 * number, is_new=True),
            ),
            sbom=CatalogEvidence(digest(f"s{name}{number}"), 81_200, "214 components"),
            provenance=CatalogEvidence(
                digest(f"p{name}{number}"), 6_310, f"says to be signed by {digest('key').hex[:16]}"
            ),
            scan="2 medium, 11 low" if name == "demo" else "none found",
        )
        for name in names
    )


def release(text: str, number: int, operators: tuple[str, ...]) -> CatalogVersion:
    """One of the versions that are made up."""
    state, changes = _STATES[text], _CHANGES[text]
    previous = previous_version(version(text), [version(each) for each, one in _STATES.items() if one in _OUT])
    wheel = f"kubeflow_demo_components-{text}"
    is_bad = state in {State.DRIFT, State.INCOMPLETE, State.ABANDONED}
    both = (
        CatalogFile(
            DISTRIBUTION, f"{wheel}-py3-none-any.whl", digest(f"w{text}").hex, 61_420, state is State.WITHDRAWN
        ),
        CatalogFile(DISTRIBUTION, f"{wheel}.tar.gz", digest(f"t{text}").hex, 48_030),
    )
    return CatalogVersion(
        version=version(text),
        commit=digest(f"commit{text}").hex[:40],
        released=BEGIN + number * 43 * DAY + 41_000,
        state=state,
        withdrawn_by="main" if state is State.WITHDRAWN else "",
        findings=_findings(text) if is_bad else (),
        remedies=("kfp-release reconcile",) if is_bad and state is not State.DRIFT else (_REMEDY,) if is_bad else (),
        changelog=CHANGELOG.format("make_table_op") if text != "1.3" else "",
        images=images(text, number),
        files=both if state is not State.ABANDONED else (),
        components=operators,
        previous=previous,
        changes=changes,
        bump=needed_bump(
            previous,
            is_changed=bool(changes),
            is_breaking=any(one.is_breaking for one in changes),
        ),
    )


_REMEDY = (
    "see what changed (kfp-release verify 1.2 looks closer); what is public is never overwritten: withdraw the version "
    "in CHANGELOG.md, and release the next"
)


def _findings(text: str) -> tuple[str, ...]:
    if _STATES[text] is State.DRIFT:
        return (
            f"image demo: tag {text} leads to {digest('other')}, and the wheel pins {digest('demo' + text)}",
            f"file kubeflow_demo_components-{text}.tar.gz: its sha256 is not the one of release.json",
        )
    return (f"wheel kubeflow_demo_components-{text}-py3-none-any.whl is not on the index",)


def ordinary() -> Catalog:
    """Ten components, seven versions, one in each state; one component is gone, one is coming."""
    operators = tuple(file.operator for file in files())
    versions = [release(text, number, operators) for number, text in enumerate(_CHANGES)]
    came = CatalogEvent(version("1.0"), EventKind.CAME)
    components = [component(file, history=(*_events(file.operator), came)) for file in files()]
    gone = replace(
        components[0],
        operator="make_rows_op",
        title="Make rows",
        description="Rows of random numbers. Make table takes its place.",
        version=version("1.3"),
        is_gone=True,
        history=(CatalogEvent(version("2.0"), EventKind.WENT, (_CHANGES["2.0"][3],)), came),
    )
    coming = replace(
        components[1],
        operator="plot_table_op",
        title="Plot table",
        description="A chart of two columns of a table.",
        version=version("2.1rc1"),
        is_coming=True,
        history=(CatalogEvent(version("2.1rc1"), EventKind.CAME),),
    )
    return Catalog(
        distribution=DISTRIBUTION,
        package=PACKAGE,
        source=SOURCE,
        pip=f"pip install --index-url {INDEX}",
        versions=tuple(reversed(versions)),
        components=(*components, coming, gone),
    )


def _events(operator: str) -> tuple[CatalogEvent, ...]:
    found = [
        CatalogEvent(version(text), EventKind.CHANGED, mine)
        for text, changes in _CHANGES.items()
        if (mine := tuple(one for one in changes if one.operator == operator))
    ]
    return tuple(reversed(found))
