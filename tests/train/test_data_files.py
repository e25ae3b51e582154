"""Data in files: tables of text, .npz archives, .npy files and folders of them."""

import io
import json
import os
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgrad.errors import DataError, LimitError, SymgradError, SymgradWarning, UsageError
from symgrad.parse import parse
from symgrad.train.data import Dataset, Transform, csvfile, load, stored
from symgrad.train.data import rows as rows_module
from symgrad.train.data.rows import Held
from symgrad.train.data.statistics import statistics
from symgrad.train.roles import roles

BINARY = parse("X: data[N, D]; y: binary[N]; w: param[D]; bce(sigmoid(X @ w), y)")
LABELS = parse("X: data[N, D]; y: labels[N, C]; W: param[D, C]; cross_entropy(X @ W, y)")
VALUES = parse("X: data[N, D]; y: real[N]; w: param[D]; mse(X @ w, y)")
SEVERAL = parse("X: data[N, D]; Y: real[N, K]; w: param[D, K]; mse(X @ w, Y)")
TWO = parse("a: data[N]; b: data[N]; y: real[N]; u: param; v: param; mse(u*a + v*b, y)")
ALONE = parse("X: data[N, D]; W: param[D, H]; mse((X @ W) @ W.T, X)")
X = np.arange(12.0).reshape(6, 2)
Y = np.array([0, 1, 0, 1, 0, 1])


def read(source: Any, graph: Any = BINARY, **options: Any) -> Dataset:
    return load(source, graph, roles(graph), **options)


def fails(
    source: Any, graph: Any = BINARY, kind: type[SymgradError] = DataError, **options: Any
) -> str:
    with pytest.raises(kind) as caught:
        read(source, graph, **options).fit()
    return str(caught.value)


