"""Data in memory: every kind of array and label, matched with what a model declares."""

import json
import warnings
from typing import Any

import numpy as np
import pytest

from symgrad.errors import DataError, ShapeError, SymgradError, SymgradWarning, UsageError
from symgrad.graph import Graph
from symgrad.parse import parse
from symgrad.train.data import Dataset, Transform, load
from symgrad.train.roles import Roles, roles

Model = tuple[Graph, Roles]


def model(text: str) -> Model:
    graph = parse(text)
    return graph, roles(graph)


LABELS = model("X: data[N, D]; y: labels[N, C]; W: param[D, C]; cross_entropy(X @ W, y)")
THREE = model("X: data[N, D]; y: labels[N, 3]; W: param[D, 3]; cross_entropy(X @ W, y)")
ONE_HOT = model("X: data[N, D]; Y: onehot[N, C]; W: param[D, C]; cross_entropy(X @ W, Y)")
BINARY = model("X: data[N, D]; y: binary[N]; w: param[D]; bce(sigmoid(X @ w), y)")
COLUMN = model("X: data[N, D]; y: binary[N, 1]; w: param[D, 1]; bce(sigmoid(X @ w), y)")
SIGN = model("X: data[N, D]; y: sign[N]; w: param[D]; hinge(X @ w, y)")
MANY = model("X: data[N, D]; Y: binary[N, K]; w: param[D, K]; bce(sigmoid(X @ w), Y)")
VALUES = model("X: data[N, D]; y: real[N]; w: param[D]; mse(X @ w, y)")
SEVERAL = model("X: data[N, D]; Y: real[N, K]; w: param[D, K]; mse(X @ w, Y)")
TWO = model("a: data[N]; b: data[N]; y: real[N]; u: param; v: param; mse(u*a + v*b, y)")
ALONE = model("X: data[N, D]; W: param[D, H]; mse((X @ W) @ W.T, X)")
PICTURES = model("X: data[N, 8, 8]; y: labels[N, C]; W: param[64, C];"
                 "cross_entropy(reshape(X, (-1, 64)) @ W, y)")  # fmt: skip
X = np.arange(12.0).reshape(6, 2)
Y3 = np.array([0, 1, 2, 0, 1, 2])
Y2 = np.array([0, 1, 0, 1, 0, 1])


def whole(data: Dataset) -> dict[str, Any]:
    return data.batch(slice(None))


def message(source: Any, to: Model, kind: type[SymgradError] = DataError, **options: Any) -> str:
    with warnings.catch_warnings(), pytest.raises(kind) as caught:
        warnings.simplefilter("ignore", SymgradWarning)
        load(source, *to, **options).fit()
    return str(caught.value)


GIVEN = {
    "list": X.tolist(),
    "half": X.astype(np.float16),
    "float32": X.astype(np.float32),
    "long": X.astype(np.longdouble),
    "big-endian": X.astype(">f4"),
    "whole": X.astype(np.int16),
    "Fortran": np.asfortranarray(X),
    "strided": np.repeat(X, 2, axis=0)[::2],
    "backwards": X[::-1].copy()[::-1],
    "nothing masked": np.ma.masked_array(X, X > 99),
}


@pytest.mark.parametrize("kind", GIVEN)
def test_every_kind_of_array_is_read(kind: str) -> None:
    for source in ((GIVEN[kind], Y2), {"X": GIVEN[kind], "y": Y2}):
        batch = load(source, *BINARY).batch(np.array([4, 1]))
        assert batch["X"].tolist() == [[8, 9], [2, 3]]
        assert batch["X"].flags.c_contiguous
        assert batch["X"].dtype == np.float64
        assert batch["y"].tolist() == [0, 1]


def test_np_matrix_is_its_array() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        given = np.matrix(X)
    assert type(whole(load((given, Y2), *BINARY))["X"]) is np.ndarray


