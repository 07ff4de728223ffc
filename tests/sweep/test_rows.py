"""The table of results, and its files."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest

from netsim.sweep import Rows, format_csv, number, parse_csv, read_csv, write_atomically, write_csv

ROWS = Rows(
    {
        "profile": ["a", "b", "a"],
        "loss": [0.1, 0.1, 0.2],
        "latency": [0.3, math.nan, math.inf],
        "syns": [1, 7, None],
        "error": [None, None, "ValueError: a, b"],
    }
)


def test_columns_lists_and_arrays():
    assert ROWS.columns == ("profile", "loss", "latency", "syns", "error")
    assert ROWS.column("syns") == [1, 7, None]
    np.testing.assert_array_equal(ROWS.array("syns"), [1.0, 7.0, math.nan])
    assert ROWS.array("profile").tolist() == ["a", "b", "a"]
    assert ROWS.array("error").tolist() == [None, None, "ValueError: a, b"]
    assert Rows({"x": [True, False]}).array("x").dtype == bool
    assert len(ROWS) == 3
    assert list(ROWS)[1]["profile"] == "b"
    with pytest.raises(ValueError, match="column = 'los': must be one of profile, loss"):
        ROWS.column("los")


def test_typed_columns():
    assert ROWS.floats("loss") == [0.1, 0.1, 0.2]
    assert ROWS.floats("latency")[2] == math.inf
    assert math.isnan(ROWS.floats("latency")[1])  # NaN is a number: the event never happened
    assert ROWS.floats("syns", missing=-1.0) == [1.0, 7.0, -1.0]
    assert Rows({"x": [True, 3]}).floats("x") == [1.0, 3.0]
    assert ROWS.where(loss=0.1).ints("syns") == [1, 7]
    assert ROWS.strings("profile") == ["a", "b", "a"]


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda: ROWS.floats("syns"), "syns, row 2 = None: must be a number"),
        (lambda: ROWS.floats("profile", missing=0.0), "profile, row 0 = 'a': must be a number"),
        (lambda: ROWS.ints("syns"), "syns, row 2 = None: must be a whole number"),
        (lambda: ROWS.ints("loss"), "loss, row 0 = 0.1: must be a whole number"),
        (lambda: Rows({"x": [True]}).ints("x"), "x, row 0 = True: must be a whole number"),
        (lambda: ROWS.strings("error"), "error, row 0 = None: must be a string"),
        (lambda: ROWS.floats("los"), "column = 'los': must be one of profile, loss"),
        (lambda: ROWS.one(profile="a"), "rows with profile = 'a': 2, must be exactly one"),
        (lambda: ROWS.one(profile="c", loss=0.1), "rows with profile = 'c', loss = 0.1: 0, must be exactly one"),
        (lambda: ROWS.one(), "rows: 3, must be exactly one"),
        (lambda: ROWS.only("syns", loss=0.2), "syns = None: must be a number"),
        (lambda: ROWS.only("los", loss=0.2), "column = 'los': must be one of profile, loss"),
        (lambda: number({"a": 1}, "b"), "b = None: must be a number"),
    ],
)
def test_a_missing_value_never_passes_for_zero(read, message):
    with pytest.raises(ValueError, match=message):
        read()


def test_a_single_row_and_a_single_value():
    assert ROWS.one(profile="b")["syns"] == 7
    assert ROWS.where(profile="b").one()["syns"] == 7
    assert ROWS.only("syns", profile="a", loss=0.1) == 1.0
    assert number({"a": 1}, "a") == 1.0


def test_a_column_handed_out_is_a_copy():
    ROWS.column("syns").append(1)
    assert len(ROWS.column("syns")) == 3


def test_selection_keeps_the_order():
    groups = ROWS.group_by("profile")
    assert list(groups) == [("a",), ("b",)]
    assert groups[("a",)].column("loss") == [0.1, 0.2]
    assert list(ROWS.group_by("profile", "loss")) == [("a", 0.1), ("b", 0.1), ("a", 0.2)]
    assert ROWS.where(profile="a", loss=0.2).column("error") == ["ValueError: a, b"]
    assert ROWS.failed().column("loss") == [0.2]
    with pytest.raises(ValueError, match="at least one column"):
        ROWS.group_by()


def test_concatenation_fills_gaps():
    both = Rows.concatenate([Rows({"a": [1]}), Rows({"b": [2, 3]})])
    assert list(both) == [{"a": 1, "b": None}, {"a": None, "b": 2}, {"a": None, "b": 3}]
    assert list(Rows.from_dicts([{"a": 1}, {"b": 2}])) == [{"a": 1, "b": None}, {"a": None, "b": 2}]


def test_unequal_columns_are_refused():
    with pytest.raises(ValueError, match="must be of equal lengths"):
        Rows({"a": [1], "b": []})


def test_frame_has_the_same_cells():
    frame = ROWS.to_pandas()
    assert list(frame.columns) == list(ROWS.columns)
    assert frame["loss"].tolist() == [0.1, 0.1, 0.2]


def test_csv_spelling():
    assert format_csv(ROWS) == (
        'profile,loss,latency,syns,error\na,0.1,0.3,1,\nb,0.1,nan,7,\na,0.2,inf,,"ValueError: a, b"\n'
    )


CELLS = [
    [None, True, False, 0, -1, 2**70],
    [0.1 + 0.2, 5e-324, -0.0, 1e22, 1.0, math.inf],
    [-math.inf, "", "1", "1.0", "nan", "True"],
    [" 1", "1_0", 'say "x"', "a,b", "two\nlines", "r\r\n"],
    ["infinity", "ü", "'", "12e45678", "None", "x"],
]


def test_csv_is_exact_both_ways_types_included(tmp_path):
    rows = Rows({f"c{i}": values for i, values in enumerate(CELLS)})
    write_csv(rows, tmp_path / "r.csv")
    back = read_csv(tmp_path / "r.csv")
    assert [repr(row) for row in back] == [repr(row) for row in rows]
    only_gaps = Rows({"a": [None, None]})
    assert list(parse_csv(format_csv(only_gaps))) == list(only_gaps)
    assert len(parse_csv(format_csv(Rows({"a": [], "b": []})))) == 0


def test_pandas_reads_the_same_numbers(tmp_path):
    import pandas

    write_csv(ROWS, tmp_path / "r.csv")
    assert pandas.read_csv(tmp_path / "r.csv")["latency"][2] == math.inf


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3\n", r"x\.csv, line 3: cells = 1: must be 2"),
        ('a,b\n"1\n1",2\n3\n', r"x\.csv, line 4: cells = 1: must be 2"),
        ('a,b\n1,"2\n', r"x\.csv, line 2: malformed quotes"),
        ("a,a\n1,2\n", r"x\.csv, line 1: header"),
        ("", r"x\.csv, line 1: header"),
        ("a,b\n1,\xff\n", r"x\.csv, line 2: not encoded as UTF-8"),
    ],
)
def test_malformed_files_are_refused_with_file_and_line(tmp_path, text, message):
    (tmp_path / "x.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=message):
        read_csv(tmp_path / "x.csv")


def test_hand_written_files_are_read():
    assert list(parse_csv("a,b\r\n1,x\r\n,\r\n2,")) == [
        {"a": 1, "b": "x"},
        {"a": None, "b": None},
        {"a": 2, "b": None},
    ]


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    target = tmp_path / "r.csv"
    target.write_text("old")

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_csv(ROWS, target)
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["r.csv"]


def test_atomic_writing_of_bytes_and_a_missing_folder(tmp_path):
    write_atomically(tmp_path / "b", b"\x00\r\n")
    assert (tmp_path / "b").read_bytes() == b"\x00\r\n"
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "no" / "b", "x")


def test_the_import_is_light():
    heavy = ("numpy", "scipy", "pandas", "cloudpickle", "multiprocessing.connection")
    code = f"import sys, netsim.sweep; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
