import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfp_release.digest import Digest
from kfp_release.image import (
    LABEL_REVISION,
    LABEL_RUNTIME_KEY,
    LABEL_SOURCE,
    LABEL_VERSION,
    Image,
    normal_runtime,
    with_package,
    without_package,
)
from kfp_release.layer import PACKAGE_BIN, PACKAGE_LIB, Layer
from kfp_release.manifest import (
    DOCKER_MANIFEST,
    OCI_LAYER_GZIP,
    OCI_MANIFEST,
    BadImage,
    Descriptor,
    ImageConfig,
    Manifest,
)

DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
COMMIT_TIME = 1_790_000_000
LABELS = {
    LABEL_VERSION: "1.2",
    LABEL_REVISION: "0123456789abcdef0123456789abcdef01234567",
    LABEL_SOURCE: "https://github.com/kubeflow-demo/components",
    LABEL_RUNTIME_KEY: "00112233445566778899aabbccddeeff",
}
PACKAGE = Layer(b"layer", Descriptor(OCI_LAYER_GZIP, Digest.of(b"layer"), 5), Digest.of(b"tar"))


def descriptor(content: bytes, media_type: str = OCI_LAYER_GZIP) -> Descriptor:
    return Descriptor(media_type, Digest.of(content), len(content))


def image(run: dict[str, Any], *, layers: tuple[Descriptor, ...] = (), **top: Any) -> Image:
    """An image as an engine makes it, with `run` as its settings."""
    layers = layers or (descriptor(b"base"), descriptor(b"app"))
    value = {
        "created": "2026-11-22T12:00:00Z",
        "architecture": "amd64",
        "os": "linux",
        "config": run,
        "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(bytes([i]))) for i in range(len(layers))]},
        **top,
    }
    config = ImageConfig.of(value)
    return Image(Manifest.of(config.descriptor, layers, {}), config)


def runtime(**run: Any) -> Image:
    return normal_runtime(image({"User": "65532:65532", "Env": ["PATH=/opt/app/bin:/usr/bin"], **run}))


NAMES = st.sampled_from(["PATH", "PYTHONPATH", "LANG", "HOME", "A.b"])
TEXTS = st.text(alphabet="ab:/= é\n", max_size=12) | st.sampled_from(
    [PACKAGE_BIN, PACKAGE_LIB, f"{PACKAGE_LIB}:", f"{PACKAGE_BIN}:/usr/bin", f"{PACKAGE_LIB}{PACKAGE_LIB}"]
)


@st.composite
def engine_images(draw: st.DrawFn) -> Image:
    run: dict[str, Any] = {"User": draw(st.sampled_from(["1", "65532:0", "1000:1000"]))}
    run["Env"] = draw(st.lists(st.builds("{}={}".format, NAMES, TEXTS), max_size=5) | st.none())
    run["Labels"] = draw(st.none() | st.dictionaries(st.text(max_size=8) | st.sampled_from([*LABELS]), TEXTS))
    run["Cmd"] = draw(st.none() | st.lists(TEXTS, max_size=2))
    run["WorkingDir"] = draw(st.sampled_from(["", "/work"]))
    contents = draw(st.lists(st.binary(min_size=1, max_size=4), min_size=1, max_size=4))
    media_type = draw(st.sampled_from([OCI_LAYER_GZIP, DOCKER_LAYER]))
    layers = tuple(descriptor(content, media_type) for content in contents)
    steps = draw(st.lists(st.booleans(), max_size=5))
    history = [
        {"created_by": "RUN x", "comment": "FROM y", **({"empty_layer": True} if empty else {})} for empty in steps
    ]
    history += [{"created_by": "COPY"}] * draw(st.sampled_from([0, len(layers)]))
    return image(run, layers=layers, history=draw(st.sampled_from([history, None, []])))