def test_what_is_given_is_never_written_to() -> None:
    mine, labels = X.copy(), Y2.copy()
    for array in (mine, labels):
        array.flags.writeable = False
    data = load((mine, labels), *BINARY, standardise=True).fit()
    whole(data)
    assert (mine == X).all()
    assert mine.flags.writeable is False
    plain = load({"X": (shared := X.copy()), "y": Y2}, *BINARY)
    assert not whole(plain)["X"].flags.writeable
    assert shared.flags.writeable


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (np.ma.masked_array(X, X == 4), "masked (row 2)"),
        (X + 1j, "complex"),
        (X.astype("M8[s]"), "dates"),
        (X.astype(str), "astype(float)"),
        (X.astype(object), "astype(float)"),
        (np.zeros(6, [("a", "f8")]), "records"),
        ([[1, 2], [3]], "one length"),
        (3.0, "not an array"),
        (None, "not an array"),
        (np.empty((0, 2)), "no rows"),
        (np.where(X == 5, np.nan, X), "row 2, column [1] of 'X'"),
        (np.where(X == 5, -np.inf, X), "-inf in row 2"),
    ],
)
def test_what_is_no_matrix_of_numbers_is_refused(given: Any, says: str) -> None:
    assert says in message((given, Y2), BINARY)


def test_missing_numbers_take_the_mean_of_the_training_rows_or_are_let_through() -> None:
    holes = np.where(X == 5, np.nan, X)
    data = load((holes, Y2), *BINARY, missing="mean").fit([0, 1, 2])
    assert data.batch([2])["X"].tolist() == [[4, 2]]  # the mean of 1 and 3
    assert np.isnan(load((holes, Y2), *BINARY, missing="allow").batch([2])["X"]).any()
    assert "inf" in message((np.where(X == 5, np.inf, X), Y2), BINARY, missing="mean")
    lost = np.where([True, False], np.nan, X)
    assert "no mean" in message((lost, Y2), BINARY, missing="mean")


CODES = [
    (LABELS, ["b", "a", "c"] * 2, [1, 0, 2] * 2, ("a", "b", "c")),
    (LABELS, [1, 2, 3] * 2, [0, 1, 2] * 2, (1, 2, 3)),
    (LABELS, [0.0, 5.0, 9.0] * 2, [0, 1, 2] * 2, (0, 5, 9)),
    (LABELS, [True, False] * 3, [1, 0] * 3, (False, True)),
    (LABELS, np.array([b"u", b"v"] * 3), [0, 1] * 3, ("u", "v")),
    (THREE, [0, 1, 1, 0, 1, 0], [0, 1, 1, 0, 1, 0], (0, 1, 2)),
    (THREE, [-1, 0, 1] * 2, [0, 1, 2] * 2, (-1, 0, 1)),
    (BINARY, [0, 0, 0, 0, 0, 0], [0.0] * 6, (0, 1)),
    (BINARY, ["yes", "no"] * 3, [1.0, 0.0] * 3, ("no", "yes")),
    (BINARY, [-1, 1] * 3, [0.0, 1.0] * 3, (-1, 1)),
    (COLUMN, [[3.5], [2.5]] * 3, [[1.0], [0.0]] * 3, (2.5, 3.5)),
    (SIGN, [-1, 1] * 3, [-1.0, 1.0] * 3, (-1, 1)),
    (SIGN, [0, 1] * 3, [-1.0, 1.0] * 3, (0, 1)),
    (ONE_HOT, ["b", "a"] * 3, [[0.0, 1.0], [1.0, 0.0]] * 3, ("a", "b")),
]


@pytest.mark.parametrize(("to", "given", "codes", "classes"), CODES)
def test_labels_are_numbered_and_kept(to: Model, given: Any, codes: Any, classes: Any) -> None:
    data = load((X, given), *to)
    target = whole(data)[to[1].targets[0]]
    assert target.tolist() == codes
    assert target.dtype == (np.int64 if to in (LABELS, THREE) else np.float64)
    assert data.classes == classes
    assert [type(c) for c in data.classes] == [type(c) for c in classes]
    back = data.transform.labels([0, 1])
    assert back.tolist() == list(classes[:2])


