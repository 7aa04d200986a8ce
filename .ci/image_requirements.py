"""Print what the extra ``image`` declares, one requirement a line: the input of requirements.lock."""

import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
print("\n".join(project["optional-dependencies"]["image"]))
