"""What lectures type by hand and the named operator are one graph after recognition."""

import pytest

import symgrad as sg
from symgrad.rewrite import recognise

DECLARED = (
    "x: real\nalpha: real\nbeta: real\nv: real[K]\nt: real[K]\nb: binary[K]\nu: sign[K]\n"
    "p: simplex[K]\nq: simplex[K]\nl: label[K]\nS: real[N, C]\ny: labels[N, C]\nY: onehot[N, C]\n"
    "X: data[N, D]\ngamma: real[D]\nshift: real[D]\n"
)
PAIRS = [
    ("sigmoid(x)", "1/(1 + exp(-x))"),
    ("sigmoid(x)", "exp(x)/(1 + exp(x))"),
    ("sigmoid(x)", "0.5*(1 + tanh(x/2))"),
    ("sigmoid(-x)", "1/(1 + exp(x))"),
    ("tanh(x)", "(exp(x) - exp(-x))/(exp(x) + exp(-x))"),
    ("tanh(x)", "2*sigmoid(2*x) - 1"),
    ("tanh(x)", "sinh(x)/cosh(x)"),
    ("relu(x)", "max(0, x)"),
    ("relu6(x)", "min(max(0, x), 6)"),
    ("leaky_relu(x, alpha)", "where(x > 0, x, alpha*x)"),
    ("prelu(x, alpha)", "max(0, x) + alpha*min(0, x)"),
    ("elu(x, alpha)", "where(x > 0, x, alpha*(exp(x) - 1))"),
    ("selu(x)", "1.0507009873554804934193349852946*where(x > 0, x, "
     "1.6732632423543772848170429916717*(exp(x) - 1))"),
    ("celu(x, alpha)", "max(0, x) + min(0, alpha*(exp(x/alpha) - 1))"),
    ("gelu(x)", "x/2*(1 + erf(x/sqrt(2)))"),
    ("gelu(x)", "0.5*x*(1 + erf(x/sqrt(2)))"),
    ("gelu_tanh(x)", "0.5*x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))"),
    ("softplus(x)", "log(1 + exp(x))"),
    ("softplus(x, beta)", "log(1 + exp(beta*x))/beta"),
    ("logsigmoid(x)", "log(1/(1 + exp(-x)))"),
    ("logsigmoid(x)", "-log(1 + exp(-x))"),
    ("hardshrink(x, alpha)", "where(abs(x) > alpha, x, 0)"),
    ("swish(x, beta)", "x*sigmoid(beta*x)"),
    ("swish(x, beta)", "x/(1 + exp(-beta*x))"),
    ("silu(x)", "x/(1 + exp(-x))"),
    ("hardswish(x)", "x*min(max(x + 3, 0), 6)/6"),
    ("hardsigmoid(x)", "min(max(x + 3, 0), 6)/6"),
    ("mish(x)", "x*tanh(log(1 + exp(x)))"),
    ("softsign(x)", "x/(1 + abs(x))"),
    ("tanhshrink(x)", "x - tanh(x)"),
    ("max(v[0], v[1], v[2])", "max(max(v[0], v[1]), v[2])"),
    ("softmax(v)", "exp(v)/sum(exp(v))"),
    ("softmax(v)", "exp(v - max(v))/sum(exp(v - max(v)))"),
    ("softmax(v, beta=beta)", "exp(beta*v)/sum(exp(beta*v))"),
    ("log_softmax(v)", "log(exp(v)/sum(exp(v)))"),
    ("logsumexp(v)", "log(sum(exp(v)))"),
    ("mse(v, t)", "mean((v - t)**2)"),
    ("l1(v, t)", "mean(abs(v - t))"),
    ("huber(v, t, alpha)", "mean(where(abs(v - t) <= alpha, (v - t)**2/2, "
     "alpha*(abs(v - t) - alpha/2)))"),
    ("bce_with_logits(v, b)", "mean(-(b*log(sigmoid(v)) + (1 - b)*log(1 - sigmoid(v))))"),
    ("soft_margin(v, u)", "mean(log(1 + exp(-u*v)))"),
    ("hinge(v, u)", "mean(max(0, 1 - u*v))"),
    ("squared_margin(v, u)", "mean((1 - u*v)**2)"),
    ("multilabel_hinge(v, u)", "sum(max(0, 1 - u*v))"),
    ("cross_entropy(v, l)", "-log(softmax(v)[l])"),
    ("cross_entropy(v, l)", "-log(exp(v[l])/sum(exp(v)))"),
    ("cross_entropy(S, y)", "mean(-log(softmax(S)[arange(N), y]))"),
    ("cross_entropy(S, Y)", "mean(-sum(Y*log(softmax(S)), axis=1))"),
    ("entropy(p)", "-sum(p*log(p))"),
    ("cross_entropy_of(p, q)", "-sum(p*log(q))"),
    ("kl(p, q)", "sum(p*log(p/q))"),
    ("norm(v)", "sqrt(sum(v**2))"),
    ("batch_norm(X, gamma, shift)", "gamma*((X - mean(X, axis=0, keepdims=True))"
     "/sqrt(var(X, axis=0, keepdims=True) + 1e-5)) + shift"),
]  # fmt: skip


@pytest.mark.parametrize(("named", "typed"), PAIRS, ids=[typed for _, typed in PAIRS])
@pytest.mark.parametrize("mode", ["printed", "code", "accurate"])
def test_typed_and_named_are_one_graph(named: str, typed: str, mode: str) -> None:
    one, _ = recognise(sg.parse(DECLARED + named), mode)
    other, trace = recognise(sg.parse(DECLARED + typed), mode)
    assert one.output is other.output, [r.rule for r in trace]


def test_different_formulas_stay_different() -> None:
    one, other = (
        recognise(sg.parse(t))[0].output for t in ("1/(1 + exp(-x))", "1/(1 + exp(-2*x))")
    )
    assert one is not other
