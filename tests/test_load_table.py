"""load-table against real servers: one of Python's for the web, moto's for S3."""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import numpy as np
import pandas as pd
import pytest
from moto.server import ThreadedMotoServer
from test_programs import executor_input, report

from kubeflow_demo_components.programs.load_table import main
from kubeflow_demo_components.table import read_table
from kubeflow_demo_components.training.table_source import NoSource, format_of, shown

CSV = b"id,value\n1,0.5\n2,-3.0\n"
FRAME = pd.DataFrame({"id": [1, 2], "value": [0.5, -3.0]})


def parquet() -> bytes:
    buffer = io.BytesIO()
    FRAME.to_parquet(buffer)
    return buffer.getvalue()


class Web(BaseHTTPRequestHandler):
    """A server with a table under several names, and with what can go wrong."""

    def do_GET(self) -> None:
        answers: dict[str, Callable[[], None]] = {
            "/table.csv": partial(self.give, CSV),
            "/table.parquet": partial(self.give, parquet()),
            "/export": partial(self.give, CSV),
            "/moved.csv": partial(self.give, b"", 302, location="/table.csv"),
            "/to-file.csv": partial(self.give, b"", 302, location="file:///etc/t.csv?signature=secret"),
            "/to-nothing.csv": partial(self.give, b"", 302, location="http://127.0.0.1:no/t.csv?signature=secret"),
            "/login.csv": partial(self.give, b"<html>Log in</html>"),
            "/header.csv": partial(self.give, b"id,value\n"),
            "/forbidden.csv": partial(self.give, b"", 403),
            "/cut.csv": partial(self.give, CSV, length=1000),
            "/huge.csv": partial(self.give, CSV, length=10**12),
            "/endless.csv": self.give_without_end,
            "/slow.csv": self.give_slowly,
        }
        answers.get(self.path.partition("?")[0], partial(self.give, b"", 404))()

    def give(self, body: bytes, status: int = 200, *, length: int = 0, location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length or len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def give_without_end(self) -> None:
        self.send_response(200)
        self.end_headers()
        with_rows = b"1,2\n" * 250_000
        try:
            while True:
                self.wfile.write(with_rows)
        except ConnectionError:
            return

    def give_slowly(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"1,2\n")
                time.sleep(0.1)
        except ConnectionError:
            return

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Web) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An S3 that boto3 finds by the environment alone, with a bucket of tables."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    client: Any = boto3.client("s3", region_name="us-east-1")
    client.create_bucket(Bucket="tables")
    client.put_object(Bucket="tables", Key="of 2026/table.csv", Body=CSV)
    client.put_object(Bucket="tables", Key="table.parquet", Body=parquet())
    yield client
    client.close()
    server.stop()


def load(source: str, folder: Path, *options: str) -> pd.DataFrame:
    main(["--source", source, "--table", str(folder / "new/table"), *options])
    return read_table(folder / "new/table")


def refusal(source: str, folder: Path, *options: str) -> str:
    """What it says on stderr, after its name."""
    with pytest.raises(SystemExit) as caught:
        load(source, folder, *options)
    assert not (folder / "new").exists()
    said = str(caught.value)
    assert said.startswith("load-table: ")
    assert "\n" not in said
    return said.removeprefix("load-table: ")


@pytest.mark.parametrize("name", ["table.csv", "table.parquet", "moved.csv", "table.csv?signature=secret#part"])
def test_a_table_is_loaded_from_the_web(web: str, tmp_path: Path, name: str) -> None:
    pd.testing.assert_frame_equal(load(f"{web}/{name}", tmp_path), FRAME)


def test_what_a_name_does_not_say_is_said_by_the_format(web: str, tmp_path: Path) -> None:
    pd.testing.assert_frame_equal(load(f"{web}/export", tmp_path, "--format", "csv"), FRAME)


def test_the_artifact_says_where_it_is_from_without_the_signature(web: str, tmp_path: Path) -> None:
    given = executor_input(tmp_path, "table")
    load(f"{web}/table.csv?signature=secret", tmp_path, "--executor-input", given)
    (artifact,) = report(tmp_path)["table"]["artifacts"]
    assert artifact["metadata"] == {
        "source": f"{web}/table.csv",
        "sha256": hashlib.sha256(CSV).hexdigest(),
        "rows": 2,
        "columns": ["id", "value"],
    }
    assert "secret" not in json.dumps(report(tmp_path))


