"""A number that is called as a dimension hides its size: that is allowed, and said."""

import warnings

import pytest

import symgrad as sg


@pytest.mark.parametrize(
    ("text", "part"),
    (
        ("x: param[N]; N = 3; sum(x)/N", "line 1: N = 3 is not the dimension N"),
        ("x: param[N]\nN: scalar\nsum(x)/N", "line 2: the input N is not the dimension N"),
        ("N = -2.5\nx: param[N, 2*M]; M = 1; sum(x)/N", "line 1: N = -2.5 is not"),
        ("x: param[2*M]; M = 1; sum(x)*M", "line 1: M = 1 is not"),
    ),
)
def test_a_number_hides_a_size(text: str, part: str) -> None:
    with pytest.warns(sg.SymgradWarning, match="outside of brackets") as caught:
        graph = sg.parse(text)
    assert any(part in str(w.message) for w in caught) and graph.output.op


def test_arrays_and_results_may_be_called_as_a_size_is() -> None:
    texts = (
        "X: data[N, D]; W: param[D, H]; H = sigmoid(X @ W); sum(H)",
        "X: data[N, L]; w: param[L]; L = mean((X @ w)**2)",
        "X: data[N, C]; w: param[C]; C = sum(X @ w); C + sum(w**2)",
        "x: param[N]; n = 3; sum(x)/n",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", sg.SymgradWarning)
        for text in texts:
            sg.parse(text)
