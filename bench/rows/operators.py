"""A package with 1,000 components: what its import costs, and its first use."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Final

from bench import PROJECT
from bench.child import Ran, run_child
from bench.components import component_name, write_components
from bench.figure import Values
from bench.project import PACKAGE
from bench.runner import plain_environ
from bench.stage import Stage
from kfp_release.package_files import package_files

_COUNT: Final = 1_000
_REPOSITORY: Final = "registry.example.com/team/demo"
_PIN: Final = f"{_REPOSITORY}:1.2@sha256:{'a' * 64}"
_IMPORT: Final = "import kubeflow_demo_components.operators"
_MODULES: Final = f"import sys; {_IMPORT}; print(sum(name.partition('.')[0] == 'kfp' for name in sys.modules))"
_FIRST: Final = f"""\
import time, kfp
from kubeflow_demo_components import operators
began = time.process_time()
operators.{component_name(_COUNT // 2)}_op
print((time.process_time() - began) * 1000)
"""
_EAGER: Final = """\
from pathlib import Path
from kfp.components import load_component_from_text
all = [load_component_from_text(path.read_text()) for path in sorted(Path("kubeflow_demo_components/yaml").iterdir())]
"""


def run(stage: Stage) -> dict[str, Values]:
    """Milliseconds of CPU over those of a Python that imports nothing, and modules of kfp that are imported."""
    home = _install(stage.folder / "operators")
    for code in (_IMPORT, _FIRST):  # their bytecode is written once
        _python(home, code)
    imported, eager, first, modules = [], [], [], []
    for number in stage.count(15):
        bare = _python(home, "pass").cpu
        imported.append((_python(home, _IMPORT).cpu - bare) * 1000)
        first.append(float(_python(home, _FIRST).stdout))
        modules.append(float(_python(home, _MODULES).stdout))
        if number <= 3:  # noqa: PLR2004 - seconds each
            eager.append((_python(home, _EAGER).cpu - bare) * 1000)
    return {
        "operators.import": Values(tuple(imported), tuple(eager), "the baseline loads each with kfp as it is imported"),
        "operators.kfp": Values(tuple(modules)),
        "operators.first": Values(tuple(first)),
    }


def _install(home: Path) -> Path:
    """The package as a release's wheel leaves it."""
    package = home / "kubeflow_demo_components"
    shutil.copytree(PROJECT / PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "_operators"))
    for name, data in package_files().items():
        (package / name).parent.mkdir(exist_ok=True)
        (package / name).write_bytes(data)
    unpinned = home / "unpinned"
    write_components(unpinned, [_REPOSITORY], _COUNT)
    (package / "yaml").mkdir()
    command: list[str | Path] = [sys.executable, "-m", "bench.pinning", unpinned, _REPOSITORY, _PIN, package / "yaml"]
    run_child(command, environ=plain_environ(os.environ), folder=PROJECT)
    shutil.rmtree(unpinned)
    components = {f"{file.stem}_op": {"file": file.name, "images": [_PIN]} for file in (package / "yaml").iterdir()}
    images = {"demo": {"pin": _PIN}}
    of = {"distribution": "kubeflow-demo-components", "version": "1.2", "commit": "c0" * 20}
    pins = {"schema": 1, **of, "images": images, "components": components}
    (package / "pins.json").write_text(json.dumps(pins), encoding="utf-8")
    return home


def _python(home: Path, code: str) -> Ran:
    environ = {**plain_environ(os.environ), "PYTHONPATH": str(home)}
    return run_child([sys.executable, "-c", code], environ=environ, folder=home)
