"""Names as people type them, and as nobody should: what code, LaTeX and NumPy call their own."""

PLAIN = {
    "number": ("a", "b", "c", "r", "z", "w0", "m", "k", "d", "f"),
    "vector": ("u", "v", "w", "p", "q", "b1", "b2", "b3", "x", "t"),
    "matrix": ("X", "W", "S", "A", "B", "W1", "W2", "W3", "R", "K"),
    "line": tuple(f"t{k}" for k in range(40)),
}
NASTY = (
    "out", "self", "np", "x1", "x_1", "x__1", "lam", "alpha", "Theta", "β", "δ", "e", "E", "I",
    "O", "Q", "S", "value", "grads", "t0", "_t", "cache", "ws", "buf0", "tile0", "rows", "c0",
    "id", "list", "type", "match", "case", "float", "len", "range", "math", "inputs", "grad_W",
    "dW", "W_hat", "x_hat", "sigma2", "dL_dW", "node", "edge", "graph", "print", "one", "v1",
    "workspace", "gamma", "zeta", "result", "wrt", "at", "g", "y_", "l", "_", "X_T", "W1_",
    "ones_N", "name", "args", "kwargs", "key", "exp_", "a1", "a_1", "ϕ", "μ", "x_bar", "ell",
)  # fmt: skip


def called(choose, group: str, taken: set[str], nasty: bool) -> str:
    """Choose a name of a group that is not taken."""
    pool = [n for n in (NASTY if nasty and choose(3) else PLAIN[group]) if n not in taken]
    if not pool:
        pool = [f"{group[0]}{k}" for k in range(len(taken) + 1) if f"{group[0]}{k}" not in taken]
    name = pool[choose(min(len(pool), 60))]
    taken.add(name)
    return name
