"""The pages of a catalog as files: which there are, that their links lead somewhere, and that they stay small."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import PurePosixPath
from posixpath import normpath
from urllib.parse import unquote, urlsplit

import pytest
from catalog_extremes import EVIL, hostile, large
from catalog_samples import PROJECT, change, ordinary, version

from kfp_release.catalog.model import Catalog, CatalogEvent, EventKind
from kfp_release.catalog.page import LARGEST
from kfp_release.catalog.site import render
from kfp_release.interface_change import ChangeKind
from kfp_release.status_row import State

EMPTY = Catalog("components", "components", "https://github.com/team/components", "", (), ())


class Read(HTMLParser):
    """The links, the names and the text of a page; what would load or run is counted."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.text = ""
        self._raw = False
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and "href" in given:
            self.links.append(given["href"] or "")
        self.ids += [given["id"] or ""] if "id" in given else []
        self.loads += [str(given[name]) for name in ("src", "srcset", "data", "action", "style") if name in given]
        self.loads += [str(given["href"])] if tag in {"link", "base", "use", "image"} else []
        self._raw = tag in {"script", "style"}
        self.text += " " if tag in {"td", "th", "dd", "li", "p"} else ""

    def handle_endtag(self, tag: str) -> None:
        self._raw = self._raw and tag not in {"script", "style"}

    def handle_data(self, data: str) -> None:
        self.text += "" if self._raw else data


def read(site: Mapping[str, bytes]) -> dict[str, Read]:
    return {path: Read(data) for path, data in site.items() if path.endswith(".html")}


def text(page: bytes) -> str:
    return " ".join(Read(page).text.split())


def test_a_page_for_each_component_and_each_version() -> None:
    catalog = ordinary()
    site = render(catalog)
    components = {f"components/{component.operator}.html" for component in catalog.components}
    versions = {f"versions/{one.version}.html" for one in catalog.versions}
    assert site.keys() == {"index.html", "over-time.html", "icon.svg", *components, *versions}


def test_the_same_catalog_gives_the_same_bytes() -> None:
    assert render(ordinary()) == render(ordinary())


@pytest.mark.parametrize("catalog", [ordinary(), hostile(), EMPTY], ids=["ordinary", "hostile", "empty"])
def test_every_link_leads_to_a_page_or_to_the_web_and_nothing_is_loaded(catalog: Catalog) -> None:
    site = render(catalog)
    pages = read(site)
    for path, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), path
        assert [normpath(PurePosixPath(path).parent / one) for one in page.loads] == ["icon.svg"]
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme == "https", link
                continue
            target = normpath(PurePosixPath(path).parent / unquote(parts.path)) if parts.path else path
            assert target in site, (path, link)
            assert not parts.fragment or parts.fragment in pages[target].ids, (path, link)


def test_every_page_is_reached_from_the_first() -> None:
    pages = read(render(ordinary()))
    seen, next_ = set[str](), ["index.html"]
    while next_:
        path = next_.pop()
        seen.add(path)
        links = [link.partition("#")[0] for link in pages[path].links if not urlsplit(link).scheme]
        targets = {normpath(PurePosixPath(path).parent / link) for link in links if link}
        next_ += targets - seen
    assert seen == pages.keys()


def test_a_hostile_catalog_has_safe_file_names_and_bytes() -> None:
    for path, data in render(hostile()).items():
        assert all(letter.isascii() and (letter.isalnum() or letter in "_.-/") for letter in path), path
        data.decode()  # no half of a pair is in it
        assert b"\0" not in data
        assert "\u202e" not in data.decode()


def test_200_versions_of_50_components_that_all_change_are_small_pages() -> None:
    site = render(large())
    assert len(site) == 3 + 200 + 50
    assert {path: len(data) for path, data in site.items() if len(data) > LARGEST} == {}
    assert "160 earlier versions in which it changed" in text(site["components/component_07_op.html"])


@pytest.mark.parametrize(
    "catalog",
    [hostile(word=EVIL + "W" * 10_000), large(versions=3, changes=400)],
    ids=["long words", "20,000 changes in a version"],
)
def test_what_is_too_much_for_a_page_is_cut_and_it_says_so(catalog: Catalog) -> None:
    site = render(catalog)
    assert {path: len(data) for path, data in site.items() if len(data) > LARGEST} == {}
    said = text(site[f"versions/{next(path for path in site if path.startswith('versions/')).split('/')[1]}"])
    assert "more letters)" in said or "more changes" in said


