"""Component and pipeline files of many forms, each with the places of the images that a release pins."""

# No `from __future__ import annotations`: kfp reads the functions' annotations as they are, and Optional alone.
# ruff: noqa: ARG001, D417, UP045 - interfaces, of which only a part is used

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, Optional

import yaml
from kfp import compiler, dsl

HERE = Path(__file__).parent / "corpus"
OWNED, OTHER = "ghcr.io/team/demo", "ghcr.io/team/training"
"""The repositories that a release pins. Both also stand where no image belongs."""
PINS = {OWNED: f"{OWNED}:1.0@sha256:{'a' * 64}", OTHER: f"{OTHER}:1.0@sha256:{'b' * 64}"}
FOREIGN = f"quay.io/other/tool:3@sha256:{'f' * 64}"
FIRST, SECOND = "registry.example/corpus/image", "registry.example/corpus/other"
"""What stands in a case in the places of images, until they are filled."""


class Case(NamedTuple):
    """One file. `before` and `after` have what stands in place of `FIRST`; in place of `SECOND` it is `OTHER`'s."""

    name: str
    text: str
    before: str = OWNED
    after: str = PINS[OWNED]

    @property
    def data(self) -> bytes:
        """The file."""
        return self.text.replace(FIRST, self.before).replace(SECOND, OTHER).encode()

    @property
    def pinned(self) -> bytes:
        """What it must be once it is pinned."""
        return self.text.replace(FIRST, self.after).replace(SECOND, PINS[OTHER]).encode()


@cache
def cases() -> tuple[Case, ...]:
    """All of them; their names are distinct."""
    found = list(_by_hand())
    found += _v1_types()
    found += _v1_placeholders()
    found += _odd_images()
    found += _compiled()
    assert {case.name for case in found} >= set(_REWRITTEN)
    found += [
        case._replace(name=f"{case.name}, {how}", text=rewritten)
        for case in tuple(found)
        for how, rewrite in _REWRITES.items()
        if case.name in _REWRITTEN or (case.name.startswith("compiled") and how in _OF_ALL)
        if (rewritten := rewrite(case.text)) != case.text
    ]
    assert len({case.name for case in found}) == len(found)
    return tuple(found)


def _by_hand() -> Iterator[Case]:
    for path in sorted(HERE.glob("*.yaml")):
        yield Case(path.stem, path.read_text(encoding="utf-8"))


# v1, one by one

_PARAMETERS = {
    "String": "a: b",
    "Text": "''",
    "Integer": "'3'",
    "Int": "-1",
    "Float": "'0.1'",
    "Double": "1.0e-3",
    "Boolean": "'True'",
    "Bool": "'false'",
    "List": "'[1, \"a\"]'",
    "JsonArray": "'[]'",
    "Dict": '\'{"a": {"b": [1.5]}}\'',
    "JsonObject": "'{}'",
}
_ARTIFACTS = (
    *("Artifact", "Dataset", "Model", "Metrics", "ClassificationMetrics", "SlicedClassificationMetrics"),
    *("HTML", "Markdown", "google.VertexModel"),
)


def _v1_types() -> Iterator[Case]:
    for type_, default in _PARAMETERS.items():
        shown = f"'{default}'" if ": " in default and default[0] != "'" else default
        yield Case(
            f"parameter {type_}",
            f"""\
name: Of {type_}
inputs:
- {{name: a, type: {type_}, description: required}}
- {{name: b, type: {type_}, default: {shown}}}
- {{name: c, type: {type_}, optional: true}}
outputs: [{{name: d, type: {type_}}}]
implementation:
  container:
    image: {FIRST}
    command: [of, --a, {{inputValue: a}}, --b, {{inputValue: b}}, --d, {{outputPath: d}}]
""",
        )
    for type_ in _ARTIFACTS:
        yield Case(
            f"artifact {type_}",
            f"""\
name: Of {type_}
inputs: [{{name: a, type: {type_}}}]
outputs: [{{name: d, type: {type_}}}]
implementation:
  container:
    image: "{FIRST}"
    args: [--a, {{inputPath: a}}, --uri, {{inputUri: a}}, --d, {{outputPath: d}}, --to, {{outputUri: d}}, '{{{{$}}}}']
    command: [of]
""",
        )


_WORDS = {
    "executorInput": "[{executorInput: null}]",
    "concat": "[{concat: [--a=, {inputValue: a}, /x]}]",
    "if": "[{if: {cond: {isPresent: b}, then: [--b, {inputValue: b}], else: [--no-b, ghcr.io/team/demo]}}]",
    "a flag with an equals sign": "['--a={{$.inputs.parameters[''a'']}}', --]",
    "the executor input in a text": "['{{$}}', '--image=ghcr.io/team/demo']",
    "no words": "[]",
}


