"""Write the page of closed forms: python examples/make_forms.py [FILE]

Every activation and loss, layers, Jacobians and second derivatives, each as matrix form and by
entries. FILE is docs/forms.md if left out. A test compares the page with what is committed.
"""

import sys
import warnings
from pathlib import Path

import symgrad as sg
from symgrad.formula import Formula

DOCS = Path(__file__).parents[1] / "docs"
warnings.simplefilter("ignore", sg.SymgradWarning)

INTRO = """\
# Closed forms

What `symgrad derive` prints, for the functions and losses of the lectures: the gradient as products
of matrices (`--form matrix`), and its entries (`--form index`) where that says more. Names that a
formula uses are given below it. The page is generated: `python examples/make_forms.py`.
"""

ACTIVATIONS = [
    ("square", "y = x**2"),
    ("sigmoid", "y = 1/(1 + exp(-x))"),
    ("tanh", "y = tanh(x)"),
    ("ReLU", "y = maximum(0, x)"),
    ("ReLU6", "y = minimum(maximum(0, x), 6)"),
    ("leaky ReLU", "y = leaky_relu(x, alpha)"),
    ("parametric ReLU, in x", "y = prelu(x, alpha)"),
    ("parametric ReLU, in α", "y = prelu(x, alpha) # alpha"),
    ("ELU", "y = elu(x, alpha)"),
    ("SELU, its constants as letters", "y = lam*where(x > 0, x, alpha*(exp(x) - 1))"),
    ("CELU", "y = celu(x, alpha)"),
    ("GELU", "y = gelu(x)"),
    ("softplus", "y = log(1 + exp(beta*x))/beta"),
    ("log-sigmoid", "y = log(1/(1 + exp(-x)))"),
    ("hard shrink", "y = hardshrink(x, lam)"),
    ("soft shrink", "y = softshrink(x, lam)"),
    ("swish, in x", "y = x*sigmoid(beta*x)"),
    ("swish, in β", "y = x*sigmoid(beta*x) # beta"),
    ("hard swish", "y = x*relu6(x + 3)/6"),
    ("hard sigmoid", "y = hardsigmoid(x)"),
    ("hard tanh", "y = hardtanh(x)"),
    ("softsign", "y = softsign(x)"),
    ("Mish", "y = mish(x)"),
    ("Gaussian", "y = exp(-x**2)"),
]
VECTORS = [
    ("maxout", "W: real[K, D]; x: real[D]; b: real[K]; y = max(W@x + b)", "x"),
    ("log-sum-exp", "z: real[K]; y = log(sum(exp(z)))", "z"),
]
LOSSES = [
    ("squared error", "p: real[N]; t: data[N]; L = sum((p - t)**2)", "p"),
    ("half of it", "p: real[N]; t: data[N]; L = sum((p - t)**2)/2", "p"),
    ("mean squared error", "p: real[N]; t: data[N]; L = mse(p, t)", "p"),
    ("absolute error", "p: real[N]; t: data[N]; L = sum(abs(p - t))", "p"),
    ("power of the error", "p: real[N]; t: data[N]; L = sum(abs(p - t)**q)", "p"),
    ("Huber", "p: real[N]; t: data[N]; r = p - t\n"
     "L = sum(where(abs(r) <= delta, r**2/2, delta*(abs(r) - delta/2)))", "p"),
    ("binary cross-entropy, of a probability",
     "p: real[N]; y: binary[N]; L = -sum(y*log(p) + (1 - y)*log(1 - p))", "p"),
    ("binary cross-entropy, of a logit",
     "z: real[N]; y: binary[N]; p = sigmoid(z); L = -sum(y*log(p) + (1 - y)*log(1 - p))", "z"),
    ("logistic loss, labels ±1", "f: real[N]; y: sign[N]; L = sum(log(1 + exp(-y*f)))", "f"),
    ("cross-entropy from scores, one sample",
     "s: real[C]; y: label[C]; p = softmax(s); L = -log(p[y])", "s"),
    ("cross-entropy, one-hot targets",
     "z: real[K]; t: onehot[K]; p = softmax(z); L = -sum(t*log(p))", "z"),
    ("softmax classifier over a batch",
     "X: data[N, D]; W: param[D, C]; b: param[C]; y: labels[N, C]; P = softmax(X@W + b)\n"
     "L = cross_entropy(X@W + b, y)", "W"),
    ("categorical cross-entropy, of probabilities",
     "p: simplex[K]; t: onehot[K]; L = -sum(t*log(p))", "p"),
    ("entropy", "p: simplex[K]; H = -sum(p*log(p))", "p"),
    ("Kullback–Leibler divergence, in q", "p: simplex[K]; q: real[K]; L = sum(p*log(p/q))", "q"),
    ("the same through a softmax",
     "p: simplex[K]; z: real[K]; q = softmax(z); L = sum(p*log(p/q))", "z"),
    ("multi-class hinge, one sample, in the scores",
     "s: real[C]; y: label[C]\nL = sum(max(0, s[j] - s[y] + Delta) for j in C if j != y)", "s"),
    ("multi-class hinge, in the weights",
     "W: param[C, D]; x: data[D]; y: label[C]; s = W @ x\n"
     "L = sum(max(0, s[j] - s[y] + Delta) for j in C if j != y)", "W"),
    ("binary hinge, labels ±1", "f: real; y: sign; L = maximum(0, 1 - y*f)", "f"),
    ("multi-label hinge", "f: real[K]; y: sign[K]; L = sum(maximum(0, 1 - y*f))", "f"),
    ("squared loss on a margin", "f: real; y: sign; L = (1 - y*f)**2", "f"),
    ("ridge", "W: param[D, K]; R = lam*sum(W**2)", "W"),
    ("lasso", "W: param[D, K]; R = lam*sum(abs(W))", "W"),
]  # fmt: skip
LAYERS = [
    ("least squares", "X: data[N, D]; w: param[D]; y: data[N]; L = sum((X@w - y)**2)/N", "w"),
    ("logistic regression", "X: data[N, D]; w: param[D]; y: binary[N]; p = sigmoid(X@w)\n"
     "L = -sum(y*log(p) + (1 - y)*log(1 - p))/N", "w"),
    ("two layers of sigmoids, the hidden weights",
     "x: data[D]; V: param[D, H]; U: param[H, K]; t: data[K]\n"
     "h = sigmoid(x @ V); o = sigmoid(h @ U); E = sum((o - t)**2)/2", "V"),
    ("two layers, a batch",
     "X: data[N, D]; W1: param[D, H]; W2: param[H, K]; T: data[N, K]\n"
     "h = sigmoid(X@W1); Y = h@W2; L = sum((Y - T)**2)", "W1"),
    ("ReLU network with a softmax",
     "X: data[N, D]; W1: param[D, H]; b1: param[H]; W2: param[H, K]; b2: param[K]\n"
     "Y: onehot[N, K]; A = X@W1 + b1; h = maximum(0, A); P = softmax(h@W2 + b2)\n"
     "L = -sum(Y*log(P))/N", "W1"),
    ("batch normalisation, in the input",
     "x: real[m, D]; gamma: param[D]; beta: param[D]; G: data[m, D]\n"
     "mu = mean(x, axis=0); sigma2 = mean((x - mu)**2, axis=0)\n"
     "x_hat = (x - mu)/sqrt(sigma2 + eps); L = sum(G*(gamma*x_hat + beta))", "x"),
    ("batch normalisation, in γ",
     "x: real[m, D]; gamma: param[D]; beta: param[D]; G: data[m, D]\n"
     "mu = mean(x, axis=0); sigma2 = mean((x - mu)**2, axis=0)\n"
     "x_hat = (x - mu)/sqrt(sigma2 + eps); L = sum(G*(gamma*x_hat + beta))", "gamma"),
    ("an abstract neuron", "phi: function; w: param[D]; x: data[D]; d: data; y = phi(w @ x + b)\n"
     "E = (y - d)**2/2", "w"),
    ("quadratic form", "A: real[D, D]; x: real[D]; f = x @ A @ x", "x"),
    ("log-determinant", "A: real[D, D]; f = logdet(A)", "A"),
    ("inverse in a quadratic form", "A: real[D, D]; b: real[D]; f = b @ inv(A) @ b", "A"),
    ("trace", "A: real[M, N]; X: real[N, D]; B: real[D, M]; f = trace(A@X@B)", "X"),
]  # fmt: skip
JACOBIANS = [
    ("softmax", "z: real[K]; p = softmax(z)", "z"),
    ("softmax with temperature", "z: real[K]; T: real; p = softmax(z/T)", "z"),
    ("log-softmax", "z: real[K]; y = log_softmax(z)", "z"),
    ("ReLU of a vector", "x: real[N]; y = relu(x)", "x"),
    ("a layer, in its input", "W: real[H, D]; x: real[D]; b: real[H]; y = sigmoid(W@x + b)", "x"),
    ("a linear map, in its matrix", "W: real[H, D]; x: real[D]; y = W@x", "W"),
    ("a product of matrices", "X: real[N, D]; W: real[D, H]; Y = X@W", "W"),
    ("the inverse", "A: real[D, D]; Y = inv(A)", "A"),
    ("normalising a vector", "x: real[N]; y = x/norm(x)", "x"),
    ("standardising a vector", "x: real[N]; y = (x - mean(x))/sqrt(var(x) + eps)", "x"),
]
HESSIANS = [
    ("log-sum-exp", "z: real[K]; f = log(sum(exp(z)))", "z"),
    ("cross-entropy of a softmax",
     "z: real[K]; t: onehot[K]; p = softmax(z); L = -sum(t*log(p))", "z"),
    ("least squares", "A: data[N, D]; x: real[D]; b: data[N]; f = sum((A@x - b)**2)", "x"),
    ("quadratic form", "A: real[D, D]; x: real[D]; f = x @ A @ x", "x"),
    ("logistic regression", "X: data[N, D]; w: param[D]; y: binary[N]; p = sigmoid(X@w)\n"
     "L = -sum(y*log(p) + (1 - y)*log(1 - p))", "w"),
    ("binary cross-entropy, of a probability",
     "p: real[N]; y: binary[N]; L = -sum(y*log(p) + (1 - y)*log(1 - p))", "p"),
    ("logistic loss, labels ±1", "f: real[N]; y: sign[N]; L = sum(log(1 + exp(-y*f)))", "f"),
    ("mean squared error", "p: real[N]; t: data[N]; L = mse(p, t)", "p"),
    ("softmax classifier", "X: data[N, D]; W: param[D, K]; Y: onehot[N, K]; P = softmax(X@W)\n"
     "L = -sum(Y*log(P))/N", "W"),
    ("two layers, in the input",
     "x: real[D]; A: data[D, H]; u: data[H]; h = tanh(x@A); f = h@u", "x"),
    ("ridge", "w: param[D]; R = lam*sum(w**2)", "w"),
]  # fmt: skip