def test_a_page_of_nothing_says_what_makes_the_first_version() -> None:
    site = render(EMPTY)
    assert "Nothing is released yet. The first git tag makes the first version." in text(site["index.html"])
    assert "Nothing is released yet." in text(site["over-time.html"])


def test_a_component_page_tells_its_inputs_outputs_and_where_they_fit() -> None:
    said = text(render(ordinary())["components/train_model_op.html"])
    assert "algorithm String 'logistic_regression' logistic_regression or random_forest for classes" in said
    assert "table Dataset required The table to learn from" in said
    assert "model Model evaluate_model_op(model=…) report_model_op(model=…) The model as a file of skops." in said
    assert "pip install --index-url https://pypi.data-science.example/simple/ kubeflow-demo-components==2.0" in said
    assert "2.0 changed 2025-08-06 input seed added: Integer = 0" in said


def test_the_file_of_a_project_in_a_folder_is_linked_there() -> None:
    site = read(render(replace(ordinary(), folder="teams/parts/")))
    (link,) = [link for link in site["components/multiply_op.html"].links if "/blob/" in link]
    assert link.endswith("/teams/parts/yaml/multiply.yaml")


def test_a_component_that_no_pipeline_can_call_says_why() -> None:
    one = replace(ordinary().components[0], snippet="")
    path = f"components/{one.operator}.html"
    assert "Python takes no such name" in text(render(replace(ordinary(), components=(one,)))[path])
    assert "Python takes no such name" not in text(render(ordinary())[path])


def test_a_breaking_change_is_marked_on_both_pages() -> None:
    site = render(ordinary())
    for path in ("components/multiply_op.html", "versions/2.0.html"):
        assert "breaking input a retyped: Integer → Float" in text(site[path])
    said = text(site["versions/2.0.html"])
    assert "5 changes of 3 components, breaking in 4 of them. They ask for a major version, which this is." in said


def test_a_version_that_promises_less_than_it_changes_is_told() -> None:
    catalog = ordinary()
    broken = replace(
        catalog.versions[-2], changes=(change("multiply_op", ChangeKind.OUTPUT_REMOVED, "product", "Float"),)
    )
    said = text(render(replace(catalog, versions=(broken,)))["versions/1.1.html"])
    assert "They ask for a minor version, which this is." in said
    patch = replace(broken, version=version("1.0.1"))
    said = text(render(replace(catalog, versions=(patch,)))["versions/1.0.1.html"])
    assert "They ask for a minor version, and this is less." in said


def test_a_component_that_was_renamed_leads_to_its_new_name_and_back() -> None:
    catalog = ordinary()
    renamed = change("make_rows_op", ChangeKind.OPERATOR_RENAMED, before="make_rows_op", after="make_table_op")
    came = CatalogEvent(version("2.0"), EventKind.CAME, (renamed,))
    site = render(
        replace(
            catalog,
            components=tuple(
                replace(one, history=(came,)) if one.operator == "make_table_op" else one for one in catalog.components
            ),
        )
    )
    said, link = text(site["components/make_rows_op.html"]), "make_table_op.html"
    assert "the last that does. It was renamed: call make_table_op instead." in said
    assert "2.0 went 2025-08-06 breaking renamed to make_table_op" in said
    assert Read(site["components/make_rows_op.html"]).links.count(f"../components/{link}") == 2
    assert "2.0 came 2025-08-06 breaking renamed from make_rows_op" in text(site[f"components/{link}"])
    assert "../components/make_rows_op.html" in Read(site[f"components/{link}"]).links


def test_a_removal_is_marked_as_breaking() -> None:
    catalog = ordinary()
    gone = replace(catalog.components[-1], history=(CatalogEvent(version("2.0"), EventKind.WENT),))
    said = text(render(replace(catalog, components=(gone,)))["components/make_rows_op.html"])
    assert "2.0 went breaking 2025-08-06" in said
    assert "renamed" not in said