@pytest.fixture
def table(tmp_path: Path) -> Any:
    def write(text: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / "a.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


@pytest.mark.parametrize("line", ["\n", "\r\n"])
@pytest.mark.parametrize("part", [",", ";", "\t"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_a_table(table: Any, part: str, line: str, start: str) -> None:
    rows = ["size,colour,wanted", "1.5,red,yes", "", ' 2.5 ,"blue",no', "3.5,red,yes"]
    data = read(table(start + line.join(rows).replace(",", part) + line)).fit()
    assert data.names == ("size", "colour=blue", "colour=red")
    root = 1.5**0.5
    np.testing.assert_allclose(
        data.batch(slice(None))["X"], [[-root, 0, 1], [0, 1, 0], [root, 0, 1]]
    )
    assert data.batch(slice(None))["y"].tolist() == [1, 0, 1]
    assert data.notes == (
        "the target is column wanted",
        "column colour is 2 one-hot columns: blue, red",
        "labels no, yes are 0, 1 ('y')",
        "1 numeric column standardised ('X')",
    )


def test_quotes_decimal_commas_and_row_numbers(table: Any) -> None:
    data = read(table('"a, b";c;y\n"1,5";"u; ""q""";0\n"2,5";v;1\n'), standardise=False)
    assert data.names == ("a, b", 'c=u; "q"', "c=v")
    assert data.batch([0, 1])["X"][:, 0].tolist() == [1.5, 2.5]
    data = read(table(",a,y\n0,5,0\n1,6,1\n"))
    assert (data.names, data.notes[0]) == (("a",), "the first column has no name; it is left out")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("a,y\n", "a header and no rows"),
        ("1,2\n3,4\n", "numbers, not the names"),
        ("a,a,y\n1,2,0\n", "two columns are named 'a'"),
        ("a,,y\n1,2,0\n", "column 2 of"),
        ("a,b,y\n1,2,0\n\n1,2\n", "line 4 of"),
        ("a,b,y\n1,,0\n", "line 2, column 'b'"),
        ('a,t,y\n1,"u\nv",0\n2,,1\n', "line 4, column 't'"),
        ("a,y\n1,0\n2,NA\n", "target column 'y' is empty in line 3"),
        ("a,y\n1,0\n-inf,1\n", "column 'a' is -inf in line 3"),
        ('a,y\n"1,0\n2,1\n', "line 2: "),
        ("x\n1\n2\n", "no column is left"),
        ("a,y\n" + "".join(f"{k},{k % 2}\n" for k in range(15)) + "1O,0\n", "line 17 has '1O'"),
        ("who,y\n" + "".join(f"n{k},{k % 2}\n" for k in range(30)), "drop=['who'] leaves it out"),
    ],
)
def test_what_is_no_table_is_refused_with_its_line(table: Any, text: str, says: str) -> None:
    assert says in fails(table(text))


def test_other_encodings_and_large_files_are_refused(
    table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "0xe9" in fails(table("a,y\né,0\nb,1\n", "latin-1"))
    assert "not in UTF-8" in fails(table("a,y\n1,0\n", "utf-16"))
    monkeypatch.setattr(csvfile, "LIMIT", 3)
    assert ".npy" in fails(table("a,y\n1,0\n"), kind=LimitError)


def test_missing_entries(table: Any) -> None:
    path = table("a,c,y\n1,,0\n?,u,1\n5,v,1\n")
    data = read(path, missing="mean").fit([0, 1])
    assert data.batch([0, 1, 2])["X"].tolist() == [[0, 0, 0], [0, 1, 0], [4, 0, 1]]
    assert data.transform.apply({"a": [None], "c": ["v"]})["X"].tolist() == [[0, 0, 1]]
    assert "missing entries of 'X' take the mean" in data.notes
    strict = read(table("a,c,y\n1,u,0\n3,v,1\n")).fit().transform
    with pytest.raises(DataError, match="row 1, column 'a'"):
        strict.apply({"a": [1, np.nan], "c": ["u", "v"]})


def test_the_target_column(table: Any) -> None:
    path = table("b,Label,y2\n1,u,5\n2,v,6\n3,u,7\n")
    assert read(path).classes == ("u", "v")
    assert read(path, VALUES, target="y2").names == ("b", "Label=u", "Label=v")
    assert read(path, SEVERAL, target=["y2", "b"], standardise=False).batch([0])["Y"].tolist() == [
        [5, 1]
    ]
    assert read(path, SEVERAL, target=["y2", "b"]).names == ("Label=u", "Label=v")
    assert "did you mean 'Label'?" in fails(path, kind=UsageError, target="label")
    assert read(path, drop="b").names == ("y2",)
    assert "drop='c'" in fails(path, kind=UsageError, drop=["c"])
    last = table("p,q\n1,0\n2,1\n")
    assert (read(last).names, read(last, ALONE).names) == (("p",), ("p", "q"))
    own = table("y,target,q\n1,7,0\n2,8,1\n")
    assert read(own, VALUES).names == ("target", "q")


def test_columns_find_inputs_of_their_name(table: Any) -> None:
    data = read(table("b,c,y,a\n1,2,3,4\n4,5,6,7\n"), TWO, standardise=False)
    assert {k: v.tolist() for k, v in data.batch([0]).items()} == {"a": [4], "b": [1], "y": [3]}
    assert "not used: column c" in data.notes
    assert "which columns make" in fails(table("p,q,y\n1,2,3\n"), TWO)


def test_a_saved_transform_reads_new_tables(table: Any) -> None:
    data = read(table("a,c,y\n1,u,no\n3,v,yes\n")).fit()
    again = Transform.from_json(json.dumps(data.transform.to_json()))
    new = table("z,c,a\n9,v,5\n9,u,1\n")
    assert again.apply(new)["X"].tolist() == [[3, 0, 1], [-1, 1, 0]]
    assert again.apply([[5, "v"]])["X"].tolist() == [[3, 0, 1]]
    with pytest.raises(DataError, match="there is no column 'c'"):
        again.apply(table("z,a\n9,5\n"))
    with pytest.raises(DataError, match="2 columns are expected: a, c"):
        again.apply([[1.0, 2.0, 3.0]])
    plain = read("iris", LABELS).fit().transform
    assert plain.apply([[5.1, 3.5, 1.4, 0.2]])["X"].shape == (1, 4)
    with pytest.raises(DataError, match="not complete"):
        read("iris", LABELS).transform.apply([[1, 2, 3, 4]])


def test_archives(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    for arrays in ({"X": X, "y": Y}, {"images": X, "labels": Y}, {"u": Y, "v": X}):
        np.savez(path, **arrays)  # type: ignore[arg-type]
        batch = read(path).batch([1])
        assert (batch["X"].tolist(), batch["y"].tolist()) == ([[2, 3]], [1])
    np.savez(path, X=X, y=Y, extra=Y)
    assert read(str(path)).notes == ("'extra' is not used: the model has no input of this name",)
    np.savez(path, p=X, q=Y, r=Y)
    assert "no values for 'X'" in fails(path)
    np.savez(path, X=X, y=np.array(list("ababab")))
    assert read(path).classes == ("a", "b")
    np.savez(path, X=X.astype(object), y=Y)
    assert "not unpickled" in fails(path)
    for junk in (b"", b"PK\3\4junk", path.read_bytes()[:-30]):
        path.write_bytes(junk)
        assert "cannot be read as an .npz file" in fails(path)


def test_archives_that_unpack_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, X=np.zeros((1000, 2)), y=np.zeros(1000))
    monkeypatch.setattr(stored, "LIMIT", 20_000)
    assert ".npy files in a folder" in fails(path, kind=LimitError)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**12, 2)}
    )
    with zipfile.ZipFile(path, "w") as file:  # announces 16 TB, holds nothing
        file.writestr("X.npy", header.getvalue())
    assert "cut short" in fails(path)