def _v1_placeholders() -> Iterator[Case]:
    for name, words in _WORDS.items():
        yield Case(
            f"placeholder {name}",
            f"""\
name: Words
inputs:
- {{name: a, type: String}}
- {{name: b, type: String, optional: true}}
implementation: {{container: {{args: {words}, image: '{FIRST}', command: [words]}}}}
""",
        )
    yield Case(
        "fileOutputs and env",
        f"""\
name: Old
outputs:
- {{name: a, type: String}}
implementation:
  container:
    fileOutputs: {{a: /tmp/{OWNED}}}
    env:
      IMAGE: {OWNED}
    image: {FIRST}
    command: [old]
""",
    )


def _odd_images() -> Iterator[Case]:
    """Images that are written as something else than what they are, are pinned already, or are not ours."""
    simple = f"name: Odd\nimplementation: {{container: {{command: [odd], image: {FIRST} }}}}\n"
    double, single = simple.replace(FIRST, f'"{FIRST}"'), simple.replace(FIRST, f"'{FIRST}'")
    yield Case("an escaped image", double, before="ghcr.io\\x2fteam\\u002Fdemo")
    yield Case("a quoted image", single)
    yield Case("a pinned image", simple, before=PINS[OWNED])
    yield Case("a foreign image", simple, before=FOREIGN, after=FOREIGN)
    yield Case("a foreign image in quotes", double, before=FOREIGN, after=FOREIGN)
    yield Case("a foreign image of a longer name", simple, before=f"{OWNED}-cpu:1", after=f"{OWNED}-cpu:1")
    alias = f"name: &text {OWNED}\nimplementation:\n  container:\n    image: {FIRST}  # that\n    command: [odd]\n"
    yield Case("an alias of a text", alias, before="*text")


# Rewritten by programs and editors

_REWRITTEN = (
    *("anchor_is_the_image", "decoys", "escapes", "non_ascii", "parameter Dict", "placeholder if", "script"),
    *("compiled number", "compiled train", "compiled steps", "compiled limited", "platform"),
)
"""What is rewritten in every way."""


def _dumped(**options: Any) -> Callable[[str], str]:
    def dump(text: str) -> str:
        documents = list(yaml.safe_load_all(text))
        return str(yaml.safe_dump_all(documents, allow_unicode=True, sort_keys=False, **options))

    return dump


class _Quoted(yaml.SafeDumper):
    """Writes every text in double quotes, keys too."""


_Quoted.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def _in_quotes(text: str) -> str:
    return str(yaml.dump_all(list(yaml.safe_load_all(text)), Dumper=_Quoted, indent=7, width=60))


def _as_json(text: str) -> str:
    return "\n---\n".join(json.dumps(each, indent=1, ensure_ascii=False) for each in yaml.safe_load_all(text)) + "\n"


_OF_ALL = ("with both and no end", "in double quotes, indented by 7", "in flow style")
"""Of what kfp compiled, too; the others of a few, for time."""
_REWRITES: Mapping[str, Callable[[str], str]] = {
    "with CRLF": lambda text: text.replace("\n", "\r\n"),
    "with a byte order mark": lambda text: "\ufeff" + text,
    "with both and no end": lambda text: "\ufeff" + text.rstrip("\n").replace("\n", "\r\n"),
    "in double quotes, indented by 7": _in_quotes,
    "in flow style": _dumped(default_flow_style=True, explicit_start=True),
    "as JSON": _as_json,
    "with comments at the end": lambda text: text.rstrip("\n") + f"\n# image: {OWNED}\n  # {OWNED}\n",
}


# Compiled by kfp


def _spec(*args: Any, image: str = FIRST, command: str = "work") -> dsl.ContainerSpec:
    return dsl.ContainerSpec(image=image, command=[command], args=list(args))


@dsl.container_component  # type: ignore[untyped-decorator]  # kfp ships no types
def number(a: float, product: dsl.OutputPath(float), b: float = 2.0) -> dsl.ContainerSpec:  # type: ignore[valid-type]
    """The product, of ghcr.io/team/demo.

    image: ghcr.io/team/demo

    Args:
        a: image of ghcr.io/team/demo

    """
    return _spec("--a", a, "--b", b, "--product", product, "--image", OWNED)


@dsl.container_component  # type: ignore[untyped-decorator]  # kfp ships no types
def table(rows: int, made: dsl.Output[dsl.Dataset]) -> dsl.ContainerSpec:
    return _spec("--rows", rows, "--made", made.path, "{{$}}")


@dsl.container_component  # type: ignore[untyped-decorator]  # kfp ships no types
def train(data: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model], note: Optional[str] = None) -> dsl.ContainerSpec:
    words = dsl.IfPresentPlaceholder(input_name="note", then=["--note", note], else_=["--image", OWNED])
    return _spec("--data", data.path, "--uri", model.uri, words, "{{$}}", image=SECOND)


