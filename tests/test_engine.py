"""The Docker engine: one that answers is used and left alone; a private one leaves nothing behind."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from processes import command_line, descendants, naming, still_running

from kfp_release.errors import ReleaseError
from kfp_release.progress import Silent
from kfp_release.sandbox.engine import Engine
from kfp_release.sandbox.network import without_docker
from kfp_release.sandbox.packages import ensure
from kfp_release.sandbox.privilege import find, root_prefix

needs_root = pytest.mark.skipif(root_prefix() is None, reason="a Docker engine is started by root alone")

NOWHERE = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
"""No engine answers, whatever runs on this machine."""


pytestmark = pytest.mark.usefixtures("engines_turn")


@pytest.fixture(scope="module", autouse=True)
def docker() -> None:
    if root_prefix() is not None:
        ensure("dockerd", "docker", progress=Silent())


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(tmp_path / "engine", environ=NOWHERE, progress=Silent())
    engine.start()
    yield engine
    engine.stop()


def run_docker(engine: Engine, *arguments: str, data: bytes = b"") -> str:
    done = subprocess.run(
        [engine.client, "--host", engine.host, *arguments], input=data, capture_output=True, check=True
    )
    return done.stdout.decode()


def image_of_echo() -> bytes:
    """A root file system with one program and the libraries that it needs."""
    libraries = [word for word in subprocess.check_output(["ldd", "/bin/echo"], text=True).split() if word[0] == "/"]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", dereference=True) as archive:
        for name in ("/bin/echo", *libraries):
            archive.add(name)
    return buffer.getvalue()


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(300):
        if condition():
            return
        time.sleep(0.1)
    pytest.fail("it did not come to that within 30 s")


@needs_root
def test_a_private_engine_runs_containers_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "engine"
    engine = Engine(folder, environ=NOWHERE, progress=Silent())
    engine.start()
    try:
        assert engine.is_private
        run_docker(engine, "import", "-", "echo:1", data=image_of_echo())
        assert run_docker(engine, "run", "--rm", "echo:1", "/bin/echo", "hello") == "hello\n"
    finally:
        engine.stop()
    assert still_running(naming(folder)) == []
    assert str(folder) not in Path("/proc/self/mounts").read_text(encoding="utf-8")
    assert sorted(path.name for path in folder.iterdir()) == ["daemon.json", "dockerd.log"]


@needs_root
def test_the_stacks_of_a_slow_containerd_are_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # dockerd asks a containerd that does not answer in time for its stacks, as a busy machine can have it.
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    engine = Engine(tmp_path / "engine", environ=NOWHERE, progress=Silent())
    engine.start()
    try:
        run = Path(engine.host.removeprefix("unix://")).parent
        (pid,) = (one.pid for one in descendants(os.getpid()) if f"containerd --config {run}" in command_line(one.pid))
        os.kill(pid, signal.SIGUSR1)
        wait_for((run / "tmp" / f"containerd.{pid}.stacks.log").exists)
    finally:
        engine.stop()
    assert list(temporary.iterdir()) == []
    assert sorted(path.name for path in (tmp_path / "engine").iterdir()) == ["daemon.json", "dockerd.log"]


@pytest.mark.skipif(os.geteuid() != 0, reason="it is root's folder")
def test_the_machine_s_own_containerd_is_left_alone(tmp_path: Path) -> None:
    # dockerd would hand its containers to it, and it does not see what is mounted for them.
    theirs = Path("/run/containerd/containerd.sock")
    with ExitStack() as stack:
        if not theirs.exists():
            if not theirs.parent.exists():
                theirs.parent.mkdir()
                stack.callback(theirs.parent.rmdir)
            stack.callback(theirs.unlink)
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(theirs))
        engine = Engine(tmp_path / "engine", environ=NOWHERE, progress=Silent())
        stack.callback(engine.stop)
        engine.start()
        run_docker(engine, "import", "-", "echo:1", data=image_of_echo())
        assert run_docker(engine, "run", "--rm", "--network=none", "echo:1", "/bin/echo", "hello") == "hello\n"
        assert any("containerd --config" in command_line(one.pid) for one in descendants(os.getpid()))


@needs_root
def test_an_engine_that_answers_is_used_and_left_running(engine: Engine, tmp_path: Path) -> None:
    second = Engine(tmp_path / "second", environ={"DOCKER_HOST": engine.host}, progress=Silent())
    second.start()
    assert (second.host, second.is_private) == (engine.host, False)
    second.stop()
    assert run_docker(engine, "version", "--format", "{{.Server.Version}}")
    assert not (tmp_path / "second").exists()


@needs_root
def test_an_engine_on_another_machine_cannot_pull_from_here_and_is_not_used(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "engine", environ={"DOCKER_HOST": "tcp://192.0.2.1:2375"}, progress=Silent())
    engine.start()
    try:
        assert engine.is_private
    finally:
        engine.stop()


@needs_root
@pytest.mark.parametrize("length", [104, 105, 200])
def test_a_folder_too_deep_for_a_socket_is_no_obstacle(length: int) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        deep = "d" * (length - len(f"{short}//run/containerd/containerd-debug.sock"))
        engine = Engine(Path(short, deep), environ=NOWHERE, progress=Silent())
        engine.start()
        endpoint = Path(engine.host.removeprefix("unix://"))
        try:
            assert run_docker(engine, "version", "--format", "{{.Server.Version}}")
            assert endpoint.is_relative_to(short) == (length <= 104)
        finally:
            engine.stop()
        assert not endpoint.parent.exists()


@needs_root
def test_a_machine_without_a_firewall_gets_an_engine_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    names = ("containerd", "containerd-shim-runc-v2", "runc", "docker-init", "docker-proxy", "docker", "setpriv")
    for name in (*names, "env", "sh", "mkdir", "mount", "unshare", "kill", "rm", "sysctl", "ip"):
        if path := find(name):
            (tools / name).symlink_to(path)
    dockerd = find("dockerd")
    assert dockerd is not None
    (tools / "dockerd").symlink_to(dockerd)
    monkeypatch.setenv("PATH", str(tools))
    engine = Engine(tmp_path / "engine", environ=NOWHERE, progress=Silent())
    engine.start()
    try:
        assert engine.is_private
    finally:
        engine.stop()


@needs_root
def test_an_engine_ends_with_the_program_that_started_it_even_when_that_is_killed(tmp_path: Path) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from kfp_release.progress import Silent
from kfp_release.sandbox.engine import Engine
engine = Engine(Path(sys.argv[1]), environ={"DOCKER_HOST": "unix:///nowhere"}, progress=Silent())
engine.start()
print(engine.host, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    folder = tmp_path / ("d" * 100)
    done = subprocess.run([sys.executable, "-c", script, folder], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    left = Path(done.stdout.strip().removeprefix("unix://")).parent
    assert still_running(naming(folder)) == []
    assert left.exists()
    engine = Engine(folder, environ=NOWHERE, progress=Silent())
    engine.start()
    engine.stop()
    assert not left.exists()
    assert sorted(path.name for path in folder.iterdir()) == ["daemon.json", "dockerd.log"]


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("ip") is None, reason="a network of its own takes root and ip")
def test_bridge_and_firewall_are_as_before() -> None:
    script = """
