"""The sandbox as a whole, and its command: what it gives, what it keeps to itself, and that it ends."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from ecr_fixtures import ecr_of
from processes import everyone, naming, still_running
from test_index import sha256, wheel

from kfp_release.credentials import Credentials
from kfp_release.envelope import Envelope
from kfp_release.errors import ReleaseError
from kfp_release.index import Index
from kfp_release.index_settings import IndexUrls
from kfp_release.kms import KmsKey
from kfp_release.kms_key_name import KmsKeyName
from kfp_release.public_key import PublicKey
from kfp_release.sandbox import Sandbox
from kfp_release.sandbox.environment import exports

SECRETS = ("AWS_SECRET_ACCESS_KEY", "TWINE_PASSWORD")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("sandbox"), base=False, kms=True) as sandbox:
        yield sandbox


def index_of(sandbox: Sandbox) -> Index:
    environ = sandbox.environ
    settings = IndexUrls(environ["TWINE_REPOSITORY_URL"], environ["KFP_RELEASE_SIMPLE_URL"])
    return Index(settings, Credentials.from_environment(environ))


def left_of(folder: Path) -> list[str]:
    """Processes that name the folder, a moment later."""
    return still_running(naming(folder))


def test_its_environment_leads_aws_s_own_client_to_it(running: Sandbox) -> None:
    script = "import boto3; print(boto3.client('ecr').meta.endpoint_url, boto3.client('ecr').describe_repositories())"
    theirs = {"AWS_PROFILE": "work", "AWS_SESSION_TOKEN": "token", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **theirs, **running.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith(running.environ["AWS_ENDPOINT_URL_ECR"]), done.stderr
    assert "'repositories': []" in done.stdout


def test_its_index_takes_and_gives_files(running: Sandbox, tmp_path: Path) -> None:
    path = wheel(tmp_path, "1.0")
    index_of(running).upload(path)
    assert index_of(running).files("demo-components")[path.name].sha256 == sha256(path)
    assert sha256(running.packages / path.name) == sha256(path)
    environ = {**os.environ, "PIP_INDEX_URL": running.pip_index_url, "PIP_CONFIG_FILE": os.devnull}
    target = tmp_path / "downloaded"
    arguments = ["download", "--quiet", "--no-deps", "--no-cache-dir", f"--dest={target}", "demo-components==1.0"]
    subprocess.run([sys.executable, "-m", "pip", *arguments], env=environ, check=True)
    assert sha256(target / path.name) == sha256(path)


def test_its_index_sends_on_for_what_it_does_not_have(running: Sandbox) -> None:
    answer = requests.get(f"{running.pip_index_url}kfp/", allow_redirects=False, timeout=30)
    location = urlsplit(answer.headers["Location"])
    assert location.scheme == "https"
    assert location.path == "/simple/kfp/"


def test_its_index_is_not_held_up_by_an_idle_client(running: Sandbox) -> None:
    url = urlsplit(running.environ["KFP_RELEASE_SIMPLE_URL"])
    with socket.create_connection((url.hostname or "", url.port or 0)):
        assert index_of(running).files("demo-components") is not None


@pytest.mark.parametrize("what", ["KFP_RELEASE_SIMPLE_URL", "AWS_ENDPOINT_URL_ECR", "KFP_RELEASE_REGISTRY"])
def test_it_listens_on_loopback_alone_and_asks_who_comes(what: str, running: Sandbox) -> None:
    value = running.environ[what]
    url = urlsplit(value if "//" in value else f"http://{value}/v2/")
    listening = [
        line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"
    ]
    assert [local for local in listening if int(local.partition(":")[2], 16) == url.port] == [
        f"0100007F:{url.port:04X}"
    ]
    connection = http.client.HTTPConnection(url.netloc, timeout=30)
    method = "POST" if what.startswith("AWS") else "GET"
    connection.request(method, url.path or "/", body=b"{}" if method == "POST" else None)
    assert connection.getresponse().status in {400, 401, 403}
    connection.close()


def test_its_secrets_are_for_this_user_alone_and_in_no_argument(running: Sandbox) -> None:
    assert stat.S_IMODE(running.folder.stat().st_mode) == 0o700
    holders = set()
    for path in running.folder.rglob("*"):
        if path.is_file() and any(running.environ[name].encode() in path.read_bytes() for name in SECRETS):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            holders.add(path.name)
    assert holders == {"access.json", "environment"}
    assert stat.S_IMODE((running.folder / "docker/config.json").stat().st_mode) == 0o600
    shown = " ".join(everyone())
    assert not any(running.environ[name] in shown for name in SECRETS)


def test_its_environment_leads_to_a_key_that_signs(running: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in running.environ.items():
        monkeypatch.setenv(name, value)
    key = KmsKey(KmsKeyName.parse(running.environ["KFP_RELEASE_SIGNING_KEY"]))
    assert key.sign(Envelope(b"{}", "x")).is_signed_by(PublicKey.parse(running.signing_key().read_bytes()))
    assert urlsplit(running.environ["AWS_ENDPOINT_URL_KMS"]).hostname == "127.0.0.1"
    assert stat.S_IMODE((running.folder / "kms/private.pem").stat().st_mode) == 0o600


def test_a_sandbox_without_kms_says_so(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="this sandbox has no KMS"):
        Sandbox(tmp_path).signing_key()


def test_docker_s_configuration_has_the_registry_s_login(running: Sandbox) -> None:
    config = json.loads(Path(running.environ["DOCKER_CONFIG"], "config.json").read_text(encoding="utf-8"))
    assert list(config["auths"]) == [running.environ["KFP_RELEASE_REGISTRY"]]


def test_a_shell_reads_its_environment(running: Sandbox) -> None:
    done = subprocess.run(
        ["sh", "-c", f". {running.folder}/environment; env"], capture_output=True, text=True, check=True, env={}
    )
    seen = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert running.environ.items() <= seen.items()


def test_values_are_quoted_for_a_shell() -> None:
    value = 'it\'s $HOME `id` \\ "x"'
    done = subprocess.run(
        ["sh", "-c", exports({"VALUE": value}) + 'printf %s "$VALUE"'], capture_output=True, check=True
    )
    assert done.stdout.decode() == value


def test_it_continues_where_it_stopped(tmp_path: Path) -> None:
    folder, path = tmp_path / "sandbox", wheel(tmp_path, "1.0")
    with Sandbox(folder, base=False) as first:
        index_of(first).upload(path)
        ecr_of(first).create_repository(repositoryName="demo", imageTagMutability="IMMUTABLE")
        before = first.environ
    assert left_of(folder) == []
    with Sandbox(folder, base=False) as second:
        assert index_of(second).files("demo-components")[path.name].sha256 == sha256(path)
        [repository] = ecr_of(second).describe_repositories()["repositories"]
        assert repository["repositoryUri"] == f"{before['KFP_RELEASE_REGISTRY']}/demo"
        same = [*SECRETS, "AWS_ACCESS_KEY_ID", "KFP_RELEASE_REGISTRY", "KFP_RELEASE_SIMPLE_URL", "DOCKER_CONFIG"]
        assert {name: second.environ[name] for name in same} == {name: before[name] for name in same}


def test_a_port_that_is_taken_meanwhile_is_replaced(tmp_path: Path) -> None:
    with Sandbox(tmp_path, base=False) as first:
        port = urlsplit(first.environ["TWINE_REPOSITORY_URL"]).port or 0
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with Sandbox(tmp_path, base=False) as second:
            assert urlsplit(second.environ["TWINE_REPOSITORY_URL"]).port != port
            assert index_of(second).files("demo-components") == {}


def test_one_folder_is_one_sandbox(running: Sandbox) -> None:
    with pytest.raises(ReleaseError, match=rf"a sandbox runs in {running.folder} already\n.*another folder"):
        Sandbox(running.folder, base=False).__enter__()


def test_what_started_is_stopped_where_the_rest_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index/packages").write_text("a file in its place", encoding="utf-8")
    with pytest.raises(ReleaseError, match=rf"cannot be set up in {tmp_path}: .*packages"):
        Sandbox(tmp_path, base=False).__enter__()
    assert left_of(tmp_path) == []


def test_a_folder_that_is_no_sandbox_s_is_refused(tmp_path: Path) -> None:
    (tmp_path / "access.json").write_text('{"unknown": 1}', encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"access.json does not hold a sandbox's passwords \(TypeError\)"):
        Sandbox(tmp_path, base=False).__enter__()
    assert left_of(tmp_path) == []


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "kfp_release", "sandbox", "--no-base", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )


def test_a_command_runs_in_its_environment_and_gives_its_exit_code(tmp_path: Path) -> None:
    child = start(tmp_path, "--", "sh", "-c", 'echo "$TWINE_REPOSITORY_URL $PWD"; exit 7')
    stdout, stderr = child.communicate()
    url, folder = stdout.split()
    assert (child.returncode, folder) == (7, str(tmp_path)), stderr
    assert url.startswith("http://127.0.0.1:")
    assert list(tmp_path.iterdir()) == []
    assert left_of(tmp_path) == []


def test_a_command_that_is_not_there_is_named(tmp_path: Path) -> None:
    child = start(tmp_path, "--", "no-such-program")
    stdout, stderr = child.communicate()
    assert (child.returncode, stdout) == (1, "")
    assert f"'no-such-program' cannot be run in {tmp_path}: No such file" in stderr
    assert left_of(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)]
)
def test_every_signal_ends_all_of_it(number: signal.Signals, code: int, tmp_path: Path) -> None:
    child = start(tmp_path, "--folder", "kept")
    assert child.stdout is not None
    assert child.stdout.readline().startswith("export AWS_ENDPOINT_URL_ECR='http://127.0.0.1:")
    while (tmp_path / "kept/environment").exists() and "no_proxy" not in child.stdout.readline():
        pass
    child.send_signal(number)
    child.communicate()
    assert child.returncode == code
    assert left_of(tmp_path) == []
    assert (tmp_path / "kept/environment").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 143), (signal.SIGTERM, 143)])
def test_a_signal_ends_its_command_too(number: signal.Signals, code: int, tmp_path: Path) -> None:
    script = "import sys, time; print('ready', sys.argv, flush=True); time.sleep(600)"
    child = start(tmp_path, "--", sys.executable, "-c", script, str(tmp_path))
    assert child.stdout is not None
    assert child.stdout.readline().startswith("ready")
    child.send_signal(number)
    child.communicate()
    assert child.returncode == code
    assert left_of(tmp_path) == []
