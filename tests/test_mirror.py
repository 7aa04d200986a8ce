"""``operators.load(registry=…)``: the operators of an installation with their images on a mirror."""

from __future__ import annotations

from pathlib import Path

import pytest
from installation import (
    EXACT_PIN,
    OPERATORS,
    REPOSITORY,
    TAG_PIN,
    YAML,
    Installation,
    as_checkout,
    install,
    install_code,
)

from kfp_release.package_files._operators.catalog import Catalog, Pins
from kfp_release.package_files._operators.image_name import Registry
from kfp_release.package_files._operators.mirror import rehomed_component

MIRROR = "mirror.example:5000/cache"
HOST, _, PATH = EXACT_PIN.partition("/")
PRELUDE = (
    "import copy, pickle, sys\n"
    "from kubeflow_demo_components import operators\n"
    f"production = operators.load(registry={MIRROR!r})\n"
    "def image(operator): return operator.component_spec.implementation.container.image\n"
)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return install(tmp_path_factory.mktemp("released"), EXACT_PIN)


def said(installation: Installation, code: str) -> list[str]:
    done = installation.python("-W", "error::UserWarning:__main__", "-c", PRELUDE + code)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_operators_are_made_when_they_are_asked_for(released: Installation) -> None:
    code = "dir(production), repr(production); print({'kfp', 'yaml'} & sys.modules.keys(), dir(production))"
    assert said(released, code) == [f"set() {OPERATORS}"]


def test_operators_have_their_image_on_the_mirror_and_keep_it(released: Installation) -> None:
    code = (
        "one = production.multiply_op\n"
        "print(one is production.multiply_op, image(one))\n"
        "print(image(copy.deepcopy(one)), image(pickle.loads(pickle.dumps(one))))\n"
        "print(image(copy.copy(production).multiply_op), image(pickle.loads(pickle.dumps(production)).make_table_op))\n"
        "print(image(operators.multiply_op), image(operators.load(registry='b.example').multiply_op))\n"
        "print(production)\n"
    )
    there = f"{MIRROR}/{PATH}"
    assert said(released, code) == [
        f"True {there}",
        f"{there} {there}",
        f"{there} {there}",
        f"{EXACT_PIN} b.example/{PATH}",
        f"<the operators of kubeflow-demo-components on {MIRROR}>",
    ]


def test_a_pipeline_is_the_same_but_for_the_images(released: Installation) -> None:
    code = (
        "from kfp import compiler, dsl\n"
        "for given, name in ((operators, 'home'), (production, 'there')):\n"
        "    @dsl.pipeline(name='tried')\n"
        "    def tried(a: float = 1.0):\n"
        "        given.multiply_op(a, given.multiply_op(a=a, b=2).output)\n"
        "        given.split_table_op(table=given.make_table_op(rows=1).output)\n"
        "    compiler.Compiler().compile(tried, f'{name}.yaml')\n"
    )
    said(released, code)
    home, there = ((released.folder / f"{name}.yaml").read_text(encoding="utf-8") for name in ("home", "there"))
    assert there == home.replace(HOST, MIRROR)
    assert there.count(f"image: {MIRROR}/") == 4


def test_a_name_that_is_none_is_told_as_by_the_module(released: Installation) -> None:
    code = (
        "for given in (operators, production):\n"
        "    try: given.multiply\n"
        "    except AttributeError as error: print(error)\n"
        "print(hasattr(production, '__wrapped__'), hasattr(production, '__fspath__'))\n"
    )
    told = "no operator 'multiply'; did you mean 'multiply_op'?"
    assert said(released, code) == [told, told, "False False"]


@pytest.mark.parametrize(
    ("registry", "message"),
    [
        ("https://mirror.example", "'https://mirror.example' is not a registry: write HOST or HOST/PREFIX"),
        ("", "'' is not a registry"),
        ("nodots", "'nodots' is not a registry"),
        (None, "registry is None, and must be a text: HOST or HOST/PREFIX"),
        (f"mirror.example/{'a' * 230}", "255 at most"),
    ],
)
def test_what_is_no_registry_is_a_value_error_at_once(
    released: Installation, registry: str | None, message: str
) -> None:
    code = f"try: operators.load(registry={registry!r})\nexcept ValueError as error: print(error)"
    (told,) = said(released, code)
    assert message in told


@pytest.mark.parametrize("pinned", [True, False])
def test_an_unpinned_package_warns_as_the_module_does(tmp_path: Path, *, pinned: bool) -> None:
    if pinned:
        installation, image = install(tmp_path, TAG_PIN), TAG_PIN
    else:
        installation, image = install_code(tmp_path), REPOSITORY
        as_checkout(installation, YAML)
    program = tmp_path / "program.py"
    program.write_text(f"{PRELUDE}print(image(production.multiply_op))\nproduction.make_table_op\n", encoding="utf-8")
    done = installation.python(program)
    assert done.stdout == f"{MIRROR}/{image.partition('/')[2]}\n"
    assert done.stderr.count("UnpinnedWarning") == 1
    assert done.stderr.startswith(f"{program}:5: UnpinnedWarning: ")


FOREIGN = f"ghcr.io/other/tool:3@sha256:{'f' * 64}"
COMPILED = f"""\
components: {{comp-a: {{executorLabel: exec-a}}}}
deploymentSpec:
  executors:
    exec-a: {{container: {{image: "{EXACT_PIN}", command: [run, "{EXACT_PIN}"]}}}} # {EXACT_PIN}
    exec-b: {{container: {{image: '{FOREIGN}'}}}}
    exec-c: {{container: {{image: {EXACT_PIN}}}}}
pipelineInfo: {{name: a}}
root: {{dag: {{tasks: {{a: {{componentRef: {{name: comp-a}}}}}}}}}}
"""


def catalog_of(folder: Path, text: str) -> Catalog:
    (folder / "made.yaml").write_bytes(text.encode())
    pins = Pins("parts", "1.2", "", {"demo": EXACT_PIN}, {"made_op": [EXACT_PIN, FOREIGN]})
    return Catalog.of(folder, distribution="parts", pins=pins)


def test_of_a_component_file_the_images_of_the_package_change_alone(tmp_path: Path) -> None:
    text = rehomed_component(catalog_of(tmp_path, COMPILED), "made_op", Registry.parse(MIRROR))
    moved = f"{MIRROR}/{PATH}"
    wanted = COMPILED.replace(f'image: "{EXACT_PIN}"', f'image: "{moved}"').replace(
        f"image: {EXACT_PIN}", f"image: {moved}"
    )
    assert text == wanted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            COMPILED.replace(f"image: {EXACT_PIN}", "image: *a").replace('"5', '&a "5', 1),
            "repeats an image by an alias",
        ),
        ("a: b", "is no component YAML"),
        ("a: [", "is not YAML"),
    ],
)
def test_a_component_file_that_cannot_be_changed_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"the definition of made_op {message}"):
        rehomed_component(catalog_of(tmp_path, text), "made_op", Registry.parse(MIRROR))
