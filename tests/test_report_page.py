from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from test_programs import executor_input, report
from training_fixtures import split, trained, written

from kubeflow_demo_components.programs import report_model

EVIL = "<script>alert('$x$ & \"y\"')</script>"


class Page(HTMLParser):
    """The elements of a page with their attributes, the open ones' names, and its text."""

    _EMPTY = ("meta", "path", "use", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self._words: list[str] = []
        self.feed(text)
        self.close()
        self.words = " ".join(self._words)
        """The same text, a blank between elements."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self._EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        self._words += data.split()


def made(model: Path, table: Path, folder: Path, *options: str) -> str:
    report_model.main(["--model", str(model), "--table", str(table), "--report", str(folder / "new/page"), *options])
    return (folder / "new/page").read_text(encoding="utf-8")


@pytest.fixture(scope="module", params=["breast_cancer logistic_regression", "wine random_forest", "diabetes ridge"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report on a model of two classes, of three, and of numbers."""
    folder = tmp_path_factory.mktemp("report")
    name, algorithm = request.param.split()
    train, test = split(folder, f"sklearn:{name}")
    model = trained(train, folder / "model", "--algorithm", algorithm)
    text = made(model, test, folder, "--title", f"Of {name}")
    assert made(model, test, folder, "--title", f"Of {name}") == text  # the same again
    return text


def test_the_page_is_whole(page: str) -> None:
    parsed = Page(page)
    assert parsed.open == []
    assert [tag for tag, _ in parsed.elements].count("svg") == 2
    assert [attributes["role"] for tag, attributes in parsed.elements if tag == "svg"] == ["img", "img"]


def test_the_page_draws_on_nothing_outside_of_itself(page: str) -> None:
    parsed = Page(page)
    tags = {tag for tag, _ in parsed.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "base", "form"}
    for _, attributes in parsed.elements:
        assert not {"src", "href", "srcset", "action"} & attributes.keys()
        assert str(attributes.get("xlink:href", "#")).startswith("#")
        assert not [name for name in attributes if name.startswith("on")]
    assert set(re.findall(r"url\((.)", page)) <= {"#"}
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_the_page_has_a_light_and_a_dark_look_and_each_colour_is_of_it(page: str) -> None:
    assert page.count("prefers-color-scheme: dark") == 1
    drawings = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    assert re.findall(r"#[0-9a-f]{6}", drawings) == []
    used = set(re.findall(r"var\((--[a-z0-9-]+)\)", page))
    light, dark = re.findall(r":root \{(.*?)\}", page, re.DOTALL)
    for look in (light, dark):
        assert used <= set(re.findall(r"(--[a-z0-9-]+):", look))


def test_the_page_shows_what_the_model_is_worth(page: str) -> None:
    text = Page(page).words
    if "Of diabetes" in text:
        assert re.search(r"R² 0\.5\d\d\d share of the target's variance", text)
        assert "mean absolute error 4" in text
        assert "Confusion matrix" not in text
        assert "target as predicted" in text
    else:
        assert re.search(r"accuracy (0\.9\d\d\d|1\.0000) share of the rows", text)
        assert re.search(r"ROC AUC (0\.9\d\d\d|1\.0000)", text)
        assert "false positive rate" in text
    assert "score lost without it" in text


def test_the_confusion_matrix_counts_each_row_once(tmp_path: Path) -> None:
    table = written(tmp_path / "t", a=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], target=["x", "x", "x", "y", "y", "y"])
    model = trained(table, tmp_path / "model")
    shown = written(tmp_path / "shown", a=[1.0, 2.0, 6.0, 6.0], target=["x", "x", "x", "y"])
    text = Page(made(model, shown, tmp_path)).words
    assert "predicted → x y x 2 67 % 1 33 % y 0 0 % 1 100 %" in text
    assert "LogisticRegression predicts target from 1 column; evaluated on 4 rows" in text


def test_whatever_comes_from_data_is_text_and_nothing_else(tmp_path: Path) -> None:
    columns: dict[str, list[object]] = {
        EVIL: [1.0, 2.0, 3.0, 4.0],
        "$\\foo": [4.0, 3.0, 1.0, 2.0],
        "_b": ["<b>", "&amp;", "<b>", "&amp;"],
    }
    columns["<i>"] = [f"{EVIL} 1", f"{EVIL} 1", f"{EVIL} 2", f"{EVIL} 2"]
    table = written(tmp_path / "t", **columns)
    model = trained(table, tmp_path / "model", "--target", "<i>")
    page = made(model, table, tmp_path, "--target", "<i>", "--title", EVIL)
    parsed = Page(page)
    assert parsed.open == []
    assert not {tag for tag, _ in parsed.elements} & {"script", "i"}
    assert parsed.text.count(f"{EVIL} 1") >= 2  # in the matrix; a curve has the second class's name
    for name in (EVIL, f"{EVIL} 2", "<i>", "$\\foo", "_b"):
        assert name[:27] in parsed.text
    given = {"target": "<i>", "title": EVIL}
    assert {name: value in parsed.text for name, value in given.items()} == {"target": True, "title": True}


@pytest.mark.filterwarnings("ignore:Glyph 7")
def test_a_name_that_looks_like_a_drawings_code_stays_a_name(tmp_path: Path) -> None:
    names = ("font-family: serif; ", '<g id="x"', "#010101", "id=", "bell\a")
    columns: dict[str, list[object]] = {name: [1.0, 2.0, 3.0, number] for number, name in enumerate(names)}
    classes = ["font-family: x", "font-family: x", "#030301; ", "#030301; "]
    table = written(tmp_path / "t", **columns, target=classes)
    page = made(trained(table, tmp_path / "model"), table, tmp_path)
    parsed = Page(page)
    assert parsed.open == []
    assert page.count("<text") == page.count("</text>") > len(names)
    for name in (*names[:-1], "bell\N{REPLACEMENT CHARACTER}", *classes):
        assert name.strip() in parsed.text
    styles = [str(attributes.get("style")) for _, attributes in parsed.elements]
    assert not [style for style in styles if "font-family" in style or "#0" in style]


def test_many_classes_and_columns_leave_a_page_that_can_be_read(tmp_path: Path) -> None:
    rows = 60
    columns: dict[str, list[object]] = {
        f"column {number}": [(row * (number + 3)) % 17 for row in range(rows)] for number in range(14)
    }
    table = written(tmp_path / "t", **columns, target=[f"class {row % 20}" for row in range(rows)])
    text = Page(made(trained(table, tmp_path / "model"), table, tmp_path)).text
    assert "Confusion matrix" not in text
    assert "Of 20 classes the first 6." in text
    assert len(re.findall(r"\d\.\d{3} +class \d+", text)) == 6
    assert "the ten that count most" in text
    assert len(re.findall(r"column \d+(?!\d| columns)", text)) == 10


def test_the_artifact_is_reported(tmp_path: Path) -> None:
    table = written(tmp_path / "t", a=[1.0, 2.0], target=["x", "y"])
    given = executor_input(tmp_path, "report")
    made(trained(table, tmp_path / "model"), table, tmp_path, "--executor-input", given, "--title", "Good?")
    assert report(tmp_path)["report"]["artifacts"][0]["metadata"] == {"title": "Good?"}