@given(engine_images(), st.dictionaries(st.sampled_from([*LABELS]), TEXTS), st.integers(0, 4_000_000_000))
def test_a_runtime_comes_back_from_any_image_made_of_it_with_the_same_bytes(
    engine_image: Image, labels: dict[str, str], created: int
) -> None:
    normal = normal_runtime(engine_image)
    released = with_package(normal, PACKAGE, labels=labels, created=created)
    again = without_package(released)
    assert again.manifest.data == normal.manifest.data
    assert again.config.data == normal.config.data


@given(engine_images())
def test_a_normal_runtime_stays_what_it_is(engine_image: Image) -> None:
    normal = normal_runtime(engine_image)
    assert normal_runtime(normal) == normal


@given(engine_images())
def test_a_path_is_extended_and_never_replaced(engine_image: Image) -> None:
    normal = normal_runtime(engine_image)
    released = with_package(normal, PACKAGE, labels=LABELS, created=COMMIT_TIME).config.environment
    before = normal.config.environment
    assert released["PATH"] == f"{PACKAGE_BIN}:{before['PATH']}"
    assert released["PYTHONPATH"].removesuffix(before.get("PYTHONPATH", "")).rstrip(":") == PACKAGE_LIB
    assert {name: text for name, text in released.items() if not name.endswith("PATH")} == {
        name: text for name, text in before.items() if not name.endswith("PATH")
    }


def test_the_image_of_a_release_is_its_runtime_and_one_layer_more() -> None:
    normal = runtime()
    released = with_package(normal, PACKAGE, labels=LABELS, created=COMMIT_TIME)
    assert released.manifest.layers == (*normal.manifest.layers, PACKAGE.descriptor)
    assert released.config.diff_ids == (*normal.config.diff_ids, PACKAGE.diff_id)
    assert released.config.value["created"] == "2026-09-21T14:13:20Z"
    assert released.config.labels == LABELS
    assert json.loads(released.config.data)["config"]["User"] == "65532:65532"


def test_the_manifest_tells_the_labels_without_its_config() -> None:
    released = with_package(runtime(), PACKAGE, labels=LABELS, created=COMMIT_TIME)
    value = json.loads(released.manifest.data)
    assert value["annotations"] == LABELS
    assert value["mediaType"] == OCI_MANIFEST


def test_the_same_inputs_give_the_same_bytes() -> None:
    first = with_package(runtime(), PACKAGE, labels=LABELS, created=COMMIT_TIME)
    second = with_package(runtime(), PACKAGE, labels=dict(reversed(LABELS.items())), created=COMMIT_TIME)
    assert first.manifest.digest == second.manifest.digest


def test_what_an_engine_leaves_in_an_image_is_not_in_the_runtime() -> None:
    settings = {"User": "1", "Env": ["PATH=/bin"]}
    clean = normal_runtime(image(settings, history=[{"created_by": "COPY a"}, {"created_by": "RUN b"}]))
    traced = normal_runtime(
        image(
            {
                **settings,
                "Entrypoint": [],
                "Labels": {
                    "io.buildah.version": "1.28.2",
                    "org.opencontainers.image.base.name": "127.0.0.1:5000/base@sha256:…",
                    LABEL_VERSION: "12",
                },
            },
            layers=(descriptor(b"base", DOCKER_LAYER), descriptor(b"app", DOCKER_LAYER)),
            history=[
                {"created": "2020-01-01T00:00:00Z", "created_by": "COPY a", "author": "me"},
                {"created": "2026-11-22T12:00:00Z", "created_by": "RUN b", "comment": "FROM 127.0.0.1:5000/base"},
            ],
            docker_version="20.10",
        )
    )
    assert traced.manifest.data == clean.manifest.data
    assert traced.config.data == clean.config.data


def test_a_label_of_the_dockerfile_stays() -> None:
    normal = runtime(Labels={"team": "data", "org.opencontainers.image.title": "Demo"})
    released = with_package(normal, PACKAGE, labels=LABELS, created=COMMIT_TIME)
    assert released.config.labels["team"] == "data"
    assert without_package(released) == normal