def test_the_metadata_of_a_wide_table_is_short(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("\n".join([",".join(f"c{n}" for n in range(5000)), ",".join("1" * 5000)]))
    load(str(tmp_path / "t.csv"), tmp_path, "--executor-input", executor_input(tmp_path, "table"))
    (artifact,) = report(tmp_path)["table"]["artifacts"]
    assert artifact["metadata"]["columns"][-2:] == ["c99", "… and 4,900 more"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.csv?signature=secret", "{web}/none.csv answers 404 Not Found"),
        ("forbidden.csv", "{web}/forbidden.csv answers 403 Forbidden"),
        ("to-file.csv", "{web}/to-file.csv answers 302 with a redirect that is not followed"),
        ("to-nothing.csv", "{web}/to-nothing.csv cannot be read: "),
        (
            "my table.csv?signature=secret",
            "{web}/my table.csv cannot be read: percent-encode what a URL has no form for",
        ),
        ("blé.csv?signature=secret", "{web}/blé.csv cannot be read: percent-encode what a URL has no form for"),
        ("login.csv", "{web}/login.csv cannot be read as CSV: it begins with b'<html>Log in</html>'"),
        ("header.csv", "{web}/header.csv has no rows"),
        ("cut.csv", "{web}/cut.csv ended after 22 of 1,000 bytes"),
        ("huge.csv", "{web}/huge.csv has more than 1,000,000 bytes: see max_megabytes"),
        ("endless.csv", "{web}/endless.csv has more than 1,000,000 bytes: see max_megabytes"),
        ("slow.csv", "{web}/slow.csv was not read within 1 seconds: see timeout"),
        ("table.xlsx", "{web}/table.xlsx ends with none of .csv, .parquet, .pq: say which it is"),
        ("table", "{web}/table ends with none of .csv, .parquet, .pq: say which it is"),
    ],
)
def test_what_the_web_does_not_give_is_told_in_one_line(web: str, tmp_path: Path, name: str, message: str) -> None:
    said = refusal(f"{web}/{name}", tmp_path, "--max_megabytes", "1", "--timeout", "1")
    assert said.startswith(message.format(web=web))
    assert "secret" not in said


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("http://127.0.0.1:1/table.csv", "http://127.0.0.1:1/table.csv cannot be read: [Errno 111] Connection refused"),
        ("https://none.invalid/table.csv", "https://none.invalid/table.csv cannot be read: "),
        ("http://me:secret@127.0.0.1/table.csv", "http://127.0.0.1/table.csv carries a password"),
        ("http://127.0.0.1:port/table.csv", "http://127.0.0.1:port/table.csv cannot be read: "),
        ("gs://bucket/table.csv", "gs://bucket/table.csv is of no kind that is known: http://, https://, s3://"),
        ("file:///etc/table.csv", "file:///etc/table.csv is of no kind that is known"),
        ("s3:///table.csv", "s3:///table.csv is not s3://bucket/key"),
        ("s3://bucket?signature=secret/t.csv", "s3://bucket ends with none of"),
        ("https:/a.example/t.csv?signature=secret", "https:/a.example/t.csv is of no kind that is known: http://"),
        ("https://me:secret@[::1/t.csv?signature=secret", "https://[::1/t.csv cannot be read: it is no URL"),
        ("a.example/t.csv?signature=secret", "a.example/t.csv cannot be read: No such file or directory"),
        ("/none/table.csv", "/none/table.csv cannot be read: No such file or directory"),
        ("/", "/ ends with none of"),
        ("sklearn:iriss", "scikit-learn ships no table 'iriss' that is known here; there is breast_cancer, diabetes"),
    ],
)
def test_what_is_no_source_is_told_in_one_line(tmp_path: Path, source: str, message: str) -> None:
    said = refusal(source, tmp_path)
    assert said.startswith(message)
    assert "secret" not in said


def test_a_table_is_loaded_from_s3(s3: Any, tmp_path: Path) -> None:
    assert s3
    pd.testing.assert_frame_equal(load("s3://tables/of 2026/table.csv", tmp_path), FRAME)
    pd.testing.assert_frame_equal(load("s3://tables/table.parquet", tmp_path), FRAME)


def test_what_s3_does_not_give_is_told_in_one_line(s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    none = "s3://none/table.csv cannot be read: there is no bucket 'none'"
    assert refusal("s3://none/table.csv", tmp_path) == none
    key = "s3://tables/t.csv cannot be read: bucket 'tables' has no key 't.csv'"
    assert refusal("s3://tables/t.csv", tmp_path) == key
    key = "s3://tables/t.csv cannot be read: bucket 'tables' has no key 't.csv'"
    assert refusal("s3://tables/t.csv?signature=secret", tmp_path, "--format", "csv") == key
    s3.put_object(Bucket="tables", Key="large.csv", Body=b"1,2\n" * 500_000)
    large = "s3://tables/large.csv has more than 1,000,000 bytes: see max_megabytes"
    assert refusal("s3://tables/large.csv", tmp_path, "--max_megabytes", "1") == large
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path / "none"))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # which keeps what it has found
    assert refusal("s3://tables/t.csv", tmp_path) == "s3://tables/t.csv cannot be read: Unable to locate credentials"


