"""A module in a file answers wrong shapes, labels and facts with an error, as functions do."""

import numpy as np
import pytest

import symgrad as sg

SOFTMAX = """
X: data[N, D]; W: param[D, C]; b: param[C]; y: labels[N, C]
cross_entropy(X @ W + b, y)
"""
SCORES = np.arange(12.0).reshape(4, 3)
GIVEN = {"X": SCORES, "W": np.ones((3, 5)), "b": np.zeros(5), "y": np.array([0, 4, 2, 1])}
FACTS = {
    "sign": ([1, -1], [1, 0]),
    "binary": ([1, 0], [1, -1]),
    "positive": ([1, 2], [1, 0]),
    "onehot": ([0, 1], [1, 1]),
    "simplex": ([0.25, 0.75], [1.5, -0.5]),
}


def module(text, **options):
    """Execute the text that goes into a file."""
    space = {"__name__": "model"}
    exec(sg.compile(text, **options).source, space)
    return space["value_and_grad"]


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("labels, said", [
    ([0, 4, 2, -1], r"y\[3\] is -1; expected is 0 to 4"),
    ([0, 5, 2, 1], r"y\[1\] is 5; expected is 0 to 4"),
    ([0, 4, 2.5, 1], r"y\[2\] is 2\.5; expected is 0 to 4"),
    ([np.nan, 4, 2, 1], r"y\[0\] is nan"),
    ([[0], [4], [2], [1]], r"y has the shape \(4, 1\); expected is \(N = 4\)"),
    ([0, 4, 2], r"y has the shape \(3,\); expected is \(N = 4\)"),
    (np.array([0, -4, 2, 1], np.int8), r"y\[1\] is -4"),
])  # fmt: skip
def test_labels(style, labels, said):
    call = module(SOFTMAX, style=style)
    with pytest.raises(ValueError, match=said):
        call(**GIVEN | {"y": labels})


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_what_fits_is_computed(style):
    call, f = module(SOFTMAX, style=style), sg.compile(SOFTMAX, style=style)
    for labels in ([0, 4, 2, 1], (0.0, 4.0, 2.0, 1.0), np.array([0, 4, 2, 1], np.uint8)):
        value, grads = call(**GIVEN | {"y": labels})
        expected, wanted = f(**GIVEN)
        assert value == expected
        assert all(np.array_equal(grads[k], wanted[k]) for k in wanted)
    call(**GIVEN | {"X": SCORES[:2], "y": [0, 1]})  # another size is found anew
    call(**{k: v.tolist() for k, v in GIVEN.items()})


@pytest.mark.parametrize("name, value", [("W", np.ones((5, 3))), ("b", [0.0]), ("b", 0.0)])
def test_shapes(name, value):
    with pytest.raises(ValueError, match=rf"{name} has the shape \("):
        module(SOFTMAX)(**GIVEN | {name: value})


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize(
    "given",
    [{"lam": None}, {"y": None}],
)
def test_what_is_no_number(style, given):
    """NumPy takes None for NaN."""
    f = module("y: data[N]; w: param[N]; lam: real; sum((w-y)**2) + lam*sum(w**2)", style=style)
    right = {"y": [1.0, 2.0, 3.0], "w": [1, 0, 2], "lam": 10**30}
    assert np.isfinite(f(**right)[0])
    with pytest.raises(ValueError, match=r"has the shape None; expected is \("):
        f(**right | given)


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("count", [2, 20, 80])
def test_no_number_among_numbers(style, dtype, count):
    """Where no array is declared, too; many numbers travel in a list."""
    names = [f"x{k}" for k in range(count)]
    f = module(" + ".join(f"{n}**2" for n in names), style=style, dtype=dtype)
    right = dict.fromkeys(names, 1.0)
    assert f(**right)[0] == count
    with pytest.raises(ValueError, match="x1 is None; expected is a number"):
        f(**right | {"x1": None})


def test_sizes_made_of_names():
    text = "x: data[N, D]; h: data[N, H]; W: param[D, 4*H]; z = x @ W; sum(z[:, H:2*H]*h)"
    call = module(text)
    given = {"x": np.ones((2, 3)), "h": np.ones((2, 5))}
    assert call(**given, W=np.ones((3, 20)))[0] == 30
    with pytest.raises(ValueError, match=r"4\*H is 20; an array has 21"):
        call(**given, W=np.ones((3, 21)))


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("body, fits", [
    ("y[i] = sum(w[k]*x[i+k] for k in K); sum(y**2)", 2),
    ("sum(correlate(x, w)**2)", 2),
    ("y[i] = sum(w[k]*x[i+2*k] for k in K); sum(y**2)", 3),
])  # fmt: skip
def test_a_window_is_not_longer_than_what_it_slides_along(body, fits, style):
    """NumPy would let the shorter one slide along the longer one."""
    call = module(f"x: data[N]; w: param[K]; {body}", style=style)
    call(x=np.ones(fits), w=np.ones(2))
    with pytest.raises(ValueError, match=f"a window of {fits} does not fit into {fits - 1} ent"):
        call(x=np.ones(fits - 1), w=np.ones(2))


