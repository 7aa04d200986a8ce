"""Pipelines that kfp compiles with an installed package, of all that a pipeline can be made of."""

from __future__ import annotations

from pathlib import Path

from installation import DIGEST, REPOSITORY, Installation, install

from kfp_release.digest import Digest

FOREIGN = f"docker.io/library/alpine:3@sha256:{'a' * 64}"
OTHER_DIGEST = Digest.of(b"another image")
PROGRAM = f"""
from kfp import compiler, dsl
from kfp.compiler.compiler_utils import KubernetesManifestOptions
from kubeflow_demo_components import operators

IMAGE = operators.multiply_op.component_spec.implementation.container.image


@dsl.container_component
def own(a: float):
    return dsl.ContainerSpec(image=IMAGE, command=["other"], args=["--a", a])


@dsl.container_component
def foreign():
    return dsl.ContainerSpec(image="{FOREIGN}", command=["true"])


@dsl.container_component
def loose():
    return dsl.ContainerSpec(image="python:3.12", command=["true"])


@dsl.pipeline
def inner(a: float) -> float:
    first = operators.multiply_op(a=a, b=2)
    with dsl.If(first.output > 3):
        operators.multiply_op(a=first.output, b=2).set_display_name("told otherwise")
    return first.output


@dsl.pipeline(name="all-of-it")
def whole(a: float = 2.0, image: str = "any"):
    done = operators.make_table_op(rows=1)
    with dsl.ExitHandler(done):
        value = inner(a=a)
        inner(a=value.output)
        with dsl.ParallelFor([1.0, 2.0]) as item:
            operators.multiply_op(a=item, b=3).set_retry(2)
            own(a=item)
        table = dsl.importer("gs://a/b", dsl.Dataset)
        scaled = operators.scale_table_op(table=table.output, factor=2)
        scaled.set_env_variable("A", "b").set_memory_limit("1G")
        operators.describe_table_op(table=scaled.output)
        foreign()
        loose()
        operators.multiply_op(a=a, b=1).set_container_image(image)


@dsl.pipeline(name="small")
def small(a: float = 2.0) -> float:
    product = operators.multiply_op(a=a, b=2)
    table = operators.make_table_op(rows=2)
    operators.split_table_op(table=table.output)
    return product.output


compile = compiler.Compiler().compile
compile(whole, "whole.yaml")
compile(small, "small.yaml")
compile(small, "small.json")
compile(operators.multiply_op, "multiply.yaml")
manifests = dict(kubernetes_manifest_format=True, kubernetes_manifest_options=KubernetesManifestOptions())
compile(small, "manifests.yaml", **manifests)
"""
STATES = {
    "exit-handler-1/describe-table": ("describe_table_op", "pinned"),
    "exit-handler-1/for-loop-3/multiply": ("multiply_op", "pinned"),
    "exit-handler-1/for-loop-3/own": (None, "pinned"),
    "exit-handler-1/foreign": (None, "foreign"),
    "exit-handler-1/importer": (None, "no image"),
    "exit-handler-1/inner/condition-1/multiply-2": ("multiply_op", "pinned"),
    "exit-handler-1/inner/multiply": ("multiply_op", "pinned"),
    "exit-handler-1/inner-2/condition-1/multiply-2": ("multiply_op", "pinned"),
    "exit-handler-1/inner-2/multiply": ("multiply_op", "pinned"),
    "exit-handler-1/loose": (None, "unpinned"),
    "exit-handler-1/multiply-2": (None, "unpinned"),
    "exit-handler-1/scale-table": ("scale_table_op", "pinned"),
    "make-table": ("make_table_op", "pinned"),
}
"""Component and state of each task of the whole pipeline, by its path."""


def compiled_with(folder: Path, version: str, digest: Digest = DIGEST) -> Installation:
    """An installation of this version, whose folder has the pipelines."""
    installation = install(folder, f"{REPOSITORY}:{version}@{digest}", version)
    done = installation.python("-c", PROGRAM)
    assert done.returncode == 0, done.stderr
    return installation
