"""Real builds by buildah, from a base image in a private registry on loopback."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conftest import commit_all, run_git
from ecr_fixtures import PASSWORD, running_ecr
from processes import everyone, mounts_below, naming, still_running

from kfp_release.buildah import BUILT, Buildah, BuildRequest, host_platform
from kfp_release.cache import cache_folder
from kfp_release.errors import ReleaseError
from kfp_release.image import normal_runtime
from kfp_release.layout import Layout
from kfp_release.progress import Silent
from kfp_release.registry_login import RegistryLogin
from kfp_release.sandbox.base import PACKAGES, base_image, push_base
from kfp_release.sandbox.packages import ensure
from kfp_release.sandbox.process import Process, start_on_free_port

HELLO = b"""\
ARG BASE
FROM ${BASE} AS builder
ARG GREETING
COPY folder /folder
RUN export SOURCE_DATE_EPOCH=315532800 && python3 -m venv --without-pip /opt/app && python3 -m compileall -q /folder \\
 && /folder/run.sh > /opt/app/said && echo "$GREETING" >> /opt/app/said
FROM ${BASE}
COPY --from=builder /opt/app /opt/app
COPY --from=builder /folder /folder
ENV PATH=/opt/app/bin:${PATH}
USER 65532:65532
"""
CONTEXT = {
    "folder/run.sh": (0o755, b"#!/bin/sh\necho ran\n"),
    "folder/module.py": (0o644, b"VALUE = 1\n"),
}


@dataclass
class Notes(Silent):
    """Progress that remembers its notes."""

    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.notes.append(text)


@dataclass(frozen=True)
class Base:
    """A base image with git and ssh in a private registry."""

    ref: str
    login: RegistryLogin


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    ensure("buildah", "mmdebstrap", progress=Silent())
    packages = (*PACKAGES, "git", "openssh-client")
    with running_ecr(tmp_path_factory.mktemp("ecr")) as ecr:
        store = ecr.repository("base/git")
        layout = base_image(cache_folder(), progress=Silent(), packages=packages)
        yield Base(str(push_base(layout, store, progress=Silent())), store.login())


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A storage of the tests' own; nobody's images are touched."""
    folder = tmp_path_factory.mktemp("storage")
    yield folder
    buildah(folder, "rmi", "--all", "--force")


