from __future__ import annotations

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from kfp_release.errors import Problem, Problems
from kfp_release.lock import Lock, lock_problems

HASH = f"--hash=sha256:{'0' * 64}"
LOCK = f"""\
# This file was made by a tool
--only-binary :all:
numpy==2.4.6 ; python_full_version < '3.12' \\
    {HASH} \\
    {HASH}
    # via pandas
numpy==2.5.5 ; python_full_version >= '3.12' \\
    {HASH}
Pandas==3.1.1 {HASH} # via demo
tzdata==2026.6 ; sys_platform == 'win32' \\
    {HASH}
parts @ git+ssh://git@example.org/parts.git@{"1" * 40}
wheel-by-url @ https://example.org/x.whl#sha256={"2" * 64}
"""


def problems(
    *requirements: str, platform: str = "linux/amd64", python: str = ">=3.11", text: str = LOCK
) -> list[Problem]:
    lock = Lock.parse("requirements.lock", text)
    wanted = [Requirement(one) for one in requirements]
    return lock_problems(lock, wanted, extra="image", platforms=[platform], requires_python=SpecifierSet(python))


def test_a_lock_is_read_with_the_lines_of_its_entries() -> None:
    entries = Lock.parse("requirements.lock", LOCK).entries
    assert [(entry.name, str(entry.version), entry.line) for entry in entries] == [
        ("numpy", "2.4.6", 3),
        ("numpy", "2.5.5", 7),
        ("pandas", "3.1.1", 9),
        ("tzdata", "2026.6", 10),
        ("parts", "None", 12),
        ("wheel-by-url", "None", 13),
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (f"a>=1 {HASH}", "'a>=1' is not exact"),
        (f"a==1.* {HASH}", "'a==1.*' is not exact"),
        (f"a===1 {HASH}", "'a===1' is not exact"),
        (f"a {HASH}", "'a' is not exact"),
        (f"a==1,>0 {HASH}", "is not exact"),
        ("a==1", "a==1 has no hash"),
        ("a==1 --hash=md5:0", "a==1 has the hash 'md5:0', which is none"),
        ("a==1 --hash=sha256:00", "has the hash 'sha256:00', which is none"),
        ("a @ git+https://example.org/a.git@main", "is not exact"),
        ("a @ https://example.org/a.whl", "is not exact"),
        ("-r other.txt", "'-r other.txt' points elsewhere"),
        ("-e .", "'-e .' points elsewhere"),
        ("./a.whl", "'./a.whl' is no requirement"),
        (f"a==1 ; python_version ~= '3' {HASH}", "has a marker that cannot be evaluated: Undefined <Op('~=')>"),
        (f"a==1 ; os_name == 'nt' and 'x' in extras {HASH}", "has a marker that cannot be evaluated: 'extras'"),
        (f"a==1 ; 'dev' in dependency_groups {HASH}", "marker that cannot be evaluated: 'dependency_groups'"),
    ],
)
def test_an_entry_that_is_not_exact_is_refused_with_its_line(row: str, message: str) -> None:
    with pytest.raises(Problems) as caught:
        Lock.parse("requirements.lock", f"b==1 {HASH}\n\n{row}\n")
    (problem,) = caught.value.problems
    assert (problem.path, problem.line) == ("requirements.lock", 3)
    assert message in problem.message
    assert problem.remedy


def test_all_entries_that_are_not_exact_are_told_at_once() -> None:
    with pytest.raises(Problems) as caught:
        Lock.parse("requirements.lock", "a\nb\n")
    assert [problem.line for problem in caught.value.problems] == [1, 2]


def test_an_empty_lock_is_one_where_nothing_is_to_be_locked() -> None:
    lock = Lock.parse("requirements.lock", "# nothing\n")
    assert lock.entries == ()
    with pytest.raises(Problems, match="locks nothing"):
        lock.require_entries()


@pytest.mark.parametrize(
    "requirement",
    [
        "pandas",
        "PANDAS>=3,<4",
        "numpy>=2.4",
        "parts",
        "absent ; sys_platform == 'win32'",
        "absent ; python_version < '3.9'",
        "absent ; platform_machine == 'aarch64'",
    ],
)
def test_a_requirement_that_is_met_is_no_problem(requirement: str) -> None:
    assert problems(requirement) == []


@pytest.mark.parametrize(
    ("requirement", "line", "message"),
    [
        ("absent>=1", 0, "locks no absent, and the extra `image` wants absent>=1"),
        ("pandas>=4", 9, "locks pandas 3.1.1, and the extra `image` wants pandas>=4"),
        ("numpy>=2.5", 3, "locks numpy 2.4.6, and the extra `image` wants numpy>=2.5"),
        ("tzdata", 0, "locks no tzdata"),
    ],
)
def test_a_requirement_that_is_not_met_is_told_with_the_lock_s_line(requirement: str, line: int, message: str) -> None:
    (problem,) = problems(requirement)
    assert problem.line == line
    assert message in problem.message
    assert "compile it anew" in problem.remedy


def test_an_entry_for_pythons_that_the_project_does_not_have_is_not_looked_at() -> None:
    assert problems("numpy>=2.5", python=">=3.12") == []


def test_the_platform_s_machine_counts() -> None:
    assert [
        problem.message[:15] for problem in problems("b ; platform_machine == 'aarch64'", platform="linux/arm64")
    ] == ["locks no b, and"]