def test_a_note_says_what_labels_became() -> None:
    assert load((X, [0, 1] * 3), *SIGN).notes == ("labels 0, 1 are -1, 1 ('y')",)
    assert load((X, [0, 1] * 3), *BINARY).notes == ()


@pytest.mark.parametrize(
    ("to", "given", "says"),
    [
        (LABELS, [0, 1, np.nan, 0, 1, 2], "row 2 is nan"),
        (LABELS, [0, 0.5, 1, 0, 1, 2], "'y' in row 1 is 0.5, not a whole number"),
        (LABELS, ["a", None, "b", "a", "b", "a"], "row 1 is missing"),
        (LABELS, [4] * 6, "one label, 4"),
        (THREE, [0, 1, 2, 3, 0, 1], "the label 3 of 'y' in row 3 is outside 0 … 2"),
        (THREE, [0, 1, -1, 2, 0, 1], "the label -1 of 'y' in row 2 is outside 0 … 2"),
        (THREE, ["a", "b"] * 3, "2 different labels (a, b); 3 classes are declared"),
        (BINARY, Y3, "3 different values (0, 1, 2), two are expected"),
        (VALUES, ["a", "b"] * 3, "labels[N, C]"),
        (VALUES, [1, 2, 3, np.nan, 5, 6], "target 'y' in row 3 is nan"),
        (ONE_HOT, np.ones((6, 2)), "row 0 is not one-hot"),
        (MANY, [[0, 1], [0, 2]] * 3, "2 in row 1, column 1; 0 and 1 are expected"),
    ],
)
def test_labels_that_cannot_be_are_refused(to: Model, given: Any, says: str) -> None:
    assert says in message((X, given), to)


def test_a_target_of_many_yes_and_no() -> None:
    pairs = np.array([[0, 1], [1, 1], [0, 0]] * 2)
    assert whole(load((X, pairs), *MANY))["Y"].tolist() == pairs.tolist()
    assert whole(load((X, pairs * 2 - 1), *MANY))["Y"].tolist() == pairs.tolist()
    assert whole(load((X, pairs == 1), *MANY))["Y"].dtype == np.float64


def test_many_labels_in_few_rows_are_probably_values() -> None:
    with pytest.raises(DataError, match=r"100 different labels in 100 rows(.|\n)*real\[N\]"):
        load((np.zeros((100, 1)), np.arange(100)), *LABELS)
    counted = parse("X: data[N, D]; y: labels[N, C]; W: param[D, C]; cross_entropy(X @ W, y)")
    found = load((np.zeros((100, 1)), np.arange(100)), counted, roles(counted), sizes={"C": 100})
    assert found.classes == tuple(range(100))


def test_shapes_that_could_be_meant_are_taken_with_a_warning() -> None:
    with pytest.warns(SymgradWarning, match=r"declared \(N,\); given is \(6, 1\)"):
        assert whole(load((X, Y2[:, None]), *VALUES))["y"].shape == (6,)
    with pytest.warns(SymgradWarning, match=r"declared \(N, K\); given is \(6,\)"):
        data = load((X, Y2), *SEVERAL)
    assert (whole(data)["Y"].shape, data.sizes["K"]) == ((6, 1), 1)
    with pytest.warns(SymgradWarning, match="one column"):
        assert load((X[:, 0], Y2), *BINARY).sizes["D"] == 1


def test_pictures_become_rows_and_rows_pictures() -> None:
    flat = np.arange(3 * 64.0).reshape(3, 64)
    data = load((flat.reshape(3, 8, 8), [0, 1, 0]), *LABELS)
    assert (whole(data)["X"] == flat).all()
    assert data.notes[0] == "pictures of 8×8 become rows of 64 ('X')"
    back = load((flat, [0, 1, 0]), *PICTURES)
    assert (whole(back)["X"] == flat.reshape(3, 8, 8)).all()
    assert back.transform.apply(flat)["X"].shape == (3, 8, 8)


