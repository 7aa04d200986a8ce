from __future__ import annotations

import pytest

from kfp_release.project_name import BadProjectName, parse_project_name


@pytest.mark.parametrize("text", ["a", "kubeflow-demo-components", "Demo.Parts_2"])
def test_a_project_s_name_is_taken_as_it_is_written(text: str) -> None:
    assert parse_project_name(text) == text


@pytest.mark.parametrize("text", ["", "-a", "a-", "a b", "../a", "a/b", "a?b", "a\n", "\xe4", "\u0661", "a" * 201])
def test_what_no_project_is_called_is_refused(text: str) -> None:
    with pytest.raises(BadProjectName) as caught:
        parse_project_name(text)
    assert caught.value.remedy