def test_an_image_without_path_gets_what_engines_would_give_it() -> None:
    assert runtime(Env=[]).config.environment["PATH"] == "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def test_a_runtime_with_an_entrypoint_is_refused() -> None:
    with pytest.raises(BadImage, match="ENTRYPOINT \\['/tini'\\]") as caught:
        runtime(Entrypoint=["/tini"])
    assert "write ENTRYPOINT [] where the base image has it" in str(caught.value)


@pytest.mark.parametrize("user", [None, "", "0", "0:0", "00", "root", "nobody", "-1", "65532:users", "1 ", "٣"])
def test_a_user_that_a_cluster_cannot_see_to_be_no_root_is_refused(user: str | None) -> None:
    with pytest.raises(BadImage, match=r"USER is .*runAsNonRoot") as caught:
        runtime(User=user)
    assert "USER 65532:65532" in caught.value.remedy


def test_a_layer_that_is_no_gzip_is_refused() -> None:
    zstd = "application/vnd.oci.image.layer.v1.tar+zstd"
    with pytest.raises(BadImage, match="not a tar in gzip"):
        normal_runtime(image({"User": "1"}, layers=(descriptor(b"x", zstd),)))


def test_only_a_runtime_in_normal_form_is_built_on() -> None:
    with pytest.raises(BadImage, match="is not one that kfp-release made"):
        with_package(image({"User": "1"}), PACKAGE, labels=LABELS, created=COMMIT_TIME)


def test_a_package_is_not_put_on_a_package() -> None:
    released = with_package(runtime(), PACKAGE, labels=LABELS, created=COMMIT_TIME)
    with pytest.raises(BadImage, match="is not one that kfp-release made"):
        with_package(released, PACKAGE, labels=LABELS, created=COMMIT_TIME)


def test_a_label_that_the_runtime_has_already_is_refused() -> None:
    with pytest.raises(BadImage, match="has the label 'team'"):
        with_package(runtime(Labels={"team": "data"}), PACKAGE, labels={"team": "x"}, created=COMMIT_TIME)


def with_config(changed: dict[str, Any], source: Image, annotations: dict[str, str] | None = None) -> Image:
    config = ImageConfig.of({**source.config.value, **changed})
    named = source.manifest.annotations if annotations is None else annotations
    return Image(Manifest.of(config.descriptor, source.manifest.layers, named), config)


RELEASED = with_package(runtime(), PACKAGE, labels=LABELS, created=COMMIT_TIME)


@pytest.mark.parametrize(
    "other",
    [
        runtime(),
        image({"User": "1", "Env": ["PATH=/bin"]}),
        with_config({"config": None}, RELEASED),
        with_config({"created": None}, RELEASED),
        with_config({"history": {"a": 1}}, RELEASED),
        with_config({"history": "abc"}, RELEASED),
        with_config({"config": {**RELEASED.config.value["config"], "Env": ["PATH=/bin"]}}, RELEASED),
        with_config({"config": {**RELEASED.config.value["config"], "User": "root"}}, RELEASED),
        with_config({"docker_version": "20"}, RELEASED),
        with_config({}, RELEASED, {LABEL_RUNTIME_KEY: "0" * 32}),
    ],
)
def test_no_runtime_is_taken_from_an_image_of_another_make(other: Image) -> None:
    with pytest.raises(BadImage):
        without_package(other)


def test_an_image_pushed_by_docker_is_of_another_make() -> None:
    data = json.dumps({**json.loads(RELEASED.manifest.data), "mediaType": DOCKER_MANIFEST}).encode()
    with pytest.raises(BadImage, match="is not one that kfp-release made"):
        without_package(Image(Manifest.parse(data, DOCKER_MANIFEST), RELEASED.config))


def test_a_manifest_and_a_config_that_do_not_belong_together_are_no_image() -> None:
    with pytest.raises(BadImage, match="the manifest names the config"):
        Image(RELEASED.manifest, runtime().config)


def test_a_config_that_lacks_a_layer_is_refused() -> None:
    config = runtime().config
    with pytest.raises(BadImage, match="the manifest has 1 layers, and the config 2 diff_ids"):
        Image(Manifest.of(config.descriptor, (descriptor(b"one"),), {}), config)
