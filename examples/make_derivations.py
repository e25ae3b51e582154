"""Write docs/derivations.md: identities of the lectures, derived step by step, and their checks.

Run it from anywhere: python examples/make_derivations.py. A test compares what it writes with what
is committed.
"""

import sys
from pathlib import Path
from typing import NamedTuple

import symgrad as sg
from symgrad.formula.equality import Equality

DOCS = Path(__file__).parents[1] / "docs"


class Identity(NamedTuple):
    """Hold a claim: a title, what to say about it, declarations, both sides."""

    title: str
    text: str
    declared: str
    left: str
    right: str


LAYERS = "x: real[D]; W1: real[H, D]; b1: real[H]; W2: real[C, H]; b2: real[C]"
IDENTITIES = (
    Identity(
        "Two linear layers are one",
        "Without an activation between them, two layers compute W₁₂ x + b₁₂ with W₁₂ = W₂ W₁ and "
        "b₁₂ = W₂ b₁ + b₂.",
        LAYERS, "W2 @ (W1 @ x + b1) + b2", "(W2 @ W1) @ x + (W2 @ b1 + b2)",
    ),
    Identity(
        "The same for a batch of rows",
        "",
        "X: real[N, D]; W1: real[D, H]; b1: real[H]; W2: real[H, C]; b2: real[C]",
        "(X @ W1 + b1) @ W2 + b2", "X @ (W1 @ W2) + (b1 @ W2 + b2)",
    ),
    Identity(
        "The bias as a column of the weights",
        "A layer is a product with the augmented matrix, if a 1 is appended to its input.",
        "x: real[D]; W: real[H, D]; b: real[H]",
        "concatenate((W, b[:, None]), axis=1) @ concatenate((x, ones_like(x[:1])))", "W @ x + b",
    ),
    Identity(
        "tanh is a sigmoid, stretched", "", "", "tanh(x)", "2*sigmoid(2*x) - 1",
    ),
    Identity(
        "The derivative of σ, by adding and subtracting 1",
        "The left side is what the quotient rule gives for σ(x) = 1/(1 + exp(−x)).",
        "", "exp(-x)/(1 + exp(-x))**2", "sigmoid(x)*(1 - sigmoid(x))",
    ),
    Identity("σ is symmetric", "", "", "sigmoid(-x)", "1 - sigmoid(x)"),
    Identity(
        "softplus and its mirror image", "", "", "softplus(x) - softplus(-x)", "x",
    ),
    Identity(
        "Cross-entropy is entropy plus divergence",
        "Minimising H(p, q) in q minimises KL(p ‖ q), as H(p) does not depend on q.",
        "p: simplex[C]; q: simplex[C]", "cross_entropy_of(p, q)", "entropy(p) + kl(p, q)",
    ),
    Identity(
        "softmax does not see a shift",
        "Which is why the maximum may be subtracted first, against overflow.",
        "s: real[C]; c: real", "softmax(s + c)", "softmax(s)",
    ),
    Identity(
        "A factor above and below is a shift by its logarithm",
        "", "s: real[C]; k: positive", "k*exp(s)/(k*sum(exp(s)))", "softmax(s + log(k))",
    ),
    Identity(
        "softmax of two classes is the logistic function",
        "", "s: real[2]", "softmax(s)[0]", "sigmoid(s[0] - s[1])",
    ),
    Identity(
        "Binary cross-entropy of a logit",
        "1 − σ(z) = σ(−z) and softplus(−z) = softplus(z) − z are derived above.",
        "z: real; y: real", "bce(sigmoid(z), y)", "softplus(z) - y*z",
    ),
    Identity(
        "Leaky ReLU is a maxout of two pieces", "", "", "leaky_relu(x)", "max(0.01*x, x)",
    ),
    Identity(
        "Parametric ReLU", "Its slope α is a number of its own; max(α x, x) is the same only for "
        "α ≤ 1.", "", "prelu(x, alpha)", "where(x > 0, x, alpha*x)",
    ),
    Identity(
        "The transpose of a product", "", "A: real[N, K]; B: real[K, M]; C: real[M, L]",
        "(A @ B @ C).T", "C.T @ (B.T @ A.T)",
    ),
)  # fmt: skip

CLASSIFIER = """X: data[N, D]
y: labels[N, C]
W: param[D, C]
s = X @ W
loss = cross_entropy(s, y)"""
NEURON = """t: data
p = sigmoid(w*x)
L = (p - t)**2"""
STUDENTS = (
    (CLASSIFIER, "W", (
        "X.T @ (P - e_y)/N", "X.T @ (P - e_y)", "X.T @ (e_y - P)/N", "(P - e_y).T @ X/N",
        "X @ (P - e_y)/N",
    )),
    (NEURON, "w", (
        "2*(p - t)*p*(1 - p)*x", "2*(p - t)*p*x", "(p - t)*p*(1 - p)*x",
    )),
    ("z: real; t: data; L = bce(sigmoid(z), t)", "z", ("sigmoid(z) - t", "sigmoid(z) - t**2")),
    ("x: real[N]; L = sum(relu(x))", "x", ("x > 0", "x >= 0")),
)  # fmt: skip
HEAD = """# Derivations

Written by `python examples/make_derivations.py`. Every chain was found by symgrad: each line is
made from the one before by one elementary law, named at its end, and is compared with it in
numbers; that both ends are equal is proved besides, in an exact normal form. The search goes from
both ends and reads what it finds on the right backwards.

```sh
symgrad equal "tanh(x)" "2*sigmoid(2*x) - 1" --steps
```

In Python, `sg.equal(left, right, steps=True)` gives the same as an object.
"""
CHECKS = """## Checking one's own formula

`symgrad derive PROGRAM --wrt W --check-equal "FORMULA"`, or `sg.equal(sg.gradient(program)["W"],
formula)`, says whether a formula is the gradient: proved by the normal form; refuted, by a point
where both differ, verified with 30 digits, and if possible by what is wrong; or, where neither
succeeds, that it was not refuted at a hundred random points. Points suit the declarations.
"""


def derivation(claim: Identity) -> Equality:
    """Derive a claim; raise if it cannot be proved."""
    parts = [part for part in (claim.declared, claim.left) if part]
    found = sg.equal("; ".join(parts), claim.right, steps=True)
    if not found.proved or not found.steps:
        raise SystemExit(f"{claim.title}: {found}")
    return found


def page() -> str:
    """Write the page."""
    parts = [HEAD]
    for claim in IDENTITIES:
        found = derivation(claim)
        told = f"{claim.text}\n\n" if claim.text else ""
        declared = f"{claim.declared}\n" if claim.declared else ""
        program = f"```text\n{declared}{claim.left}\n# equals\n{claim.right}\n```"
        parts.append(f"## {claim.title}\n\n{told}{program}\n\n{found.markdown()}\n")
    parts.append(CHECKS)
    for program, wrt, formulas in STUDENTS:
        gradient = sg.gradient(program, wrt)[wrt]
        shown = f"```text\n{program}\n```\n\n$$\n{gradient.latex_head} = {gradient.latex()}\n$$\n"
        parts.append(shown)
        for formula in formulas:
            answer = sg.equal(gradient, formula)
            parts.append(f"`{formula}`\n\n```text\n{answer}\n```\n")
    return "\n".join(parts)


def main(folder: Path = DOCS) -> None:
    """Write docs/derivations.md."""
    (folder / "derivations.md").write_text(page(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS)
