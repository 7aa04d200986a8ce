"""The catalog's pages in a real browser, from files: what is seen, what the keys do, and that nothing leaves."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browsing import PATIENCE, axe_script, launched, violations, watched
from catalog_extremes import EVIL, hostile
from catalog_samples import images, ordinary, version
from playwright.sync_api import Browser, Page, expect

from kfp_release.catalog.model import Catalog
from kfp_release.catalog.over_time import over_time_context
from kfp_release.catalog.page import LARGEST, page
from kfp_release.catalog.site import render

HOME, OVER_TIME, COMPONENT = "index.html", "over-time.html", "components/multiply_op.html"
KINDS = (HOME, OVER_TIME, COMPONENT, "components/make_rows_op.html", "versions/2.0.html", "versions/1.2.html")
"""One page of each kind: a component that is gone, a version in order, and one that drifts, among them."""
NARROW = {"width": 360, "height": 700}
OUTLINE = "node => getComputedStyle(node).outlineStyle"
GROUND = "getComputedStyle(document.body).backgroundColor"

Visit = Callable[..., Page]
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


def written(folder: Path, catalog: Catalog) -> Path:
    for path, data in render(catalog).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("site"), ordinary())


@pytest.fixture(scope="module")
def evil_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("evil"), hostile(word=EVIL + "W" * 10_000))


@pytest.fixture
def visit(browser: Browser, site: Path) -> Iterator[Visit]:
    """Opens a page of the site, each in the same window."""
    with watched(browser, permissions=["clipboard-read", "clipboard-write"], reduced_motion="reduce") as context:
        page = context.new_page()

        def visit(path: str = HOME, query: str = "") -> Page:
            page.goto((site / path).as_uri() + query)
            return page

        yield visit


def shown(page: Page) -> list[str]:
    """The components that are seen, those that are coming or gone among them."""
    return [text.strip() for text in page.locator(".item:visible .name code").all_inner_texts()]


def test_the_search_finds_by_all_of_its_words(visit: Visit) -> None:
    page = visit()
    assert len(shown(page)) == 11  # one that is coming, and not the one that is gone
    page.locator("#find").fill("TABLE  seed")
    assert shown(page) == ["make_table_op", "split_table_op", "train_model_op"]
    expect(page.locator("#count")).to_have_text("3 of 10 components")
    assert page.url.endswith("index.html?q=TABLE++seed")


def test_filters_go_together_and_a_shared_address_brings_them_back(visit: Visit) -> None:
    page = visit()
    page.locator("#in").select_option("Dataset")
    page.locator("#out").select_option("Metrics")
    assert shown(page) == ["describe_table_op", "evaluate_model_op"]
    page.locator("#image").select_option("training")
    assert shown(page) == ["evaluate_model_op"]
    address = page.url
    assert address.endswith("?in=Dataset&out=Metrics&image=training")
    page.goto(address)
    assert shown(page) == ["evaluate_model_op"]
    assert page.locator("#out").input_value() == "Metrics"
    page.locator(".item:visible a").first.click()
    page.go_back()
    assert shown(page) == ["evaluate_model_op"]
    page.locator("#clear").click()
    assert len(shown(page)) == 11
    assert page.url.endswith("index.html")


def test_an_address_with_an_unknown_filter_shows_all(visit: Visit) -> None:
    assert len(shown(visit(HOME, "?in=Nothing&colour=red"))) == 11


def test_where_nothing_is_found_it_says_so_and_offers_all(visit: Visit) -> None:
    page = visit(HOME, "?q=no+such+thing")
    assert shown(page) == []
    expect(page.locator("#count")).to_have_text("Nothing found")
    page.locator("#all").click()
    expect(page.locator("#nothing")).to_be_hidden()
    assert len(shown(page)) == 11


def test_what_is_gone_is_found_where_nothing_else_is(visit: Visit) -> None:
    page = visit(HOME, "?q=random")
    assert shown(page) == ["make_rows_op"]
    expect(page.locator("#count")).to_have_text("0 of 10 components, and 1 coming or gone")
    page.locator(".item:visible a").click()
    expect(page.locator(".notice")).to_contain_text("Shown as of version 1.3, the last that does.")


def test_keys_lead_to_the_search_and_from_it(visit: Visit) -> None:
    page = visit(COMPONENT)
    page.keyboard.press("/")
    page.wait_for_url("**/index.html#find")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("a/b")  # where one writes, / is a letter
    assert page.locator("#find").input_value() == "a/b"
    page.keyboard.press("Escape")
    assert page.locator("#find").input_value() == ""
    page.keyboard.type("split")
    page.keyboard.press("Enter")
    expect(page.locator("a", has_text="Split table")).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("scale")  # in the place of what was there
    assert shown(page) == ["scale_table_op"]
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Scale table")


def test_the_first_tab_skips_to_the_content_and_focus_is_seen(visit: Visit) -> None:
    page = visit()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    assert page.locator(".skip").bounding_box()["y"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    for _ in range(12):
        assert page.locator(":focus").evaluate(OUTLINE) == "solid"
        page.keyboard.press("Tab")


@pytest.mark.parametrize("way", ["clipboard", "older"])
def test_copy_gives_what_is_shown_to_the_letter(visit: Visit, way: str) -> None:
    page = visit(COMPONENT)
    if way == "older":
        page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.evaluate("window.setTimeout = () => 0")  # or Copied would be gone again before it is looked for
    snippet = page.locator(".python code").text_content()
    page.locator(".code .copy").nth(1).click()
    expect(page.locator(".code .copy").nth(1)).to_have_text("Copied")
    expect(page.locator("#said")).to_have_text("Copied")
    visit()
    assert page.evaluate("navigator.clipboard.readText()") == snippet
    assert snippet.startswith("from kfp import dsl\n")  # type: ignore[union-attr]


def test_copy_of_a_digest_gives_all_of_it(visit: Visit) -> None:
    page = visit("versions/2.0.html")
    page.evaluate("window.setTimeout = () => 0")
    button = page.locator(".card .copy").first
    button.click()
    expect(button).to_have_text("Copied")
    version = next(one for one in ordinary().versions if str(one.version) == "2.0")
    assert page.evaluate("navigator.clipboard.readText()") == str(version.images[0].digest)


def test_the_chosen_colours_are_kept(visit: Visit) -> None:
    page = visit()
    light = page.evaluate(GROUND)
    page.locator("#theme").click()
    assert page.evaluate(GROUND) != light
    assert page.locator("#theme").get_attribute("aria-label") == "Light colours"
    visit(OVER_TIME)
    assert page.evaluate(GROUND) != light
    page.locator("#theme").click()
    assert page.evaluate(GROUND) == light


def test_without_storage_colours_change_on_the_page_alone(browser: Browser, site: Path) -> None:
    with watched(browser, color_scheme="dark") as context:
        context.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new Error('no'); }})")
        page = context.new_page()
        page.goto((site / HOME).as_uri())
        dark = page.evaluate(GROUND)
        page.locator("#theme").click()
        assert page.evaluate(GROUND) != dark
        page.reload()
        assert page.evaluate(GROUND) == dark


def test_without_scripts_everything_but_search_and_copy_is_there(browser: Browser, site: Path) -> None:
    with watched(browser, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto((site / HOME).as_uri())
        assert len(shown(page)) == 11
        expect(page.locator("#search")).to_be_hidden()
        expect(page.locator("#theme")).to_be_hidden()
        page.locator("#gone summary").click()
        assert len(shown(page)) == 12
        page.locator(".item a", has_text="Multiply").click()
        expect(page.locator(".python")).to_be_visible()
        assert page.locator(".copy:visible").count() == 0


def test_plots_tell_the_version_under_the_pointer_and_lead_to_it(visit: Visit) -> None:
    page = visit(OVER_TIME)
    picture = page.locator(".plot svg[aria-label^='Size']")
    box = picture.bounding_box()
    assert box is not None
    place = {"x": box["width"] * 780 / 800, "y": box["height"] / 2}
    picture.hover(position=place)  # type: ignore[arg-type]
    expect(page.locator(".readout").first).to_have_text("2.1rc1 · demo 60.0 MB · training 163 MB · To pull 134 MB")
    picture.click(position=place)  # type: ignore[arg-type]
    expect(page.locator("h1")).to_have_text("Version 2.1rc1")


def test_bars_tell_their_own_version_where_the_table_is_shortened(browser: Browser, site: Path, tmp_path: Path) -> None:
    one, count = ordinary().versions[1], 350
    versions = [replace(one, version=version(f"1.{number}"), images=images("", number)) for number in range(count)]
    catalog = replace(ordinary(), versions=tuple(reversed(versions)))
    data = page("over-time.html", depth=0, catalog=catalog, newest=catalog.newest, **over_time_context(catalog))
    assert len(data) <= LARGEST
    (tmp_path / OVER_TIME).write_bytes(data)
    shutil.copy(site / "icon.svg", tmp_path)
    with watched(browser) as context:
        visited = context.new_page()
        visited.goto((tmp_path / OVER_TIME).as_uri())
        assert 50 < visited.locator("table.all tbody tr").count() < count
        expect(visited.locator(".plot text", has_text="1.349")).to_have_count(2)
        expect(visited.locator(".brand")).to_have_text(catalog.distribution)
        picture = visited.locator(".plot svg[aria-label^='Size']")
        box = picture.bounding_box()
        assert box is not None
        for place, told in ((64.5, "1.0"), (787.5, "1.349")):
            picture.hover(position={"x": box["width"] * place / 800, "y": box["height"] / 2})
            expect(visited.locator(".readout").first).to_contain_text(f"{told} · ")


def test_on_a_narrow_screen_the_newest_bars_and_the_axis_are_seen(visit: Visit) -> None:
    page = visit()
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    page = visit(OVER_TIME)
    for axis in page.locator(".plot .axis").all():
        scroll = axis.locator("xpath=../..")
        assert scroll.evaluate(
            "node => node.scrollLeft > 0 && node.scrollLeft + node.clientWidth >= node.scrollWidth - 1"
        )
        assert axis.bounding_box()["x"] == scroll.bounding_box()["x"]  # type: ignore[index]


@pytest.mark.parametrize("path", KINDS)
def test_a_narrow_screen_shows_a_page_without_scrolling_sideways(visit: Visit, path: str) -> None:
    page = visit(path)
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.set_viewport_size({"width": 1200, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 1200


def test_paper_is_white_and_has_no_buttons(browser: Browser, site: Path) -> None:
    with watched(browser, color_scheme="dark") as context:
        page = context.new_page()
        page.goto((site / HOME).as_uri())
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate(GROUND) == "rgb(253, 253, 252)"
        assert page.locator("button:visible, input:visible, .skip:visible").count() == 0
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert len(shown(page)) == 12  # paper has nothing to unfold


def test_nothing_moves_for_those_who_do_not_want_it(visit: Visit) -> None:
    page = visit()
    duration = "getComputedStyle(document.querySelector('.name a')).transitionDuration"
    assert page.evaluate(duration) == "0s"
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(duration) != "0s"


@pytest.fixture(scope="module")
def axe() -> str:
    return axe_script()


@pytest.mark.parametrize("path", KINDS)
def test_axe_finds_no_barrier_in_light_and_in_dark(visit: Visit, axe: str, path: str) -> None:
    page = visit(path)
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    page.evaluate(axe)
    assert page.evaluate("typeof axe.run") == "function"
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []


def test_axe_finds_a_barrier_where_one_is(visit: Visit, axe: str) -> None:
    page = visit()
    page.evaluate("document.querySelector('#find').parentNode.replaceWith(document.createElement('input'))")
    page.evaluate(axe)
    assert "label" in [rule for rule, _ in violations(page)]


def test_texts_that_are_markup_and_script_are_text(browser: Browser, evil_site: Path) -> None:
    """On every page; and no word is so long that a page is wider than a narrow screen."""
    with watched(browser, viewport=NARROW) as context:
        page = context.new_page()
        for path in sorted(evil_site.rglob("*.html")):
            page.goto(path.as_uri())
            assert page.evaluate("window.ran") is None
            assert page.evaluate("document.documentElement.scrollWidth") == 360, path
            said = page.locator("main").inner_text()
            assert '"><img src=x onerror="window.ran=1">' in said
            assert path.name == OVER_TIME or "<script>window.ran=1</script>' onmouseover='window.ran=1'" in said
            assert path.name == OVER_TIME or "{{ 7*7 }}{% raw %}" in said
            foreign = "img, iframe, object, embed, base, main script, main style, main link, [onerror], [onmouseover]"
            assert page.locator(foreign).count() == 0
        page.goto((evil_site / HOME).as_uri())
        page.locator("#find").fill("onerror")
        assert page.locator(".item:visible").count() == 11
        for node in page.locator("main *:visible").all()[:40]:
            node.dispatch_event("mouseover")
        assert page.evaluate("window.ran") is None


def test_what_gets_into_a_page_after_all_does_not_run(browser: Browser, site: Path) -> None:
    """The second lock: the page's policy."""
    context = browser.new_context()
    page = context.new_page()
    failures: list[str | None] = []
    page.on("requestfailed", lambda request: failures.append(request.failure))
    page.on("response", lambda response: failures.append(response.url))
    page.goto((site / HOME).as_uri())
    page.evaluate(
        """() => {
            window.refused = [];
            document.addEventListener("securitypolicyviolation", event => refused.push(event.effectiveDirective));
            const script = document.createElement("script");
            script.textContent = "window.ran = 1";
            const handler = document.createElement("b");
            handler.setAttribute("onclick", "window.ran = 1");
            const picture = new Image();
            picture.src = "https://elsewhere.example/pixel.png";
            document.body.append(script, handler, picture);
            handler.click();
            return fetch("https://elsewhere.example/").catch(() => undefined);
        }"""
    )
    page.wait_for_function("window.refused.length >= 4")
    assert set(page.evaluate("refused")) == {"script-src-elem", "script-src-attr", "img-src", "connect-src"}
    assert page.evaluate("window.ran") is None
    assert [failure for failure in failures if not str(failure).startswith("file:")] == ["csp"]
    context.close()
