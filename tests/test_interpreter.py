from __future__ import annotations

import pytest

from kfp_release.interpreter import DEFAULT_INTERPRETER, BadInterpreter, Interpreter


@pytest.mark.parametrize(
    "path", ["/usr/bin/python3", "/opt/c++/python3.12", "/_/a-b", "/home/.pyenv/...", "/" + "a" * 119]
)
def test_an_absolute_path_of_plain_characters_starts_scripts(path: str) -> None:
    assert str(Interpreter(path)) == path


WRONG = ["", "/", "python", "/opt/app/bin/py thon", "/bin/sh\n/x", "/bin/sh\n", "/" + "a" * 120]
LEADING_ELSEWHERE = ["/x;y", "//x", "/../x", "/a/./x", "/a/..", "/a/", "/é"]


@pytest.mark.parametrize("path", [*WRONG, *LEADING_ELSEWHERE])
def test_what_cannot_start_a_script_is_refused(path: str) -> None:
    with pytest.raises(BadInterpreter, match="cannot start a script") as caught:
        Interpreter(path)
    assert str(DEFAULT_INTERPRETER) in caught.value.remedy