@pytest.mark.parametrize(
    ("source", "to", "options", "says"),
    [
        ((X[:5], Y2), BINARY, {}, "'y' is (N,), where N = 5; given is (6,)"),
        ((X.T, Y2), BINARY, {}, "is 'X' turned?"),
        ((X, np.eye(3)[Y3]), LABELS, {}, "y.argmax(axis=1)"),
        ((X, Y2), BINARY, {"sizes": {"D": 3}}, "where D = 3; given is (6, 2)"),
        ((X, Y3), PICTURES, {}, "'X' is (N, 8, 8); given is (6, 2)"),
    ],
)
def test_shapes_that_do_not_fit(source: Any, to: Model, options: Any, says: str) -> None:
    assert says in message(source, to, ShapeError, **options)


def test_several_inputs_come_by_name_and_numbers_with_them() -> None:
    data = load({"b": [3, 4], "y": [5, 6], "a": [1, 2]}, *TWO)
    assert {k: v.tolist() for k, v in whole(data).items()} == {
        "a": [1, 2],
        "b": [3, 4],
        "y": [5, 6],
    }
    to = model("X: data[N, D]; y: binary[N]; w: param[D]; k: real[3];"
               "bce(sigmoid(X @ w), y) + lam*sum(w**2) + sum(k)")  # fmt: skip
    given = load({"X": X, "y": Y2, "lam": 0.1, "k": [1, 2, 3]}, *to).given
    assert (given["lam"], given["k"].tolist()) == (0.1, [1, 2, 3])
    assert "is given with the data; it is a parameter" in message(
        {"X": X, "y": Y2, "w": [1, 2]}, to
    )
    assert "given are X, yy" in message({"X": X, "yy": Y2}, to)
    assert "a, b" in message((X, Y2), TWO, UsageError)
    assert "no target" in message((X, Y2), ALONE, UsageError)
    assert whole(load(X, *ALONE)).keys() == {"X"}


def test_one_matrix_with_the_number_of_the_target_column() -> None:
    table = np.column_stack([X, Y2])
    assert whole(load(table, *BINARY, target=-1))["y"].tolist() == Y2.tolist()
    assert load(np.column_stack([X, X]), *SEVERAL, target=[0, 3]).sizes["D"] == 2
    assert "which column is the target" in message(table, BINARY, UsageError)
    assert "no column of a matrix of 3" in message(table, BINARY, UsageError, target=3)


class Frame:
    """Stand for a data frame."""

    def __init__(self, **columns: Any) -> None:
        self.held, self.columns = columns, list(columns)

    def __getitem__(self, name: str) -> Any:
        return np.asarray(self.held[name])


def test_data_frames_are_tables() -> None:
    frame = Frame(size=[1.0, 3.0], colour=np.array(["red", "blue"], object), y=[0, 1])
    data = load(frame, *BINARY).fit()
    assert data.names == ("size", "colour=blue", "colour=red")
    assert whole(data)["X"].tolist() == [[-1, 0, 1], [1, 1, 0]]
    dated = Frame(day=np.array([0, 1], "M8[D]"), size=[1.0, 3.0], y=[0, 1])
    assert load(dated, *BINARY, drop="day").names == ("size",)
    assert "'day' holds dates" in message(dated, BINARY)
    mixed = np.array([[1.0, "u", 0], [2.0, "v", 1]], object)
    assert load(mixed, *BINARY, target=2).names == ("data[0]", "data[1]=u", "data[1]=v")
    pair = load((Frame(size=[1.0, 3.0]), Frame(price=[5.0, 6.0])), *VALUES)
    assert whole(pair.fit())["y"].tolist() == [5, 6]
    columns = load({"size": [1.0, 3.0], "colour": ["red", "blue"], "y": [0, 1]}, *BINARY)
    assert columns.names == data.names


