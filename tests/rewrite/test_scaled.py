"""Products of multiples are made once in code; terms that are multiples of a value are added."""

import re
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff import point

GLS = """X: data[N, D]; w: param[D]; y: param[N]; S: symmetric[N, N]
r = y - X @ w
0.5*r @ inv(S) @ r"""
NORMAL = "X: param[N, D]; m: param[D]; S: symmetric[D, D]; sum((X - m)*((X - m) @ inv(S)))/2"
RISK = "w: param[D]; S: symmetric[D, D]; g: positive; m: param[D]; w @ m - g/2*(w @ S @ w)"
PLAIN = "w: param[D]; A: data[D, D]; b: param[D]; sum(w*(A @ w))/2 + (b/3) @ A @ w"


def lines(f: Any) -> str:
    text: str = f.program
    return text[text.index('    """\n') :]


@pytest.mark.parametrize("text,products", [(GLS, 4), (NORMAL, 1), (RISK, 3), (PLAIN, 5)])
def test_each_product_is_made_once(text: str, products: int) -> None:
    f = sg.compile(text, wrt=None, style="readable")
    found = re.sub(r"#.*", "", lines(f)).count("@")
    assert found == products, lines(f)
    at = point(sg.parse(text), 3)
    value, grads = f(**at)
    accurate = sg.compile(text, style="readable", accurate=True)(**at)
    fast = sg.compile(text, style="fast")(**at)
    for other in (accurate, fast):
        np.testing.assert_allclose(value, other[0], rtol=1e-12)
        for name, slope in grads.items():
            np.testing.assert_allclose(slope, other[1][name], rtol=1e-11, atol=1e-13)


def test_halves_of_one_value_are_the_whole() -> None:
    f = sg.compile("v: param[D]; M: symmetric[D, D]; 0.5*(v @ M @ v)", wrt="v", style="readable")
    assert lines(f).count(" = M @ v ") == 1 and "t_1 + t_1" not in f.program
    at = {"v": np.array([1.0, 2.0]), "M": np.array([[2.0, 1.0], [1.0, 3.0]])}
    np.testing.assert_array_equal(f(**at)[1]["v"], at["M"] @ at["v"])


def test_a_third_is_divided_by_3() -> None:
    assert "t_2 = b @ A / 3 " in sg.compile(PLAIN, style="readable").program


def test_a_symmetric_matrix_stands_before_its_vector() -> None:
    f = sg.compile("x: param[D]; Q: symmetric[D, D]; x @ Q @ x", style="readable")
    assert "Q @ x" in f.program and "x @ Q" not in f.program


def test_what_is_no_multiple_stays_apart() -> None:
    f = sg.compile("x: param[D]; A: data[D, D]; c: data[D]; sum(A @ x) + sum((A @ (c*x))**2)",
                   style="readable")  # fmt: skip
    x, A, c = np.array([1.0, 2.0]), np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([2.0, 0.5])
    value, grads = f(x=x, A=A, c=c)
    assert value == np.sum(A @ x) + np.sum((A @ (c * x)) ** 2)
    np.testing.assert_allclose(grads["x"], A.sum(axis=0) + 2 * c * (A.T @ (A @ (c * x))))