def test_what_is_not_compared_is_said_and_no_bump_is_claimed() -> None:
    one = ordinary().by_version()[version("1.2")]
    catalog = replace(
        ordinary(), versions=(replace(one, uncompared=("keep_op", "make_table_op"), unreadable=("yaml",)),)
    )
    said = text(render(catalog)["versions/1.2.html"])
    assert "1 change of 1 component, none of them breaking. load_table_op" in said
    assert "Not compared, because they are not readable in 1.2: keep_op, make_table_op." in said
    assert "They ask for" not in said
    site = render(replace(catalog, versions=(replace(catalog.versions[0], changes=(), uncompared=("keep_op",)),)))
    said = text(site["versions/1.2.html"])
    assert "No input and no output of any other component has changed. Not compared, because it is not" in said
    assert "version is enough" not in said
    assert "drift not compared" in text(site["over-time.html"])


def test_a_version_whose_tag_is_gone_is_not_called_the_first() -> None:
    catalog = ordinary()
    lost = replace(catalog.by_version()[version("2.0")], commit="", changes=())
    site = render(replace(catalog, versions=(lost, *catalog.versions[2:])))
    said = text(site["versions/2.0.html"])
    assert "What changes is not known: git has no tag of it" in said
    assert "the first version" not in said
    assert "in order not known" in text(site["over-time.html"])


def test_a_version_that_drifts_says_what_and_what_to_do() -> None:
    said = text(render(ordinary())["versions/1.2.html"])
    assert "Drift. What is public of it is not what it should be. image demo: tag 1.2 leads to sha256:" in said
    assert "To mend it: see what changed (kfp-release verify 1.2 looks closer)" in said


def test_a_withdrawn_version_names_the_branch_and_is_not_offered() -> None:
    said = text(render(ordinary())["versions/1.3.html"])
    assert "It was taken back. Install another version. The CHANGELOG of the branch main withdraws it." in said
    assert "pip install" not in said
    assert "yanked" in said


def test_an_image_tells_its_layers_what_to_pull_and_its_evidence() -> None:
    said = text(render(ordinary())["versions/2.0.html"])
    assert "base 3 44.5 MB none dependencies 1 15.0 MB none package 1 39.8 kB 39.8 kB all 5 59.6 MB 39.8 kB" in said
    assert "To pull: by a node that has version 1.3." in said
    assert "SBOM 214 components, 81.2 kB sha256:" in said
    assert "Scan 2 medium, 11 low" in said


def test_offline_it_says_what_was_not_asked() -> None:
    catalog = ordinary()
    bare = [
        replace(
            one,
            state=None,
            files=(),
            images=tuple(replace(image, digest=None, layers=(), scan="") for image in one.images),
        )
        for one in catalog.versions
    ]
    site = render(replace(catalog, versions=tuple(bare), is_offline=True))
    said = text(site["versions/2.0.html"])
    assert "Not asked. ECR and the index were not asked what they have of it." in said
    assert "Digest not asked" in said
    assert "The index was not asked." in said
    assert "ECR was not asked: sizes of images are not known." in text(site["over-time.html"])


def test_a_new_version_leaves_the_pages_of_all_but_the_one_before_it_as_they_were() -> None:
    catalog = ordinary()
    before, after = render(replace(catalog, versions=catalog.versions[1:])), render(catalog)
    changed = {path for path, data in before.items() if after[path] != data}
    assert {path for path in changed if path.startswith("versions/")} == {"versions/2.0.html"}
    assert after.keys() - before.keys() == {"versions/2.1rc1.html"}


def test_the_distribution_has_the_package_and_its_templates() -> None:
    package = PROJECT / "src/kfp_release"
    setuptools = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    assert {"kfp_release.catalog", "kfp_release.catalog.templates"} <= {*setuptools["packages"]}
    patterns = setuptools["package-data"]["kfp_release.catalog.templates"]
    shipped = {path for pattern in patterns for path in (package / "catalog/templates").glob(pattern)}
    assert shipped == {
        path for path in (package / "catalog").rglob("*.*") if path.suffix in {".html", ".css", ".js", ".svg"}
    }
    assert len(shipped) == 10


def test_the_readme_has_a_small_picture_of_the_first_page() -> None:
    picture = (PROJECT / "docs/catalog.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) <= 200_000
    assert "![The first page of a catalog](docs/catalog.png)" in (PROJECT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("state", [*State, None])
def test_every_state_has_words(state: State | None) -> None:
    catalog = ordinary()
    site = render(replace(catalog, versions=(replace(catalog.versions[0], state=state),), components=()))
    assert (state.value if state else "not asked") in text(site["over-time.html"])