def test_only_training_rows_decide_what_standardised_means() -> None:
    values = np.array([[0.0, 5.0], [2.0, 5.0], [100.0, 6.0], [300.0, 7.0]])
    data = load((values, [0, 1, 0, 1]), *BINARY, standardise=True)
    assert not data.ready
    with pytest.raises(UsageError, match="fit"):
        data.batch([0])
    fitted = data.fit([0, 1])
    assert fitted.ready
    assert fitted.batch([0, 1, 2])["X"].tolist() == [[-1, 0], [1, 0], [99, 1]]  # a constant: 1
    assert fitted.notes == ("2 numeric columns standardised ('X')",)
    again = fitted.fit([2, 3])
    assert again.batch([2])["X"].tolist() == [[-1, -1]]
    assert again.notes == fitted.notes


def test_the_target_is_standardised_and_restored() -> None:
    data = load((X, X[:, 0] * 100), *VALUES, standardise_target=True).fit()
    target = whole(data)["y"]
    assert abs(target.mean()) < 1e-12
    assert abs(target.std() - 1) < 1e-12
    np.testing.assert_allclose(data.transform.restore(target), X[:, 0] * 100, atol=1e-10)
    assert "standard deviation" in load((X, X[:, 0] * 100), *VALUES).notes[0]


def test_a_transform_goes_through_json_and_does_the_same_again() -> None:
    rng = np.random.default_rng(0)
    frame = {"p": rng.normal(1e6, 3, 40), "q": ["u", "v"] * 20, "y": ["a", "b"] * 20}
    data = load(frame, *LABELS).fit(np.arange(30))
    again = Transform.from_json(json.dumps(data.transform.to_json()))
    assert again.classes == ("a", "b")
    new = {"q": frame["q"], "other": [0] * 40, "p": frame["p"]}
    assert (again.apply(new)["X"] == whole(data)["X"]).all()
    assert again.apply(new, np.float32)["X"].dtype == np.float32
    scored = load({**frame, "y": ["b", "a"] * 20}, *LABELS, transform=again)
    assert scored.ready
    assert whole(scored)["y"].tolist() == [1, 0] * 20
    assert (whole(scored)["X"] == whole(data)["X"]).all()
    wrong = {**frame, "y": ["b", "z"] * 20}
    assert "'z' of 'y' in row 1 is none of the classes a, b" in message(
        wrong, LABELS, transform=again
    )
    with pytest.warns(SymgradWarning, match="'q' has w \\(row 0\\), known are u, v"):
        assert again.apply({"p": [1.0], "q": ["w"]})["X"][0, 1:].tolist() == [0, 0]
    for broken in ("{}", "[", {"schema": "symgrad.transform", "version": 9}, {"inputs": 3}, "3"):
        with pytest.raises(DataError):
            Transform.from_json(broken)


def test_batches() -> None:
    data = load((X, Y3), *LABELS)
    assert data.batch([5, 0], np.float32)["X"].dtype == np.float32
    assert data.batch([5, 0], "float32")["y"].dtype == np.int64
    assert data.batch(np.arange(6) > 3)["y"].tolist() == [1, 2]
    assert data.batch(slice(1, 6, 2))["y"].tolist() == [1, 0, 2]
    assert data.batch([])["X"].shape == (0, 2)
    assert data.batch(-1)["X"].tolist() == [[10, 11]]
    fresh = data.batch(np.array([0]))["X"]
    fresh[:] = -1
    assert data.batch([0])["X"].tolist() == [[0, 1]]
    for wrong in ([6], [-7], [0.5], [[1]], ["a"]):
        with pytest.raises(UsageError):
            data.batch(wrong)


@pytest.mark.parametrize("to", [LABELS, ONE_HOT])
def test_split_keeps_the_proportions_of_classes(to: Model) -> None:
    labels = np.array([0] * 70 + [1] * 25 + [2] * 5)
    data = load((np.zeros((100, 1)), labels), *to)
    parts = data.split(validation=0.2, test=0.2, seed=3)
    assert [len(p) for p in parts] == [60, 20, 20]
    assert np.sort(np.concatenate(parts)).tolist() == list(range(100))
    for part, expected in zip(parts, ([42, 15, 3], [14, 5, 1], [14, 5, 1]), strict=True):
        assert np.bincount(labels[part], minlength=3).tolist() == expected
    again = data.split(validation=0.2, test=0.2, seed=3)
    assert all((a == b).all() for a, b in zip(parts, again, strict=True))
    other = data.split(validation=0.2, test=0.2, seed=4)
    assert any((a != b).any() for a, b in zip(parts, other, strict=True))
    loose = data.split(test=30, stratify=False)
    assert [len(p) for p in loose] == [70, 0, 30]