def test_single_arrays_and_folders(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.column_stack([X, Y]))
    data = read(tmp_path / "m.npy", target=-1)
    assert data.batch([1])["X"].tolist() == [[2, 3]]
    assert data.batch([1])["y"].tolist() == [1]
    assert "between" in fails(tmp_path / "m.npy", VALUES, target=1)
    np.save(tmp_path / "r.npy", np.zeros(3, [("a", "f8"), ("b", "f8")]))
    assert "fields a, b" in fails(tmp_path / "r.npy")
    (tmp_path / "t.npy").write_bytes((tmp_path / "m.npy").read_bytes()[:-8])
    assert "cannot be read" in fails(tmp_path / "t.npy", ALONE)
    (tmp_path / "f").mkdir()
    assert "no .npy files" in fails(tmp_path / "f")
    for name, array in (("X", X), ("y", Y)):
        np.save(tmp_path / "f" / f"{name}.npy", array)
    assert read(tmp_path / "f").batch([1])["X"].tolist() == [[2, 3]]
    assert "there is no file" in fails(tmp_path / "nothing.csv")
    assert "no kind of file" in fails(__file__, kind=UsageError)


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "u1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_mapped_file_gives_what_memory_gives(tmp_path: Path, dtype: str, order: Any) -> None:
    values = np.asarray(np.random.default_rng(0).integers(0, 200, (300, 4)), dtype, order=order)
    np.save(tmp_path / "X.npy", values)
    np.save(tmp_path / "y.npy", np.arange(300) % 2)
    mapped, held = (
        read(tmp_path, standardise=True),
        read((values, np.arange(300) % 2), standardise=True),
    )
    rows = np.random.default_rng(1).permutation(300)[:200]
    mapped, held = mapped.fit(rows), held.fit(rows)
    for index in (
        rows[:64],
        np.array([-1, 0]),
        np.array([299, 3, 3, 0]),
        slice(5, 9),
        slice(0, 9, 2),
        [],
    ):
        for dtype_ in (np.float32, np.float64):
            for name, array in mapped.batch(index, dtype_).items():
                same = held.batch(index, dtype_)[name]
                assert array.tobytes() == same.tobytes()
                assert (array.dtype, array.shape) == (same.dtype, same.shape)
                assert array.flags.c_contiguous
    with pytest.raises(UsageError, match="no row 300"):
        mapped.batch([300])


def test_views_of_mapped_arrays(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(100, 6))
    np.save(tmp_path / "m.npy", values)
    for mode in ("r", "r+", "c"):
        whole = np.load(tmp_path / "m.npy", mmap_mode=mode)
        for part in (np.s_[7:], np.s_[::3], np.s_[::-1], np.s_[:, 1:4], np.s_[5:, ::2]):
            view = whole[part]
            data = read((view, np.arange(len(view)) % 2))
            index = np.array([9, 0, 20])
            assert (data.batch(index)["X"] == values[part][index]).all(), (mode, part)
            assert (data.batch(slice(2, 9))["X"] == values[part][2:9]).all(), (mode, part)


