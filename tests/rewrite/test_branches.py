"""The same function in both branches of a case is taken once."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.evaluate import values
from symgrad.ops import OPS, leaf, make
from symgrad.rewrite.dangers import dangerous

HEAD = "z: param[N]; y: binary[N]; w: param[N]; "
FOCAL = HEAD + "p = sigmoid(z); q = where(y == 1, p, 1 - p); sum((1 - q)**2*log(q))"
TYPED = HEAD + "sum(where(y == 1, log(sigmoid(z)), log(1 - sigmoid(z))))"
MIXED = HEAD + "sum(where(y == 1, exp(tanh(z)), exp(tanh(w)))**2)"
SIGNS = HEAD + "sum(exp(where(y == 1, -z, z)) + sin(where(y == 1, z, -z)))"
READ_TWICE = HEAD + "e = exp(z); sum(where(y == 1, e, exp(w))*e)"
HALF = HEAD + "sum(where(y == 1, exp(z), 1) + where(z > 0, log(z), 0))"
BROADCAST = "z: param[N]; Y: binary[N, M]; w: param[M]; sum(where(Y == 1, exp(z)[:, None], exp(w)))"
ALL = [FOCAL, TYPED, MIXED, SIGNS, READ_TWICE, HALF, BROADCAST]


@pytest.mark.parametrize("text", ALL, ids=range(len(ALL)))
@pytest.mark.parametrize("options", [{}, {"style": "readable"}, {"accurate": True}], ids=str)
def test_as_backpropagation_computes(text, options):
    graph, rng = sg.parse(text), np.random.default_rng(0)
    at = {"z": rng.normal(size=7), "w": rng.normal(size=3 if "M" in text else 7)}
    shape = (7, 3) if "Y" in text else (7,)
    at["Y" if "Y" in text else "y"] = rng.integers(0, 2, shape).astype(float)
    at = {k: v for k, v in at.items() if k in {n.attrs["name"] for n in graph.inputs}}
    found, (value, gradients) = sg.backprop(graph, at), sg.compile(graph, **options)(**at)
    assert value == pytest.approx(float(found.value), rel=1e-12)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, found.grad[name], rtol=1e-10, atol=1e-13)


def body(text):
    text = sg.compile(text, style="readable").program
    return "\n".join(line.split("#")[0] for line in text[text.index("Returns") :].splitlines())


def test_functions_leave_the_case():
    text = body(FOCAL)
    assert text.count("np.exp(") == text.count(" softplus(") == text.count("np.where(M, z") == 1
    text = body(TYPED)
    assert text.count("softplus(") == text.count("sigmoid(") == text.count("np.where(M, z") == 1
    assert body(MIXED).count("np.tanh(") == body(MIXED).count("np.exp(") == 1


def test_far_out_it_is_finite():
    for text in (FOCAL, TYPED):
        z = np.array([-1000.0, 1000.0, -1000.0, 1000.0])
        value, gradients = sg.compile(text)(z=z, y=np.array([0.0, 1, 1, 0]), w=z)
        assert value == -2000 and np.isfinite(gradients["z"]).all()


def test_what_is_read_elsewhere_stays():
    assert "np.exp(np.where(" not in body(READ_TWICE)  # exp(z) is there
    assert body(HALF).count("np.exp(") == 1 and "np.log(" in body(HALF)
    assert body(BROADCAST).count("np.exp(") == 2  # of vectors


def test_a_case_of_both_signs_is_made_once():
    assert body(SIGNS).count("np.where(M, -z, z)") == 1 and "np.where(M, z" not in body(SIGNS)


def test_what_may_be_infinite_is_known_to_be_dangerous():
    """Each operator of one number that gives no number at one of these is shielded in cases."""
    x, unknown = leaf("x"), []
    for name, row in OPS.items():
        if row.shape == "elementwise" and row.arity == 1 and not row.params:
            node = make(name, x)
            with np.errstate(all="ignore"):
                found = [values([node], {x: np.float64(v)}, {})[node] for v in (-3, -1, 0, 1, 3)]
            if not np.all(np.isfinite(np.asarray(found, float))) and not dangerous(node):
                unknown.append(name)
    assert unknown == ["number_log"]  # of a number, which is no array of entries