def test_split_never_gives_an_empty_part() -> None:
    data = load((X, Y3), *LABELS)
    for options in ({"validation": 0.5, "test": 0.5}, {"validation": 0.01}, {"test": 6}):
        with pytest.raises(DataError):
            data.split(**options)
    for options in ({"validation": -0.1}, {"validation": 1.5}, {"test": True}, {"test": "a"}):
        with pytest.raises(UsageError):
            data.split(**options)  # type: ignore[arg-type]
    with pytest.warns(SymgradWarning, match="no training row has the class"):
        data.split(test=5)


def test_the_fingerprint_is_of_the_content() -> None:
    prints = {load((form, Y3), *LABELS).fingerprint() for form in (X, X.tolist(), X.astype(">f8"))}
    assert len(prints) == 1
    changed = X.copy()
    changed[3, 1] += 1e-9
    different = [
        load((changed, Y3), *LABELS),
        load((X, Y3[::-1]), *LABELS),
        load((X, list("abcabc")), *LABELS),
    ]
    assert not prints & {d.fingerprint() for d in different}
    fitted = load((X, Y3), *LABELS, standardise=True).fit()
    assert fitted.fingerprint() in prints


@pytest.mark.parametrize("options", [{"missing": "drop"}, {"standardise": "yes"}])
def test_unknown_options_are_refused(options: Any) -> None:
    assert "is not known" in message((X, Y2), BINARY, UsageError, **options)


SETS = [
    ("digits", LABELS, (1797, 64), 10),
    ("iris", LABELS, (150, 4), 3),
    ("wine", LABELS, (178, 13), 3),
    ("breast-cancer", BINARY, (569, 30), 2),
    ("diabetes", VALUES, (442, 10), None),
    ("linnerud", SEVERAL, (20, 3), None),
]


@pytest.mark.parametrize(("name", "to", "shape", "classes"), SETS)
def test_bundled_sets(name: str, to: Model, shape: Any, classes: Any) -> None:
    data = load(name, *to).fit()
    found = whole(data)["X"]
    assert found.shape == shape
    assert (data.classes and len(data.classes)) == classes
    assert len(data.names) == shape[1]
    assert found.max() == 1 if name == "digits" else np.allclose(found.std(axis=0), 1)


def test_bundled_sets_keep_their_order_of_classes() -> None:
    data = load("breast_cancer", *BINARY)
    assert data.classes == ("malignant", "benign")
    assert data.notes[-1] == "labels malignant, benign are 0, 1 ('y')"
    assert "setosa, versicolor, virginica" in message("iris", BINARY)
    assert load("linnerud", *VALUES, target="Weight").rows == 20


def test_bundled_sets_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sklearn", None)
    assert message("iris", LABELS, UsageError).count("\n") == 0


def test_sets_that_are_made() -> None:
    for name in ("xor", "circle", "spirals", "moons", "noise"):
        data = load(f"{name}(60)", *BINARY, seed=1)
        assert data.rows == 60
        assert whole(data)["y"].sum() == 30
        same, other = (load(f"{name}(60)", *BINARY, seed=s).fingerprint() for s in (1, 2))
        assert (data.fingerprint() == same, data.fingerprint() == other) == (True, False)
    assert load("spirals(60, arms=3)", *LABELS).sizes["C"] == 3
    assert load("sine", *VALUES).sizes == {"N": 200, "D": 1}
    assert "did you mean 'digits'?" in message("digitz", LABELS, UsageError)
    assert "did you mean 'arms'?" in message("spirals(arm=3)", LABELS, UsageError)
    for wrong in ("xor(-1)", "xor(2.5)", "xor(1e99)", "xor(noise=nan)", "xor(9, 9)"):
        message(wrong, LABELS, UsageError)
