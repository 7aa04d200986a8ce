"""``kfp-release init``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import click

from kfp_release.commands import options
from kfp_release.commands.invocation import Invocation
from kfp_release.commands.questions import asked
from kfp_release.errors import ReleaseError
from kfp_release.index_settings import SIMPLE_URL, UPLOAD_URL, IndexSettings, IndexUrls
from kfp_release.init import (
    NewFile,
    answers_of,
    git_remote,
    git_top,
    new_files,
    tool_hashes,
    updated_files,
    write_files,
)
from kfp_release.new_project import Answers, is_answered, parse_answers, source_of_remote
from kfp_release.report import Report, Table
from kfp_release.template_files import filled_templates, tool_templates
from kfp_release.tool_pin import TOOL, TOOL_LOCK, ToolPin

_CALLER = ".github/workflows/release.yml"


@click.command("init", epilog=options.NETWORK)
@click.argument("folder", required=False, default=".", type=click.Path(path_type=Path), metavar="[FOLDER]")
@click.option(
    "--distribution",
    metavar="NAME",
    help="What pipelines install.  [default: from pyproject.toml, else the folder's name]",
)
@click.option("--package", metavar="NAME", help="What pipelines import.  [default: from the distribution]")
@click.option("--repository", metavar="HOST/NAME", help="The ECR repository of the image, without a tag.")
@click.option("--image", metavar="NAME", help="What the image is called here.  [default: from the repository]")
@click.option("--source", metavar="URL", help="The git repository's page.  [default: from the remote origin]")
@click.option("--index-url", metavar="URL", help="The private index as pip reads it, without a password.")
@click.option("--upload-url", metavar="URL", help="... as twine uploads to it.  [default: from --index-url]")
@click.option("--workflow-commit", metavar="SHA", help="Call the release workflow at this commit, not at its tag.")
@click.option("--keep", is_flag=True, help="Leave files that are there as they are, and write the others.")
@click.option(
    "--update", is_flag=True, help=f"Have a repository that is there name this version of {TOOL}; change nothing else."
)
@click.option("--offline", is_flag=True, help=f"Do not ask the index, and leave {TOOL_LOCK} out.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@options.as_json
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    *,
    folder: Path,
    workflow_commit: str | None,
    keep: bool,
    update: bool,
    offline: bool,
    dry_run: bool,
    as_json: bool,
    **given: str | None,
) -> None:
    """Write all files of a repository for your own components into FOLDER, or into this one.

    Configuration, a first component with its test, Dockerfile, locks, changelog and workflows: it can be released as it
    is. None of this tool's code is among them. On a terminal it asks for what no option and no default says. A file
    that is there is never overwritten; a pyproject.toml without [tool.kfp-release] is completed. The index is asked for
    the hashes of this version of kfp-release, as TWINE_USERNAME and TWINE_PASSWORD, so that CI installs these files and
    no others.

    \b
    kfp-release init forecasts
    kfp-release init --update
    kfp-release init --dry-run --repository 123456789012.dkr.ecr.eu-north-1.amazonaws.com/team/parts \\
        --source https://github.com/team/parts --index-url https://pypi.example.com/simple/

    Exit codes: 0 done, 1 refused or failed, and nothing is written; 2 wrong use.
    """  # noqa: D301 - click reads the \\b
    if keep and update:
        raise click.UsageError("--keep leaves files as they are, and --update changes some of them")
    place = invocation.project / folder
    tool = ToolPin.of(metadata.version(TOOL), workflow_commit or "")
    said = {name.replace("_", "-"): text for name, text in given.items() if text}
    if update and said:
        raise click.UsageError(f"--{next(iter(said))} is for a new repository, and --update changes none of that")
    if update:
        texts = _update(replace(invocation, project=place), tool, offline=offline)
        files = updated_files(place, texts, tool)
    else:
        files = new_files(place, _texts(invocation, _answers(place, said), tool, offline=offline), keep=keep)
    if not dry_run:
        write_files(place, files)
    notes = [*_lacking_rights(files), *_notes(place, folder, files, offline=offline)]
    value = {
        "folder": str(folder),
        "dry_run": dry_run,
        "files": [{"path": file.path, "state": file.state} for file in files],
        "notes": notes,
    }
    invocation.tell(_report(folder, files, notes, dry_run=dry_run), value, as_json=as_json)


def _answers(place: Path, given: Answers) -> dict[str, str]:
    defaults = {
        "distribution": place.resolve().name,
        "source": source_of_remote(git_remote(place)),
        **answers_of(place),
    }
    on_terminal = sys.stdin is not None and sys.stdin.isatty()
    if on_terminal and not is_answered(given, defaults=defaults):
        given = asked(given, defaults)
    return parse_answers(given, defaults=defaults)


def _texts(invocation: Invocation, answers: Answers, tool: ToolPin, *, offline: bool) -> dict[str, str]:
    environ = invocation.environ
    settings = IndexUrls(
        environ.get(UPLOAD_URL) or answers["upload-url"], environ.get(SIMPLE_URL) or answers["index-url"]
    )
    return _locked(invocation, filled_templates(answers, tool), tool, None if offline else settings)


def _update(invocation: Invocation, tool: ToolPin, *, offline: bool) -> dict[str, str]:
    config = invocation.config()
    return _locked(invocation, tool_templates(tool), tool, None if offline else config.require_index())


def _locked(
    invocation: Invocation, texts: Mapping[str, str], tool: ToolPin, index: IndexSettings | None
) -> dict[str, str]:
    """`texts` with the tool's files in its lock, as the index has them; without the lock where none is asked."""
    from kfp_release.console import Console  # noqa: PLC0415 - where the index is asked alone

    if index is None:
        return {path: text for path, text in texts.items() if path != TOOL_LOCK}
    with Console() as console:
        try:
            hashes = tool_hashes(invocation.index(index, console), tool)
        except ReleaseError as error:
            if "--offline" not in error.remedy:
                also = f"--offline leaves {TOOL_LOCK} out"
                error.remedy = f"{error.remedy}; {also}" if error.remedy else also
            raise
    return {**texts, TOOL_LOCK: tool.lock(hashes, texts[TOOL_LOCK])}


def _report(folder: Path, files: Sequence[NewFile], notes: Sequence[str], *, dry_run: bool) -> Report:
    changed = sum(file.state in {"new", "completed", "updated"} for file in files)
    title = f"{folder}: {changed} file{'s' * (changed != 1)} {'to write' if dry_run else 'written'}"
    return Report(title, (Table.of(("file", "is"), [(file.path, file.state) for file in files]),), tuple(notes))


def _lacking_rights(files: Sequence[NewFile]) -> list[str]:
    """What the workflow of an older version does not grant to the one that it calls."""
    data = next((file.data for file in files if file.path == _CALLER), b"")
    if b"/release.yml@" not in data or b"attestations: write" in data or b"write-all" in data:
        return []
    return [f"add attestations: write to the permissions in {_CALLER}: without it GitHub starts no release"]


def _notes(place: Path, folder: Path, files: Sequence[NewFile], *, offline: bool) -> list[str]:
    top = git_top(place)
    notes = [] if top else [f"it is no git repository yet: git init {folder}"]
    if top is not None and top != place.resolve():
        notes.append(f"GitHub reads .github and pre-commit its configuration in {top} alone: move them there")
    if offline:
        notes.append(f"{TOOL_LOCK} is left out: run this again without --offline before CI installs it")
    if any(file.path == ".gitignore" and file.state == "kept" for file in files):
        notes.append("kfp-release operators says what .gitignore lacks")
    return [*notes, "next: commit them, then kfp-release check"]
