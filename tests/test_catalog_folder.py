"""The folder of a site: what changed is written, what is no longer part of it goes, what is a person's stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kfp_release.catalog.folder import LIST, require_folder, write_site
from kfp_release.errors import ReleaseError

PAGES = {"index.html": b"home", "components/a.html": b"a", "versions/1.0.html": b"1.0"}


def content(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def long_ago(folder: Path) -> None:
    for path in folder.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))


def test_a_new_folder_gets_all_pages_and_git_ignores_it(tmp_path: Path) -> None:
    found = write_site(tmp_path / "a/site", PAGES)
    assert found.written == ("components/a.html", "index.html", "versions/1.0.html")
    assert (found.unchanged, found.removed) == ((), ())
    assert content(tmp_path / "a/site") == PAGES
    assert (tmp_path / "a/site/.gitignore").read_text(encoding="utf-8") == "*\n"
    assert (tmp_path / "a/site/index.html").stat().st_mode & 0o777 == 0o644


def test_an_empty_folder_serves_too(tmp_path: Path) -> None:
    assert len(write_site(tmp_path, PAGES).written) == len(PAGES)


def test_what_is_the_same_is_not_touched(tmp_path: Path) -> None:
    write_site(tmp_path, PAGES)
    long_ago(tmp_path)
    found = write_site(tmp_path, {**PAGES, "index.html": b"new home"})
    assert found.written == ("index.html",)
    assert found.unchanged == ("components/a.html", "versions/1.0.html")
    times = {path.name: path.stat().st_mtime for path in tmp_path.rglob("*") if path.is_file()}
    assert [name for name, time in times.items() if time > 1_000_000_000] == ["index.html"]


def test_a_page_that_somebody_changed_or_took_away_comes_back(tmp_path: Path) -> None:
    write_site(tmp_path, PAGES)
    (tmp_path / "index.html").write_bytes(b"HOME")
    (tmp_path / "components/a.html").unlink()
    assert write_site(tmp_path, PAGES).written == ("components/a.html", "index.html")
    assert content(tmp_path) == PAGES


def test_what_is_no_longer_part_of_the_site_goes_and_its_folder_too(tmp_path: Path) -> None:
    write_site(tmp_path, PAGES)
    (tmp_path / "versions/notes.txt").write_bytes(b"a person's")
    (tmp_path / "CNAME").write_bytes(b"catalog.example")
    found = write_site(tmp_path, {"index.html": b"home"})
    assert found.removed == ("components/a.html", "versions/1.0.html")
    assert content(tmp_path) == {
        "index.html": b"home",
        "versions/notes.txt": b"a person's",
        "CNAME": b"catalog.example",
    }
    assert not (tmp_path / "components").exists()
    assert write_site(tmp_path, {"index.html": b"home"}).removed == ()


def test_a_folder_of_other_things_is_refused(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "d", "c"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(
        ReleaseError, match=r"holds other things than a catalog: 'a\.txt', 'b\.txt', 'c' and 1 more"
    ) as caught:
        write_site(tmp_path, PAGES)
    assert "new or empty" in caught.value.remedy
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.txt", "c", "d"]


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site").write_bytes(b"")
    with pytest.raises(ReleaseError, match="site is a file"):
        require_folder(tmp_path / "site")


def test_a_persons_file_is_never_written_over(tmp_path: Path) -> None:
    write_site(tmp_path, {"index.html": b"home"})
    (tmp_path / "components").mkdir()
    (tmp_path / "components/a.html").write_bytes(b"a person's")
    with pytest.raises(ReleaseError, match=r"components/a\.html is there, and no catalog wrote it"):
        write_site(tmp_path, PAGES)
    assert content(tmp_path) == {"index.html": b"home", "components/a.html": b"a person's"}


def test_a_run_that_was_cut_off_is_completed_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_site(tmp_path, {"index.html": b"home", "old.html": b"old"})
    replace, calls = Path.replace, []

    def cut_off(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return replace(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", cut_off)
        with pytest.raises(KeyboardInterrupt):
            write_site(tmp_path, PAGES)
    assert content(tmp_path) == {"index.html": b"home", "old.html": b"old", "components/a.html": b"a"}
    write_site(tmp_path, PAGES)
    assert content(tmp_path) == PAGES
    assert [path.name for path in tmp_path.rglob(".new-*")] == []


@pytest.mark.parametrize("text", ["", "{", '{"schema":2,"files":[]}', '{"schema":1,"files":[7]}'])
def test_a_damaged_list_is_told(tmp_path: Path, text: str) -> None:
    write_site(tmp_path, PAGES)
    (tmp_path / LIST).write_text(text, encoding="utf-8")
    with pytest.raises(ReleaseError, match="is damaged") as caught:
        write_site(tmp_path, PAGES)
    assert caught.value.remedy.startswith("remove the folder")


def test_a_list_that_leads_out_of_the_folder_removes_nothing_there(tmp_path: Path) -> None:
    site, outside = tmp_path / "site", tmp_path / "outside.txt"
    outside.write_bytes(b"mine")
    write_site(site, PAGES)
    (site / LIST).write_text('{"schema":1,"files":["../outside.txt"]}', encoding="utf-8")
    with pytest.raises(ReleaseError, match="no path inside of a site"):
        write_site(site, PAGES)
    assert outside.read_bytes() == b"mine"


@pytest.mark.parametrize("path", ["../a.html", "/a.html", "a//b.html", "./a.html", "a\\b.html", "", LIST, ".gitignore"])
def test_no_page_is_written_anywhere_else(tmp_path: Path, path: str) -> None:
    with pytest.raises(ReleaseError, match="no path inside of a site"):
        write_site(tmp_path / "site", {path: b""})


def test_a_link_in_the_place_of_a_folder_leads_nowhere(tmp_path: Path) -> None:
    site, outside = tmp_path / "site", tmp_path / "outside"
    write_site(site, PAGES)
    outside.mkdir()
    (site / "components/a.html").unlink()
    (site / "components").rmdir()
    (site / "components").symlink_to(outside)
    with pytest.raises(ReleaseError, match="components is a link"):
        write_site(site, PAGES)
    assert list(outside.iterdir()) == []


def test_a_link_in_the_place_of_a_page_is_replaced_and_its_target_kept(tmp_path: Path) -> None:
    site, outside = tmp_path / "site", tmp_path / "outside.html"
    write_site(site, PAGES)
    outside.write_bytes(b"home")
    (site / "index.html").unlink()
    (site / "index.html").symlink_to(outside)
    assert write_site(site, {**PAGES, "index.html": b"home 2"}).written == ("index.html",)
    assert (outside.read_bytes(), (site / "index.html").is_symlink()) == (b"home", False)


def test_a_folder_in_the_place_of_a_page_is_named_and_kept(tmp_path: Path) -> None:
    write_site(tmp_path, PAGES)
    (tmp_path / "index.html").unlink()
    (tmp_path / "index.html").mkdir()
    with pytest.raises(ReleaseError, match=r"index\.html is a folder, and the site has a file there") as caught:
        write_site(tmp_path, PAGES)
    assert caught.value.remedy == "move the folder away"
    assert write_site(tmp_path, {path: data for path, data in PAGES.items() if path != "index.html"}).removed == ()
    assert (tmp_path / "index.html").is_dir()