def buildah(storage: Path, *arguments: str) -> str:
    command = ["buildah", f"--root={storage}/root", f"--runroot={storage}/run", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def request(base: Base, dockerfile: bytes, **changed: object) -> BuildRequest:
    values: dict[str, object] = {"context": {}, "build_args": {"BASE": base.ref}, "platform": host_platform()}
    return BuildRequest(dockerfile, login=base.login, **{**values, **changed})  # type: ignore[arg-type]


def layers(layout: Layout) -> list[bytes]:
    """The tars of the image's layers, one after the other in memory."""
    tars = []
    for descriptor in layout.image(BUILT).manifest.layers:
        with layout.blob(descriptor).open() as file:
            tars.append(gzip.decompress(file.read()))
    return tars


def test_a_dockerfile_becomes_a_layout(base: Base, storage: Path, tmp_path: Path) -> None:
    progress = Notes()
    hello = request(base, HELLO, context=CONTEXT, build_args={"BASE": base.ref, "GREETING": "hej"})
    layout = Buildah(storage=storage).build(hello, tmp_path / "layout", progress=progress)
    image = normal_runtime(layout.image(BUILT))
    assert image.config.platform == host_platform()
    assert image.config.environment["PATH"].startswith("/opt/app/bin:")
    assert b"ran\nhej\n" in b"".join(layers(layout))
    assert any("STEP 1/" in note for note in progress.notes)
    assert buildah(storage, "containers", "--all", "--quiet") == ""


def test_two_builds_without_a_cache_give_the_same_bytes(
    base: Base, storage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = []
    for name in ("here", "somewhere/else"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        monkeypatch.chdir(folder)
        hello = request(base, HELLO, context=CONTEXT)
        images.append(Buildah(storage=storage, cache=False).build(hello, folder / "layout", progress=Silent()))
    first, second = (layout.image(BUILT) for layout in images)
    assert first.manifest.data == second.manifest.data
    assert b".pyc" in b"".join(layers(images[0]))


def test_a_runtime_does_not_tell_where_its_base_came_from(base: Base, storage: Path, tmp_path: Path) -> None:
    layout = Buildah(storage=storage).build(
        request(base, HELLO, context=CONTEXT), tmp_path / "layout", progress=Silent()
    )
    runtime = normal_runtime(layout.image(BUILT))
    assert base.login.host.encode() not in runtime.config.data + runtime.manifest.data


MOUNTING = b"""\
ARG BASE
FROM ${BASE}
RUN --mount=type=bind,source=folder/module.py,target=/run/module.py cp /run/module.py /copy.py
"""


def test_a_file_that_a_step_mounts_is_that_of_this_build(base: Base, storage: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        context = {"folder/module.py": (0o644, b"VALUE = %d\n" % number)}
        layout = Buildah(storage=storage).build(
            request(base, MOUNTING, context=context), tmp_path / f"layout-{number}", progress=Silent()
        )
        assert b"VALUE = %d\n" % number in b"".join(layers(layout))


SECRET_DOCKERFILE = b"""\
ARG BASE
FROM ${BASE}
RUN --mount=type=secret,id=token,target=/run/token sha256sum /run/token > /used
"""
TOKEN = b"a-token-that-nobody-may-see-3141592653589793"


def file_names(layout: Layout) -> set[str]:
    """Of all files in the layers, without those of the base image's."""
    names = set()
    for tar in layers(layout)[1:]:
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            names |= {member.name for member in archive if not member.isdir()}
    return names


def test_where_a_secret_was_mounted_no_file_is_left(base: Base, storage: Path, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_bytes(TOKEN)
    dockerfile = b"ARG BASE\nFROM ${BASE}\n"
    for number, target in enumerate((b",target=/root/.netrc", b",target=/opt/new/folder/netrc", b"")):
        dockerfile += b"RUN --mount=type=secret,id=netrc%s echo > /made-%d\n" % (target, number)
    wanted = request(base, dockerfile, secrets=(f"id=netrc,src={tmp_path}/netrc",))
    layout = Buildah(storage=storage).build(wanted, tmp_path / "layout", progress=Silent())
    assert {name for name in file_names(layout) if "netrc" in name} == set()
    assert {"made-0", "made-1", "made-2"} <= file_names(layout)


def test_a_secret_is_seen_by_the_build_and_is_in_no_layer(base: Base, storage: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(TOKEN)
    wanted = request(base, SECRET_DOCKERFILE, secrets=(f"id=token,src={tmp_path}/token",))
    layout = Buildah(storage=storage).build(wanted, tmp_path / "layout", progress=Silent())
    content = b"".join(layers(layout)) + layout.image(BUILT).config.data
    assert hashlib.sha256(TOKEN).hexdigest().encode() in content
    assert TOKEN not in content


def test_a_secret_that_a_dockerfile_keeps_would_be_seen(base: Base, storage: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(TOKEN)
    careless = SECRET_DOCKERFILE.replace(b"sha256sum", b"cat")
    wanted = request(base, careless, secrets=(f"id=token,src={tmp_path}/token",))
    layout = Buildah(storage=storage).build(wanted, tmp_path / "layout", progress=Silent())
    assert TOKEN in b"".join(layers(layout))


PRIVATE_PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
PRIVATE_BACKEND = """\
import zipfile

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = "private_part-1.0-py3-none-any.whl"
    with zipfile.ZipFile(f"{wheel_directory}/{name}", "w") as wheel:
        wheel.write("private_part.py")
        info = "private_part-1.0.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: private-part\\nVersion: 1.0\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name
"""
PRIVATE_CODE = "ANSWER = 'only for us'\n"
PRIVATE_DOCKERFILE = b"""\
ARG BASE
FROM ${BASE} AS builder
ARG WHERE
COPY known_hosts /known_hosts
RUN --mount=type=ssh export GIT_SSH_COMMAND="ssh -o UserKnownHostsFile=/known_hosts -o StrictHostKeyChecking=yes" \\
 && python3 -m venv /opt/app && /opt/app/bin/pip install --no-index --no-deps "git+ssh://${WHERE}"
FROM ${BASE}
COPY --from=builder /opt/app /opt/app
"""


@pytest.fixture
def private_repository(tmp_path: Path) -> Path:
    folder = tmp_path / "private-part"
    folder.mkdir()
    for name, text in {
        "pyproject.toml": PRIVATE_PYPROJECT,
        "backend.py": PRIVATE_BACKEND,
        "private_part.py": PRIVATE_CODE,
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    run_git(folder, "init", "--quiet")
    commit_all(folder, "A private part")
    return folder


@contextmanager
def running_sshd(folder: Path) -> Iterator[int]:
    """An sshd that lets this user in with the key ``folder/key``, on the port that it gives."""
    ensure("sshd", "ssh", progress=Silent())
    for key in ("key", "host"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
    # As root it asks PAM, for an account without a password is a locked one to sshd itself.
    lines = ["ListenAddress 127.0.0.1", f"HostKey {folder}/host", "PidFile none"]
    lines += [f"UsePAM {'yes' if os.geteuid() == 0 else 'no'}", "KbdInteractiveAuthentication no"]
    lines += [f"AuthorizedKeysFile {folder}/key.pub", "StrictModes no", "PasswordAuthentication no"]
    lines += ["PermitRootLogin prohibit-password", f"AllowUsers {user()}"]
    (folder / "sshd_config").write_text("\n".join(lines) + "\n", encoding="utf-8")
    separation = Path("/run/sshd")  # sshd as root insists on it; the service makes it where it runs
    made = os.geteuid() == 0 and not separation.exists()
    if made:
        separation.mkdir(mode=0o755)
    program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin") or "sshd"

    def start(port: int) -> Process:
        command = [program, "-D", "-e", "-f", str(folder / "sshd_config"), "-p", str(port)]
        sshd = Process.start(command, name="sshd", log=folder / "sshd.log")
        sshd.wait_until(lambda: "Server listening" in sshd.tail(), seconds=30)
        return sshd

    with ExitStack() as stack:
        if made:
            stack.callback(separation.rmdir)
        sshd, port = start_on_free_port(start, memory=folder / "port")
        stack.callback(sshd.stop)
        yield port


def user() -> str:
    """Whose process this is, whatever LOGNAME says."""
    return pwd.getpwuid(os.geteuid()).pw_name


def test_a_private_git_dependency_comes_over_ssh_and_its_key_is_in_no_layer(
    base: Base, storage: Path, tmp_path: Path, private_repository: Path
) -> None:
    commit = run_git(private_repository, "rev-parse", "HEAD").strip()
    with running_sshd(tmp_path) as port:
        known = f"[127.0.0.1]:{port} {(tmp_path / 'host.pub').read_text(encoding='utf-8')}"
        where = f"{user()}@127.0.0.1:{port}{private_repository}@{commit}"
        wanted = request(
            base,
            PRIVATE_DOCKERFILE,
            context={"known_hosts": (0o644, known.encode())},
            build_args={"BASE": base.ref, "WHERE": where},
            ssh=(f"default={tmp_path}/key",),
        )
        layout = Buildah(storage=storage).build(wanted, tmp_path / "layout", progress=Silent())
    content = b"".join(layers(layout)) + layout.image(BUILT).config.data
    assert PRIVATE_CODE.encode() in content
    key = (tmp_path / "key").read_bytes().splitlines()[1:-1]
    assert len(key) > 3
    assert not [line for line in key if line in content]
    assert b"PRIVATE KEY" not in b"".join(layers(layout)[1:])


def test_a_build_without_the_key_fails_with_what_ssh_said(
    base: Base, storage: Path, tmp_path: Path, private_repository: Path
) -> None:
    with running_sshd(tmp_path) as port:
        known = f"[127.0.0.1]:{port} {(tmp_path / 'host.pub').read_text(encoding='utf-8')}"
        where = f"{user()}@127.0.0.1:{port}{private_repository}"
        wanted = request(
            base,
            PRIVATE_DOCKERFILE,
            context={"known_hosts": (0o644, known.encode())},
            build_args={"BASE": base.ref, "WHERE": where},
        )
        with pytest.raises(ReleaseError, match="Permission denied"):
            Buildah(storage=storage).build(wanted, tmp_path / "layout", progress=Silent())


def test_a_step_that_fails_shows_its_last_lines_and_leaves_nothing(base: Base, storage: Path, tmp_path: Path) -> None:
    wanted = request(base, b"ARG BASE\nFROM ${BASE}\nRUN echo no such wheel >&2 && exit 3\n")
    with pytest.raises(ReleaseError) as caught:
        Buildah(storage=storage).build(wanted, tmp_path / "layout", progress=Silent())
    assert "the runtime could not be built: buildah ended with exit code" in str(caught.value)
    assert "    no such wheel" in str(caught.value)
    assert "mend what the lines above tell" in caught.value.remedy
    assert not (tmp_path / "layout").exists()
    assert buildah(storage, "containers", "--all", "--quiet") == ""


def test_an_interrupted_build_leaves_nothing_running(base: Base, storage: Path, tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from kfp_release.buildah import Buildah, BuildRequest
from kfp_release.registry_login import RegistryLogin
from kfp_release.progress import Silent
base, host, username, storage, target, platform = sys.argv[1:]
login = RegistryLogin(host, username, sys.stdin.read())
dockerfile = b"ARG BASE\\nFROM ${BASE}\\nRUN sleep " + str(31000 + 415).encode() + b"\\n"
request = BuildRequest(dockerfile, {}, {"BASE": base}, platform, login=login)
Buildah(storage=Path(storage)).build(request, Path(target), progress=Silent())
"""
    arguments = [base.ref, base.login.host, base.login.username, str(storage), str(tmp_path / "x"), host_platform()]
    child = subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdin
    child.stdin.write(PASSWORD)
    child.stdin.close()
    child.stdin = None
    try:
        while not naming("sleep 31415"):
            assert child.poll() is None
            time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=60)
    finally:
        child.kill()
    assert "KeyboardInterrupt" in errors
    assert still_running(naming("sleep 31415") | naming(storage)) == []
    assert buildah(storage, "containers", "--all", "--quiet") == ""


FRESH = """
import sys
from pathlib import Path
from kfp_release.buildah import BuildRequest, fresh_buildah
from kfp_release.errors import ReleaseError
from kfp_release.progress import Silent
from kfp_release.registry_login import RegistryLogin
from kfp_release.signals import signals_end_the_block
base, host, username, target, platform = sys.argv[1:]
login = RegistryLogin(host, username, sys.stdin.read())
dockerfile = b"ARG BASE\\nFROM scratch AS empty\\nCOPY a /a\\nFROM ${BASE}\\nCOPY --from=empty /a /a\\n"
dockerfile += b"RUN sleep " + str(27000 + 182).encode() + b"\\n"
request = BuildRequest(dockerfile, {"a": (0o644, b"a")}, {"BASE": base}, platform, login=login)
with signals_end_the_block(), fresh_buildah() as buildah:
    try:
        buildah.build(request, Path(target), progress=Silent())
    except ReleaseError:
        sys.exit(7)
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143), (signal.SIGKILL, 7)]
)
def test_a_fresh_build_that_is_cut_off_leaves_nothing_mounted(
    base: Base, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """SIGKILL is for buildah itself, which then cleans up nothing."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    arguments = [base.ref, base.login.host, base.login.username, str(tmp_path / "x"), host_platform()]
    child = subprocess.Popen(
        [sys.executable, "-c", FRESH, *arguments],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(scratch)},
    )
    assert child.stdin
    child.stdin.write(PASSWORD)
    child.stdin.close()
    child.stdin = None
    try:
        while "sleep 27182" not in everyone():  # the program itself: whoever is to start it has its name before
            assert child.poll() is None
            time.sleep(0.05)
        if number is signal.SIGKILL:
            for one in naming(f"--root={scratch}") | naming("sleep 27182"):
                os.kill(one.pid, number)
        else:
            child.send_signal(number)
        _, errors = child.communicate(timeout=120)
    finally:
        child.kill()
    assert child.returncode == code, errors
    assert still_running(naming("sleep 27182") | naming(scratch)) == []
    assert mounts_below(scratch) == []
    assert list(scratch.glob("kfp-release-*")) == []


def test_a_password_is_in_no_argument_and_its_file_is_for_the_user_alone(
    base: Base, storage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, real = tmp_path / "log", shutil.which("buildah")
    wrapper = tmp_path / "bin" / "buildah"
    wrapper.parent.mkdir()
    wrapper.write_text(
        f"""#!/bin/sh
echo "$@" >> {log}
for word in "$@"; do case "$word" in --authfile=*) stat -c 'mode %a' "${{word#--authfile=}}" >> {log};; esac; done
exec {real} "$@"
""",
        encoding="utf-8",
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
    wanted = request(base, HELLO, context=CONTEXT)
    Buildah(storage=storage).build(wanted, tmp_path / "layout", progress=Silent())
    said = log.read_text(encoding="utf-8")
    assert "mode 600" in said
    assert "--authfile=" in said
    assert PASSWORD not in said
    authfile = said.partition("--authfile=")[2].split()[0]
    assert not Path(authfile).exists()


def test_a_private_base_without_a_login_says_how_to_log_in(base: Base, tmp_path: Path) -> None:
    wanted = BuildRequest(b"ARG BASE\nFROM ${BASE}\n", {}, {"BASE": base.ref}, host_platform())
    with pytest.raises(ReleaseError) as caught:
        Buildah(storage=tmp_path / "storage").build(wanted, tmp_path / "layout", progress=Silent())
    assert "buildah login" in caught.value.remedy
    assert PASSWORD not in str(caught.value)


def test_a_platform_that_the_base_is_not_of_is_refused(base: Base, storage: Path, tmp_path: Path) -> None:
    other = "linux/arm64" if host_platform() == "linux/amd64" else "linux/amd64"
    wanted = request(base, b"ARG BASE\nFROM ${BASE}\nCOPY a /a\n", platform=other, context={"a": (0o644, b"a")})
    with pytest.raises(ReleaseError) as caught:
        Buildah(storage=storage).build(wanted, tmp_path / "layout", progress=Silent())
    assert f"its base image {base.ref} is for {host_platform()}, and {other} was asked for" in str(caught.value)


def test_without_buildah_the_error_says_how_to_get_it(
    base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReleaseError, match="buildah is not installed") as caught:
        Buildah().build(request(base, HELLO), tmp_path / "layout", progress=Silent())
    assert "apt-get install buildah" in caught.value.remedy


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x"])
def test_no_file_leaves_the_context(base: Base, storage: Path, tmp_path: Path, name: str) -> None:
    wanted = request(base, HELLO, context={name: (0o644, b"x")})
    with pytest.raises(ReleaseError, match="outside of the build's context"):
        Buildah(storage=storage).build(wanted, tmp_path / "layout", progress=Silent())