@dsl.container_component  # type: ignore[untyped-decorator]  # kfp ships no types
def merge(tables: dsl.Input[list[dsl.Dataset]], options: dict, sizes: list = [1, 2]) -> dsl.ContainerSpec:  # type: ignore[type-arg]  # noqa: B006
    return _spec(dsl.ConcatPlaceholder(["--options=", options]), "{{$.inputs.artifacts['tables']}}", "--sizes", sizes)


@dsl.container_component  # type: ignore[untyped-decorator]  # kfp ships no types
def tool(text: str = OWNED, fast: bool = False) -> dsl.ContainerSpec:  # noqa: FBT001, FBT002 - an input
    return _spec("--text", text, image=FOREIGN)


@dsl.container_component  # type: ignore[untyped-decorator]  # kfp ships no types
def report(status: dsl.PipelineTaskFinalStatus, note: str = "ä €") -> dsl.ContainerSpec:
    return _spec("{{$}}", note, "組件")


@dsl.container_component  # type: ignore[untyped-decorator]  # kfp ships no types
def bare() -> dsl.ContainerSpec:
    return dsl.ContainerSpec(image=FIRST)


def _pipeline(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    made: Callable[[Callable[..., Any]], Any] = dsl.pipeline(**options)
    return made


@_pipeline(name="steps", description=f"image: {OWNED}", display_name="Steps of ghcr.io/team/demo")
def steps(a: float = 1.0) -> float:
    first = number(a=a)
    second = number(a=first.outputs["product"], b=3.0).set_display_name(OWNED)
    second.set_env_variable("IMAGE", OWNED).set_caching_options(enable_caching=False).set_retry(2)
    second.set_cpu_limit("1").set_memory_limit("1G")
    return second.outputs["product"]  # type: ignore[no-any-return]


@_pipeline()
def both_images() -> dsl.Model:
    tool(text=OWNED)
    return train(data=table(rows=3).outputs["made"]).outputs["model"]


@_pipeline(name="Loops of Loops")
def loops(names: list = ["a", "b"]) -> None:  # type: ignore[type-arg]  # noqa: B006 - kfp's
    with dsl.ParallelFor(names, name="outer", parallelism=2) as name:
        tool(text=name)
        with dsl.ParallelFor([{"x": 1.0}, {"x": 2.0}]) as each:
            number(a=each.x)


@_pipeline()
def collected() -> None:
    with dsl.ParallelFor([1, 2, 3]) as rows:
        each = table(rows=rows)
    merge(tables=dsl.Collected(each.outputs["made"]), options={"image": OWNED})


@_pipeline()
def branches(text: str = OWNED) -> float:
    with dsl.If(text == OWNED, name=OWNED):
        one = number(a=1.0)
    with dsl.Elif(text == "b"):
        other = number(a=2.0)
    with dsl.Else():
        last = number(a=3.0)
    chosen = dsl.OneOf(one.outputs["product"], other.outputs["product"], last.outputs["product"])
    return number(a=chosen).outputs["product"]  # type: ignore[no-any-return]


@_pipeline()
def exits() -> None:
    with dsl.ExitHandler(exit_task=report(note="ß"), name="always"):
        tool(text=OWNED, fast=True)
        bare()


@_pipeline()
def nested(a: float = 4.0) -> float:
    both_images()
    inner = steps(a=a)
    with dsl.If(a > 3):
        loops()
    return steps(a=inner.output).output  # type: ignore[no-any-return]


@_pipeline()
def imported(uri: str = f"gs://{OWNED}") -> None:
    data = dsl.importer(artifact_uri=uri, artifact_class=dsl.Dataset, metadata={"image": OWNED}, reimport=True)
    train(data=data.output, note=OWNED)


@_pipeline(pipeline_config=dsl.PipelineConfig(ttl_seconds_after_success=60, active_deadline_seconds=900))
def limited() -> None:
    number(a=1.0)


@_pipeline(pipeline_config=dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="1Gi")))
def workspace() -> None:
    table(rows=1)
    number(a=1.0)


def many() -> Any:
    """A pipeline of sixty tasks."""

    def many() -> None:
        for count in range(60):
            number(a=float(count))

    return _pipeline(name="many")(many)


def lightweight() -> Any:
    """What `@dsl.component` makes on an image of ours: check refuses it, and it is read and pinned all the same."""

    def light(a: int = 1) -> str:
        """Gives ghcr.io/team/demo."""
        return f"image: ghcr.io/team/demo {a}"

    return dsl.component(light, base_image=FIRST, packages_to_install=["pandas"])


def _compiled() -> Iterator[Case]:
    whole = (steps, both_images, loops, collected, branches, exits, nested, imported, limited, workspace, many())
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for component in (number, table, train, merge, tool, report, bare, lightweight(), *whole):
            file = Path(folder, "compiled.yaml")
            compiler.Compiler().compile(component, str(file))
            yield Case(f"compiled {component.name}", file.read_text(encoding="utf-8"))
