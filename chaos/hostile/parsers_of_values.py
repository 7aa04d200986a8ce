"""The parsers of single values: what a person or another program writes in a word or a line."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from chaos.hostile.archives import FILE_NAMES
from chaos.hostile.documents import COMMIT, DEMO, HEX, PIN
from chaos.hostile.parser import Parser
from chaos.hostile.values import NAMES, TEXTS, any_value, chance, changed_text
from kfp_release.commit import parse_commit
from kfp_release.credentials import Credentials
from kfp_release.digest import Digest
from kfp_release.distributions import version_of_file
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import BadImageName, ImageRef, Registry, Repository, has_digest, repository_of
from kfp_release.index_settings import CodeArtifactRepository, DevpiIndex, IndexUrls, S3Folder
from kfp_release.input_default import fits
from kfp_release.interpreter import Interpreter
from kfp_release.patience import Patience
from kfp_release.project_name import parse_project_name
from kfp_release.report import Report, Table
from kfp_release.requirement import counts_in, environment, parse_requirement, parse_specifiers
from kfp_release.runtime_key import RuntimeInputs, runtime_key
from kfp_release.settings import relative_path
from kfp_release.terminal_text import annotation, one_line, printable
from kfp_release.url import parse_url, shown_url
from kfp_release.version import BadVersion, ReleaseVersion

ARN = "arn:aws:codeartifact:eu-north-1:533211398604:repository/team/components"
_PATIENCE = ("KFP_RELEASE_ATTEMPTS", "KFP_RELEASE_TIMEOUT")
_WORDS = ("a", "0", ".", "-", "/", ":", "@", "_", "+", "!", " ")


def words(*sound: str, more: Sequence[str] = ()) -> Callable[[Random], str]:
    """Makes texts of `sound` ones, changed with pieces of their grammar, and hostile ones."""
    pieces = (*_WORDS, *sound, *more)

    def make(random: Random) -> str:
        if chance(random, 10):
            return random.choice((*TEXTS, *NAMES))
        return changed_text(random, random.choice(sound), pieces, most=3)

    return make


def together(*makers: Callable[[Random], Any]) -> Callable[[Random], tuple[Any, ...]]:
    """Makes one of each."""
    return lambda random: tuple(make(random) for make in makers)


def _digest(text: str) -> object:
    with contextlib.suppress(ValueError):
        text.encode()
    return Digest.parse(text).short, Digest(text.removeprefix("sha256:"))


def _index(text: str) -> object:
    read = []
    for parse in (IndexUrls.to_read, CodeArtifactRepository.parse, DevpiIndex.parse, S3Folder.parse):
        with contextlib.suppress(ReleaseError):
            read.append(parse(text))
    if not read:
        raise ReleaseError("is none")
    assert all(str(one).isprintable() for one in read)
    return read


def _image(case: tuple[str, str]) -> object:
    text, host = case
    assert repository_of(text) is not None
    assert has_digest(text) in {True, False}
    with contextlib.suppress(BadImageName):
        repository, tag = Repository.tagged(text)
        assert f"{repository}:{tag}" == text
    with contextlib.suppress(BadImageName):
        assert str(Registry.parse(text)) == text
    return str(ImageRef.parse(text)), Repository.parse(repository_of(text)).at_host(host)


def _version(text: str) -> object:
    seen = ReleaseVersion.of_tag(text)
    with contextlib.suppress(BadVersion):
        assert ReleaseVersion.parse(text).tag in {text, f"v{text}"}
    assert seen is None or seen == ReleaseVersion.from_tag(text)
    of_image = ReleaseVersion.of_image_tag(text)
    assert of_image is None or of_image.image_tag == text
    parsed = ReleaseVersion.parse(text)
    assert ReleaseVersion.tagged(text, "" if parsed.is_snapshot else parsed.tag) == parsed
    return parsed.image_tag, parsed < ReleaseVersion.parse("1.2")


def _requirement(case: tuple[str, str]) -> object:
    specifiers = parse_specifiers(case[1])
    requirement = parse_requirement(case[0])
    place = environment("linux/amd64", "3.12")
    return counts_in(requirement, place), specifiers.contains("3.12.99", prereleases=True), str(requirement)


def _texts(text: str) -> object:
    """What is shown obeys nothing of it, whatever it is."""
    shown = (printable(text), one_line(text), one_line(text, 20))
    assert all(letter.isprintable() or letter == "\n" for part in shown for letter in part)
    assert not any(line.lstrip().startswith(("::", "##[")) for line in shown[0].split("\n"))
    assert "\n" not in shown[1]
    line = annotation(text, file=text, line=1)
    assert "\n" not in line
    assert "\r" not in line
    report = Report(text, (Table.of(("a", "b"), [(text, text)]),), (text,)).markdown()
    assert "<" not in report.replace(f"`{one_line(text)}`", "").replace("&lt;", "") or "`" in report
    report.encode()
    return line


def _runtime_inputs(case: tuple[str, str, str]) -> object:
    base, name, text = case
    made = RuntimeInputs.of(
        b"FROM x", context={name: (0o644, b"x")}, build_args={name: text}, bases=(base,), platform=text
    )
    return runtime_key(made)


def _default(random: Random) -> tuple[str, Any]:
    types = ("Integer", "Float", "Boolean", "String", "List", "Dict", "typing.List[str]", "JsonObject", "x")
    return random.choice(types), any_value(random)


_REQUIREMENTS = words(
    "numpy==2.1",
    "pandas[x,y]>=3,<4; python_version >= '3.12' and (os_name == 'posix' or extra == 'a')",
    f"tool @ git+https://example.com/x@{COMMIT} ; sys_platform != 'win32'",
    more=("(", ")", ";", "'", " and ", " or ", " in ", "==", "~=", "===", ">", "*", "[", "]", "@", "extra", "9" * 4301),
)
_SPECIFIERS = words(">=3.11,<4", "==3.*", "~=3.11", more=("===x", ",", "!=", "9" * 4301, "1!", ".dev1"))

PARSERS = {
    "digest": Parser(("digest.Digest.parse",), words(f"sha256:{HEX}", HEX, more=("sha512:", "A", "g")), _digest),
    "commit": Parser(("commit.parse_commit",), words(COMMIT, HEX, "HEAD", more=("g",)), parse_commit),
    "image": Parser(
        (
            *(
                "image_ref.ImageRef.parse",
                "image_ref.Registry.parse",
                "image_ref.Repository.parse",
                "image_ref.Repository.tagged",
            ),
            *("image_ref.has_digest", "image_ref.repository_of"),
        ),
        together(
            words(PIN, f"[::1]:5000/a/b:1@sha256:{HEX}", more=("sha256:", "[", "]")),
            words("127.0.0.1:5000", "[::1]:9", "a.b", more=("99999", "[", "]")),
        ),
        _image,
    ),
    "version": Parser(
        (
            *("version.ReleaseVersion.parse", "version.ReleaseVersion.from_tag"),
            *("version.ReleaseVersion.of_tag", "version.ReleaseVersion.tagged", "version.ReleaseVersion.of_image_tag"),
        ),
        words("v1.2", "2.0rc1", "1.3.dev4+gabc1234", "v1.10", more=("v", "rc", ".dev1", ".post1", "9" * 4301)),
        _version,
    ),
    "interpreter": Parser((), words("/opt/app/bin/python", more=("..", "python3")), Interpreter),
    "path": Parser(
        ("settings.relative_path",), words("locks/builder.lock", "Dockerfile", more=("..", "\\", "~")), relative_path
    ),
    "url": Parser(
        ("url.parse_url",),
        words(
            "https://pypi.example/simple/", "http://127.0.0.1:8080/", "http://[::1]/", more=("?", "#", "[", "]", "://")
        ),
        parse_url,
    ),
    "where an index is": Parser(
        (
            *("index_settings.IndexUrls.to_read", "index_settings.CodeArtifactRepository.parse"),
            *("index_settings.DevpiIndex.parse", "index_settings.S3Folder.parse"),
        ),
        words(
            *(ARN, "https://devpi.example/team/prod", "https://devpi.example/a/team/prod/", "s3://bucket/python"),
            more=("?", "#", "..", "//", "s3://", "arn:", "+simple/", "é", "\n"),
        ),
        _index,
    ),
    "URL to show": Parser(
        ("url.shown_url",),
        words("https://u:s3cret@pypi.example/x.whl?token=T#a", "http://[::1]/", more=("?", "[", "]", "://", "@", "℀")),
        shown_url,
    ),
    "project name": Parser(
        ("project_name.parse_project_name",),
        words("some-components", "A.b_c", more=("--", "é", "\n", "..")),
        parse_project_name,
    ),
    "patience": Parser(
        ("patience.Patience.from_environment",),
        together(words("4", "20", more=("1e3", "nan", "9" * 4301, "-")), words("60", "0.5", more=("inf", "nan", "_"))),
        lambda case: Patience.from_environment(dict(zip(_PATIENCE, case, strict=True))).looks,
    ),
    "credentials": Parser(
        ("credentials.Credentials.from_environment",),
        together(words("user"), words("password")),
        lambda case: Credentials.from_environment({"TWINE_USERNAME": case[0], "TWINE_PASSWORD": case[1]}).hide("x"),
    ),
    "requirement": Parser(
        (
            "requirement.parse_requirement",
            "requirement.parse_specifiers",
            "requirement.counts_in",
            "requirement.environment",
        ),
        together(_REQUIREMENTS, _SPECIFIERS),
        _requirement,
    ),
    "file name of a distribution": Parser((), words(*FILE_NAMES, more=("-", ".", "any", "9" * 300)), version_of_file),
    "default of an input": Parser(("input_default.fits",), _default, lambda case: fits(*case)),
    "inputs of a runtime": Parser(
        ("runtime_key.RuntimeInputs.of",),
        together(words(f"python:3@sha256:{HEX}"), words("a/b"), words("linux/amd64", DEMO)),
        _runtime_inputs,
    ),
    "text on a terminal": Parser(
        (
            "terminal_text.annotation",
            "package_files._operators.safe_text.printable",
            "package_files._operators.safe_text.one_line",
            "package_files._operators.safe_text.markdown_text",
            "package_files._operators.safe_text.markdown_code",
        ),
        words("a line", "::error::x", "a | b <i> `c`", more=("`", "|", "\\", "<")),
        _texts,
    ),
}