def test_a_mapping_that_is_copied_on_write_keeps_what_was_written(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", X)
    private = np.load(tmp_path / "m.npy", mmap_mode="c")
    private[3] = 99
    data = read((private, Y), standardise=True)
    fitted = data.fit([0, 1, 2])
    for _ in range(3):
        assert fitted.batch([3])["X"][0, 0] > 50
    assert private[3].tolist() == [99, 99]


def test_a_mapping_whose_file_was_replaced_is_read_itself(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", X)
    mapped = np.load(tmp_path / "m.npy", mmap_mode="r")
    np.save(tmp_path / "new.npy", X + 1)
    os.replace(tmp_path / "new.npy", tmp_path / "m.npy")
    assert read((mapped, Y)).batch([1])["X"].tolist() == [[2, 3]]


def test_missing_entries_in_a_mapped_file(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", np.where(X == 5, np.nan, X))
    np.save(tmp_path / "y.npy", Y)
    data = read(tmp_path)
    assert data.batch([0, 1])["X"].shape == (2, 2)
    with pytest.raises(DataError, match=r"row 2, column \[1\] of 'X'"):
        data.batch([3, 2])
    assert "row 2, column [1] of 'X'" in fails(tmp_path, standardise=True)
    assert read(tmp_path, missing="mean").fit([0, 1, 2]).batch([2])["X"].tolist() == [[4, 2]]


def test_the_fingerprint_of_a_mapped_file_is_not_of_its_time(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", Y)
    before = read(tmp_path).fingerprint()
    os.utime(tmp_path / "X.npy", (1, 1))
    assert read(tmp_path).fingerprint() == before
    np.save(tmp_path / "X.npy", X + 1)
    assert read(tmp_path).fingerprint() != before


def test_statistics_keep_their_digits_from_block_to_block(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    values = np.column_stack(
        [1e9 + rng.normal(size=5000), rng.normal(size=5000) * 1e-9, np.full(5000, 0.1)]
    )
    values[:10, 1] = np.nan
    monkeypatch.setattr(rows_module, "steps", lambda rows, row: range(0, rows, 37))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = statistics(Held(values), np.arange(4000)[::-1], skip_nan=True)
    exact = values[:4000].astype(np.longdouble)
    for column in (0, 1):
        kept = exact[~np.isnan(exact[:, column]), column]
        assert abs(found.mean[column] / kept.mean() - 1) < 1e-12
        assert abs(found.deviation[column] / kept.std() - 1) < 1e-7
    assert (found.mean[2], found.deviation[2], found.constant.tolist()) == (
        0.1,
        0,
        [False, False, True],
    )
    assert found.count.tolist() == [4000, 3990, 4000]


PASS = """
import resource, sys
import numpy as np
from symgrad.parse import parse
from symgrad.train.data import load
from symgrad.train.roles import roles
graph = parse("X: data[N, D]; y: labels[N, C]; W: param[D, C]; cross_entropy(X @ W, y)")
load("xor", graph, roles(graph), standardise=True).fit().batch([1])
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
data = load(sys.argv[1], graph, roles(graph), standardise=True)
train, _, _ = data.split(test=0.1)
data = data.fit(train)
order = np.random.default_rng(0).permutation(train)
for k in range(0, len(order), 256):
    data.batch(order[k : k + 256], np.float32)
print(peak() - before)
"""


@pytest.mark.skipif(not hasattr(os, "preadv"), reason="pages of a mapping count as memory here")
def test_a_file_larger_than_memory_is_passed_over_in_little_memory(tmp_path: Path) -> None:
    rows, width = 51_200, 1024  # 200 MB that take no room on the disk
    np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float32, (rows, width))
    np.save(tmp_path / "y.npy", (np.arange(rows) % 2).astype(np.uint8))
    grown = float(run(PASS, str(tmp_path)))
    assert grown < 40, f"{grown:.0f} MB"


def run(code: str, *arguments: str) -> str:
    import subprocess
    import sys

    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_warnings_are_symgrad_s(table: Any) -> None:
    data = read(table("a,c,y\n1,u,0\n3,v,1\n")).fit()
    with pytest.warns(SymgradWarning, match="known are u, v"):
        data.transform.apply({"a": [1], "c": ["w"]})


def csv_says(folder: Path, text: str, **options: Any) -> str:
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    graph = parse("X: data[N, D]; t: labels[N, C]; W: param[D, C]; cross_entropy(X @ W, t)")
    with pytest.raises(DataError) as caught:
        load(path, graph, roles(graph), **options)
    return str(caught.value)


def test_columns_that_are_no_numbers_are_told_why(tmp_path: Path) -> None:
    def table(cell: Any) -> str:
        return "x,t\n" + "".join(f"{cell(k)},{'ab'[k % 2]}\n" for k in range(40))

    assert "holds dates, such as '2020-01-01'" in csv_says(
        tmp_path, table(lambda k: f"2020-01-{k % 28 + 1:02d}"))  # fmt: skip
    for cell in (lambda k: f"${k}.5", lambda k: f"{k}%", lambda k: f'"1,{k:03d}"'):
        assert "numbers are written as 1234.5" in csv_says(tmp_path, table(cell))
    said = csv_says(tmp_path, table(lambda k: f"{k}").replace(",", " "))
    assert "the table has 'x t'" in said and "| or tabs" in said


def test_bars_and_typeset_signs_are_read(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("x|t\n" + "".join(f"\u2212{k}|{'ab'[k % 2]}\n" for k in range(8)))
    graph = parse("X: data[N, D]; t: labels[N, C]; W: param[D, C]; cross_entropy(X @ W, t)")
    data = load(path, graph, roles(graph), standardise=False)
    assert data.batch(np.arange(8))["X"][:, 0].tolist() == [-k for k in range(8)]


def test_a_long_header_of_equal_names_is_refused_at_once(tmp_path: Path) -> None:
    names = ",".join(["x"] * 200_000)
    assert "two columns are named 'x'" in csv_says(tmp_path, f"{names}\n")