import json, pathlib, socket, subprocess, tempfile
from kfp_release.progress import Silent
from kfp_release.sandbox.engine import Engine

def look():
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True).stdout
    return [sorted(name for _, name in socket.if_nameindex()),
            [line for line in rules.splitlines() if line[0] not in "#*" and line != "COMMIT" and "[0:0]" not in line],
            [line for line in rules.splitlines() if "DOCKER" in line],
            pathlib.Path("/proc/sys/net/ipv4/ip_forward").read_text().strip()]

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
subprocess.run(["iptables", "-A", "FORWARD", "-s", "192.0.2.0/24", "-j", "DROP"])
pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("0")
with tempfile.TemporaryDirectory() as folder:
    engine = Engine(pathlib.Path(folder), environ={"DOCKER_HOST": "unix:///nowhere"}, progress=Silent())
    seen = [look()]
    engine.start()
    seen.append(look())
    engine.stop()
    seen.append(look())
print(json.dumps(seen))
"""
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", script], capture_output=True, check=True, text=True
    )
    before, during, after = json.loads(done.stdout)
    assert "docker0" in during[0]
    assert after == before


@pytest.mark.skipif(os.geteuid() != 0, reason="a sudo that needs no configuration is one of root's")
def test_what_sudo_started_sudo_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    sudo = tools / "sudo"
    sudo.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {tmp_path}/log\nshift\nexec "$@"\n', encoding="utf-8")
    sudo.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    folder = tmp_path / "engine"
    engine = Engine(folder, environ=NOWHERE, progress=Silent())
    engine.start()
    pid = (folder / "dockerd.pid").read_text(encoding="utf-8")
    engine.stop()
    calls = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert f"-n kill -TERM {pid}" in calls
    assert any(call.startswith("-n rm -rf --one-file-system") for call in calls)
    assert still_running(naming(folder)) == []


def test_who_cannot_start_an_engine_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("dockerd", "docker"):
        (tools / name).symlink_to("/bin/true")
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    engine = Engine(tmp_path / "engine", environ=NOWHERE, progress=Silent())
    with pytest.raises(ReleaseError, match=r"by root alone, and none answers\n.*set DOCKER_HOST, or run this as root"):
        engine.start()
    engine.stop()


@needs_root
def test_an_engine_that_does_not_start_shows_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    broken = tools / "dockerd"
    broken.write_text("#!/bin/sh\necho no cgroups here >&2\nexit 1\n", encoding="utf-8")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    engine = Engine(tmp_path / "engine", environ=NOWHERE, progress=Silent())
    with pytest.raises(
        ReleaseError, match=r"dockerd ended with exit code 1(.|\n)*no cgroups here(.|\n)*read .*dockerd.log"
    ):
        engine.start()
    assert not engine.is_private


DOCKERS = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A FORWARD -s 10.0.0.0/8 -j ACCEPT
-A DOCKER-USER -j RETURN
COMMIT
*mangle
:FORWARD DROP [0:0]
COMMIT
"""


@pytest.mark.parametrize(
    ("before", "policy"),
    {
        "": "ACCEPT",
        "*filter\n:FORWARD ACCEPT [1:2]\nCOMMIT": "ACCEPT",
        "*filter\n:FORWARD DROP [1:2]\nCOMMIT": "DROP",
    }.items(),
)
def test_docker_s_rules_go_and_others_stay(before: str, policy: str) -> None:
    assert without_docker(DOCKERS, before=before) == (
        f"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD {policy} [0:0]\n-A FORWARD -s 10.0.0.0/8 -j ACCEPT\nCOMMIT\n"
    )


@pytest.mark.parametrize(
    ("rules", "before"), [("", ""), (DOCKERS, DOCKERS), ("*nat\n:INPUT ACCEPT [0:0]\nCOMMIT\n", "")]
)
def test_rules_that_are_not_ours_are_left_alone(rules: str, before: str) -> None:
    assert without_docker(rules, before=before) == ""