def entry(title: str, program: str, F: Formula) -> str:
    """Write one formula: the program, matrix form, index form, names."""
    lines = [
        f"### {title[0].upper()}{title[1:]}",
        "",
        "```text",
        program.replace("; ", "\n"),
        "```",
    ]
    shown = [f"{F.latex_head} = {F.latex()}"] if F.has_matrix_form else []
    by_entries = f"{F.entry_head()} = {F.latex('index')}"
    if F.shape and by_entries not in shown:
        shown.append(by_entries)
    for text in shown:
        lines += ["", "$$", text, "$$"]
    where = [f"${part.latex_head} = {part.latex()}$" for part in F.where.values()]
    if where:
        lines += ["", "where " + ", ".join(where)]
    if not F.has_matrix_form:
        lines += ["", "No product of matrices says this; these are its entries."]
    return "\n".join(lines)


def section(title: str, rows: list[tuple[str, str, str]], kind: str = "gradient") -> str:
    """Write a section of formulas of one kind."""
    derive = {"jacobian": sg.jacobian, "hessian": sg.hessian}
    parts = [f"## {title}"]
    for name, program, wrt in rows:
        made = derive[kind](program, wrt) if kind in derive else sg.gradient(program, wrt)[wrt]
        assert isinstance(made, Formula)
        parts.append(entry(name, program, made))
    return "\n\n".join(parts)


def page() -> str:
    """Write the whole page."""
    scalars = []
    for name, text in ACTIVATIONS:
        program, _, wrt = text.partition(" # ")
        scalars.append((name, program, wrt or "x"))
    sections = [
        section("Activations", [*scalars, *VECTORS]),
        section("Losses", LOSSES),
        section("Layers and matrices", LAYERS),
        section("Jacobians", JACOBIANS, "jacobian"),
        section("Second derivatives", HESSIANS, "hessian"),
    ]
    return "\n\n".join([INTRO.rstrip(), *sections]) + "\n"


if __name__ == "__main__":
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS / "forms.md"
    path.write_text(page(), encoding="utf-8", newline="\n")
    print(path)
