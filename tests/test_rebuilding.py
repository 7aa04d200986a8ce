"""Which rules a rebuilt version's scans are held against."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_config import GOOD

from kfp_release.commands.invocation import Invocation
from kfp_release.commands.rebuilding import scan_rules
from kfp_release.config import Config
from kfp_release.errors import Problems
from kfp_release.scan_rules import ScanRules, Unscanned

COMMITTED = Config.parse(f'{GOOD}\n[tool.kfp-release.scan]\nwarn = "low"\n'.encode(), {})


def rules(project: Path, text: str | None) -> ScanRules:
    if text is not None:
        (project / "pyproject.toml").write_text(text)
    return scan_rules(Invocation(project, environ={}), COMMITTED)


def test_they_are_those_of_the_checkout(tmp_path: Path) -> None:
    given = f'{GOOD}\n[tool.kfp-release.scan]\nrefuse = "critical"\n'
    assert rules(tmp_path, given) == ScanRules("critical", "", Unscanned.WARN)
    assert rules(tmp_path, GOOD) == ScanRules()


@pytest.mark.parametrize("text", [None, "", '[project]\nname = "other"\n', "[tool.ruff]\n"])
def test_where_the_checkout_is_no_project_of_the_tool_they_are_the_commit_s(tmp_path: Path, text: str | None) -> None:
    assert rules(tmp_path, text) == COMMITTED.scan


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + '\n[tool.kfp-release.scan]\nrefuze = "critical"\n', "did you mean refuse?"),
        (GOOD + '\n[tool.kfp-release.scan]\nrefuse = "critcal"\n', "did you mean critical?"),
        (GOOD.replace("tool.kfp-release", "tool.kfp_release"), "rename [tool.kfp_release] to [tool.kfp-release]"),
        ("[tool", "pyproject.toml"),
    ],
)
def test_a_typo_in_the_checkout_s_is_told_and_lifts_nothing(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(Problems) as caught:
        rules(tmp_path, text)
    assert message in str(caught.value)