def test_a_table_is_loaded_from_a_path(tmp_path: Path) -> None:
    (tmp_path / "table.CSV").write_bytes(b"\xef\xbb\xbf" + CSV)
    pd.testing.assert_frame_equal(load(str(tmp_path / "table.CSV"), tmp_path), FRAME)


@pytest.mark.parametrize(
    ("name", "shape", "values"),
    [
        ("breast_cancer", (569, 31), ["benign", "malignant"]),
        ("iris", (150, 5), ["setosa", "versicolor", "virginica"]),
        ("wine", (178, 14), ["class_0", "class_1", "class_2"]),
    ],
)
def test_a_table_that_scikit_learn_ships_has_its_classes_by_name(
    tmp_path: Path, name: str, shape: tuple[int, int], values: list[str]
) -> None:
    frame = load(f"sklearn:{name}", tmp_path)
    assert (frame.shape, sorted(frame["target"].unique())) == (shape, values)


def test_a_table_that_scikit_learn_ships_may_have_numbers_to_predict(tmp_path: Path) -> None:
    frame = load("sklearn:diabetes", tmp_path)
    assert (frame.shape, frame["target"].iloc[0]) == ((442, 11), 151.0)


@pytest.mark.parametrize("option", ["--max_megabytes", "--timeout"])
@pytest.mark.parametrize("number", ["0", "1000001", "9" * 20])
def test_a_limit_has_its_bounds(tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, number: str) -> None:
    with pytest.raises(SystemExit):
        main(["--source", "t.csv", "--table", str(tmp_path / "t"), option, number])
    assert f"{number} is not from 1 to 1000000" in capsys.readouterr().err


def test_the_largest_limits_are_kept(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(CSV)
    limits = ("--max_megabytes", "1000000", "--timeout", "1000000")
    pd.testing.assert_frame_equal(load(str(tmp_path / "t.csv"), tmp_path, *limits), FRAME)


@pytest.mark.parametrize("source", ["/dev/zero", "/dev"])
def test_what_has_no_end_or_no_bytes_is_not_read(source: str, tmp_path: Path) -> None:
    said = refusal(source, tmp_path, "--format", "csv", "--max_megabytes", "1", "--timeout", "1")
    assert said == f"{source} is no plain file"


def test_a_path_is_within_the_limit(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"1,2\n" * 250_001)
    said = refusal(str(tmp_path / "t.csv"), tmp_path, "--max_megabytes", "1")
    assert said == f"{tmp_path / 't.csv'} has more than 1,000,000 bytes: see max_megabytes"


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "t.csv")
    assert refusal(str(tmp_path / "t.csv"), tmp_path) == f"{tmp_path / 't.csv'} is no plain file"


def test_parquet_is_no_larger_than_the_limit_where_it_is_unpacked(tmp_path: Path) -> None:
    pd.DataFrame({"value": np.zeros(200_000)}).to_parquet(tmp_path / "t.parquet")
    said = refusal(str(tmp_path / "t.parquet"), tmp_path, "--max_megabytes", "1")
    expected = (
        "cannot be read as Parquet: its 200,000 rows of 1 columns take more than 1,000,000 bytes: see max_megabytes"
    )
    assert said == f"{tmp_path / 't.parquet'} {expected}"
    assert len(load(str(tmp_path / "t.parquet"), tmp_path, "--max_megabytes", "2")) == 200_000


def test_csv_is_handed_on_as_it_stands(tmp_path: Path) -> None:
    rows = 'zip,country,code\n00123,NA,1e5\n00124,,"a, ""b"""\n'
    (tmp_path / "t.csv").write_text(rows, encoding="utf-8")
    main(["--source", str(tmp_path / "t.csv"), "--table", str(tmp_path / "o")])
    assert (tmp_path / "o").read_text(encoding="utf-8") == rows


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("https://a.example/t.csv?X-Amz-Signature=s", "https://a.example/t.csv"),
        ("https://user:password@a.example/t.csv#s", "https://a.example/t.csv"),
        ("s3://bucket/key?.csv", "s3://bucket/key"),
        ("https:/me:password@a.example/t.csv?X-Amz-Signature=s", "https:/a.example/t.csv"),
        (" HTTPS:a.example/t.csv?s", " HTTPS:a.example/t.csv"),
        ("a.example/t.csv?X-Amz-Signature=s", "a.example/t.csv"),
        ("/data/what?.csv", "/data/what?.csv"),
    ],
)
def test_nothing_that_is_as_good_as_a_password_is_shown(source: str, seen: str) -> None:
    assert shown(source) == seen


def test_the_format_is_told_or_the_suffix_of_the_path() -> None:
    told = [format_of("https://a.example/t?x=.csv", "parquet"), format_of("https://a.example/t.pq?v=1.csv", "")]
    assert told == ["parquet", "parquet"]
    with pytest.raises(NoSource, match="say which it is, with the format csv or parquet"):
        format_of("t.txt", "")
