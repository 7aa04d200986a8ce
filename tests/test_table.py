from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from kubeflow_demo_components.table import NoTable, column_names, parse_table, read_table, require_column, write_table


def test_a_table_is_read_whether_it_is_csv_or_parquet(tmp_path: Path) -> None:
    frame = pd.DataFrame({"name": ["a", "b"], "value": [0.1, -2.0]})
    frame.to_csv(tmp_path / "csv", index=False)
    frame.to_parquet(tmp_path / "parquet")
    for name in ("csv", "parquet"):
        pd.testing.assert_frame_equal(read_table(tmp_path / name, number="value"), frame)


def test_numbers_are_read_as_those_that_were_written(tmp_path: Path) -> None:
    values = [0.1 + 0.2, 1 / 3, 5e-324, 1.7976931348623157e308, 2.0**-1074 * 3, 123456789.123456789]
    write_table(pd.DataFrame({"value": values}), tmp_path / "new" / "t")
    assert read_table(tmp_path / "new" / "t")["value"].tolist() == values


@pytest.mark.parametrize(
    ("content", "is_parquet", "message"),
    [
        (
            b"<!doctype html><p>Log in</p>",
            False,
            "the table cannot be read as CSV: it begins with b'<!doctype html><p>Lo'",
        ),
        (b"a,b\n\0\0\0", False, "the table cannot be read as CSV: it begins with b'a,b\\n\\x00\\x00\\x00'"),
        (b"", False, "the table cannot be read as CSV: No columns to parse from file"),
        (b"a,b\n1,2\n1,2,3,4\n", False, "the table cannot be read as CSV: Error tokenizing data"),
        (b"\xff\xfe,b\n", False, "the table cannot be read as CSV: 'utf-8' codec"),
        (b"a,b\n1,2\n", True, "the table cannot be read as Parquet: "),
        (b"PAR1 and no more", True, "the table cannot be read as Parquet: "),
    ],
)
def test_what_is_no_table_is_told_by_the_name_it_was_given(
    tmp_path: Path,
    content: bytes,
    is_parquet: bool,  # noqa: FBT001 - a table's column
    message: str,
) -> None:
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(NoTable) as caught:
        parse_table(tmp_path / "t", name="the table", is_parquet=is_parquet)
    assert str(caught.value).startswith(message)


def test_a_comma_after_each_row_shifts_nothing(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("id,name,price\n1,apple,3,\n2,pear,4,\n", encoding="utf-8")
    assert read_table(tmp_path / "t").to_dict("list") == {"id": [1, 2], "name": ["apple", "pear"], "price": [3, 4]}


@pytest.mark.parametrize("rows", ["1,apple,3,red\n2,pear,4,\n", "1,apple,3,,\n2,pear,4,,\n", "1,a,3,b,c\n"])
def test_rows_with_more_fields_than_the_header_are_refused(tmp_path: Path, rows: str) -> None:
    (tmp_path / "t").write_text(f"id,name,price\n{rows}", encoding="utf-8")
    with pytest.raises(SystemExit, match="t cannot be read as CSV: a row has more fields than the header, which has 3"):
        read_table(tmp_path / "t")


@pytest.mark.parametrize(
    ("header", "column"), [("target,x,target", "target"), ('"a,b",c,"a,b"', "a,b"), ("\ufeffa,a.1,a", "a")]
)
def test_a_column_that_is_there_twice_is_named(tmp_path: Path, header: str, column: str) -> None:
    (tmp_path / "t").write_text(f"{header}\n1,2,3\n", encoding="utf-8")
    with pytest.raises(SystemExit, match=f"t cannot be read as CSV: it has more than one column {column!r}"):
        read_table(tmp_path / "t")


def test_a_column_that_is_twice_in_parquet_is_named(tmp_path: Path) -> None:
    parquet.write_table(pa.table([[1], [2]], names=["a", "a"]), tmp_path / "t")
    with pytest.raises(SystemExit, match=r"t cannot be read as Parquet: it has more than one column 'a'$"):
        read_table(tmp_path / "t")


def test_an_index_that_has_a_name_is_a_column_and_another_is_none(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [7, 8, 9], "kind": ["a", "b", "c"], "value": [0.1, 0.2, 0.3]})
    frame.set_index("id").to_parquet(tmp_path / "one")
    frame.set_index(["id", "kind"]).to_parquet(tmp_path / "two")
    frame[frame["id"] > 7].to_parquet(tmp_path / "none")
    frame.drop(columns="id").set_index(pd.RangeIndex(7, 10, name="id")).to_parquet(tmp_path / "range")
    for name, rows in (("one", 3), ("two", 3), ("none", 2), ("range", 3)):
        pd.testing.assert_frame_equal(read_table(tmp_path / name), frame[-rows:].reset_index(drop=True))


def test_parquet_in_an_image_without_pyarrow_is_told(tmp_path: Path) -> None:
    pd.DataFrame({"value": [1.0]}).to_parquet(tmp_path / "t")
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from pathlib import Path; from kubeflow_demo_components.table import read_table\n"
        f"read_table(Path({str(tmp_path / 't')!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    message = f"{tmp_path / 't'} is Parquet, and there is no pyarrow in this image to read it with\n"
    assert (done.returncode, done.stderr) == (1, message)


def test_of_many_columns_a_message_names_the_first_and_counts_the_others() -> None:
    frame = pd.DataFrame([range(50_000)], columns=[f"column {number}" for number in range(50_000)])
    with pytest.raises(SystemExit) as caught:
        require_column(frame, "c", Path("t"))
    assert str(caught.value).endswith("'column 8', 'column 9' and 49,990 more")


def test_metadata_has_the_names_of_the_first_hundred_columns() -> None:
    names = [f"column {number}" for number in range(101)]
    assert column_names(pd.DataFrame([range(100)], columns=names[:100])) == names[:100]
    assert column_names(pd.DataFrame([range(101)], columns=names)) == [*names[:100], "… and 1 more"]


def test_a_column_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(SystemExit, match="t has no column 'c'; it has 'a', 'b'"):
        require_column(pd.DataFrame({"a": [1], "b": [2]}), "c", Path("t"))
