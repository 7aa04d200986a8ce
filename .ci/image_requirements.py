"""Print what an extra declares, one requirement a line: the input of an image's lock.

python .ci/image_requirements.py training
"""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
print("\n".join(project["optional-dependencies"][sys.argv[1]]))