@pytest.mark.parametrize("kind", FACTS)
def test_facts(kind):
    call = module(f"w: param[N]; a: {kind}[N]; sum(w*a)")
    good, bad = FACTS[kind]
    call(w=[1.0, 2.0], a=good)
    with pytest.raises(ValueError, match="a must be "):
        call(w=[1.0, 2.0], a=bad)


@pytest.mark.parametrize("kind", ["sign", "binary", "onehot"])
@pytest.mark.parametrize("wrong", [np.inf, -np.inf, 1e200])
def test_facts_of_numbers_that_are_far_out(kind, wrong):
    """A square of theirs overflows, and the difference of two is not defined."""
    call = module(f"w: param[N]; a: {kind}[N]; sum(w*a)")
    with np.errstate(all="raise"), pytest.raises(ValueError, match="a must be "):
        call(w=[1.0, 2.0], a=[0.0, wrong])


@pytest.mark.parametrize("kind", ["binary", "onehot", "simplex"])
def test_truth_values(kind):
    call = module(f"w: param[N]; a: {kind}[N]; sum(w*a)")
    assert call(w=[1.0, 2.0], a=np.array([False, True]))[0] == 2
    if kind != "binary":
        with pytest.raises(ValueError, match="a must be "):
            call(w=[1.0, 2.0], a=np.array([True, True]))


def test_bytes():
    call = module("w: param[N]; a: sign[N]; sum(w*a)")
    assert call(w=[1.0, 2.0], a=np.array([1, -1], np.int8))[0] == -1
    with pytest.raises(ValueError, match="a must be "):
        call(w=[1.0, 2.0], a=np.array([1, 255], np.uint8))


def test_symmetric_matrices_of_truth_values_and_of_infinities():
    call = module("w: param[N]; a: symmetric[N, N]; w @ a @ w")
    assert call(w=[1.0, 2.0], a=np.array([[True, False], [False, True]]))[0] == 5
    for wrong in ([[True, False], [True, True]], [[1, np.inf], [0, 1]], [[np.inf, 1], [0, 1]]):
        with np.errstate(invalid="ignore"), pytest.raises(ValueError, match="its transpose"):
            call(w=[1.0, 2.0], a=np.array(wrong))


def test_symmetric():
    call = module("w: param[N]; a: symmetric[N, N]; w @ a @ w")
    assert call(w=[1.0, 2.0], a=[[1, 2], [2, 1]])[0] == 13
    with pytest.raises(ValueError, match="a must be equal to its transpose"):
        call(w=[1.0, 2.0], a=[[1, 2], [3, 1]])


def test_numbers_of_which_nothing_is_declared_are_compared_with_none_only():
    source = sg.compile("sigmoid(w*x + b)").source
    assert "    if w is None or x is None or b is None:\n        verify(" in source
    assert "SHAPES" not in source and "DECLARED" not in source


def test_names_of_the_program_are_left_alone():
    call = module("verify: param[N]; sign: data[N]; is_sign: sign[N]; sum(verify*sign*is_sign)")
    assert call(verify=[1, 2], sign=[3, 4], is_sign=[1, -1])[0] == -5
    call = module("x: param[N]; s: sign[N]; sum(s*sign(x)*x)", style="fast")
    assert call(x=[1.0, -2.0], s=[1, 1])[0] == 3


def test_labels_below_a_number():
    call = module("z: param[5]; y: label[5]; cross_entropy(z, y)")
    with pytest.raises(ValueError, match="y is 5; expected is 0 to 4"):
        call(z=np.zeros(5), y=5)


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize(
    "body", ["S[c] = sum(x[n] for n in N if y[n] == c); sum(S**2)", "sum(x)/C"]
)
def test_classes_that_nothing_counts(body, style):
    """The number of classes stands behind the labels alone: a module would not know the name."""
    text = f"x: param[N]; y: labels[N, C]; {body}"
    with pytest.raises(sg.ShapeError, match="the dimension C has no number"):
        sg.compile(text, style=style)
    f = sg.compile(text.replace("C]", "3]").replace("/C", "/3"), style=style)
    f(x=np.ones(4), y=[0, 1, 1, 2])
    counted = sg.compile(
        text.replace("x: param", "t: data[C]; x: param") + " + sum(t)", style=style
    )
    counted(x=np.ones(4), y=[0, 1, 1, 2], t=np.zeros(3))
