"""A block of a language model: causal attention with several heads, and a gated feed-forward layer.

Each half takes its rows divided by their root mean square, and adds what it computes to them.
"""

from typing import Any

import numpy as np

from workloads.workload import Answer, Values, Workload, normal

EPS = 1e-5
HEADS = (1, 2, 3, 4)
NORM = "{0} / sqrt(mean({0}**2, axis=1, keepdims=True) + 1e-5)"
TEXT = f"""
X: data[T, D];  Y: data[T, D];  mask: data[T, T]
f: param[D];  g: param[D]
{
    "".join(
        f'''Q{i}: param[D, K];  K{i}: param[D, K];  V{i}: param[D, K];  O{i}: param[K, D]
'''
        for i in HEADS
    )
}
A: param[D, H];  B: param[D, H];  C: param[H, D]
n = f * {NORM.format("X")}
{
    "".join(
        f'''P{i} = softmax((n @ Q{i}) @ (n @ K{i}).T / sqrt(K) + mask)
'''
        for i in HEADS
    )
}
R = X + {" + ".join(f"P{i} @ (n @ V{i}) @ O{i}" for i in HEADS)}
m = g * {NORM.format("R")}
loss = mse(R + (silu(m @ A) * (m @ B)) @ C, Y)
"""
HEAD = tuple(f"{name}{i}" for i in HEADS for name in "QKVO")


def inputs(
    rng: np.random.Generator, t: int = 128, d: int = 128, k: int = 32, h: int = 256
) -> Values:
    values = {"X": normal(rng, t, d), "Y": normal(rng, t, d)}
    values["mask"] = np.where(np.tri(t) > 0, 0.0, -1e9)
    values |= {"f": 1 + normal(rng, d, scale=0.1), "g": 1 + normal(rng, d, scale=0.1)}
    for name in HEAD:
        shape = (k, d) if name[0] == "O" else (d, k)
        values[name] = normal(rng, *shape, scale=shape[0] ** -0.5)
    values |= {name: normal(rng, d, h, scale=d**-0.5) for name in "AB"}
    return {**values, "C": normal(rng, h, d, scale=h**-0.5)}


def _scaled(x: Any) -> tuple[Any, Any]:
    """Return rows over their root mean square, and one over that."""
    inverse = 1 / np.sqrt((x * x).mean(axis=1, keepdims=True) + EPS)
    return x * inverse, inverse


def _scaled_back(d: Any, x_hat: Any, inverse: Any) -> Any:
    return inverse * (d - x_hat * (d * x_hat).mean(axis=1, keepdims=True))


def block(X: Any, Y: Any, mask: Any, f: Any, g: Any, A: Any, B: Any, C: Any, **p: Any) -> Answer:
    n_hat, _ = _scaled(X)
    n = f * n_hat
    scale = float(p["Q1"].shape[1]) ** -0.5
    R, heads = X, []
    for i in HEADS:
        q, k, v = n @ p[f"Q{i}"], n @ p[f"K{i}"], n @ p[f"V{i}"]
        s = scale * (q @ k.T) + mask
        a = np.exp(s - s.max(axis=1, keepdims=True))
        a /= a.sum(axis=1, keepdims=True)
        z = a @ v
        R = R + z @ p[f"O{i}"]
        heads.append((q, k, v, a, z))
    m_hat, inverse = _scaled(R)
    m = g * m_hat
    u, w = m @ A, m @ B
    gate = 1 / (1 + np.exp(-u))
    swish = u * gate
    e = R + (swish * w) @ C - Y
    d = (2 / e.size) * e
    dh = d @ C.T
    du, dw = dh * w * (gate + swish * (1 - gate)), dh * swish
    dm = du @ A.T + dw @ B.T
    grads = {"A": m.T @ du, "B": m.T @ dw, "C": (swish * w).T @ d, "g": (dm * m_hat).sum(axis=0)}
    dR = d + _scaled_back(dm * g, m_hat, inverse)
    dn = np.zeros_like(n)
    for i, (q, k, v, a, z) in zip(HEADS, heads, strict=True):
        dz = dR @ p[f"O{i}"].T
        da = dz @ v.T
        da -= (da * a).sum(axis=1, keepdims=True)
        ds = scale * a * da
        dq, dk, dv = ds @ k, ds.T @ q, a.T @ dz
        dn += dq @ p[f"Q{i}"].T + dk @ p[f"K{i}"].T + dv @ p[f"V{i}"].T
        own = {"Q": n.T @ dq, "K": n.T @ dk, "V": n.T @ dv, "O": z.T @ dR}
        grads |= {f"{name}{i}": slope for name, slope in own.items()}
    return (e * e).mean(), {**grads, "f": (dn * n_hat).sum(axis=0)}


def loss(k: Any, v: Any) -> Any:
    n = k.rms_norm(v.X, v.f, EPS)
    R = v.X
    scale = k.shape(v.Q1)[1] ** -0.5
    for i in HEADS:
        query, key, value, out = (getattr(v, f"{name}{i}") for name in "QKVO")
        a = k.softmax((n @ query) @ (n @ key).T * scale + v.mask)
        R = R + a @ (n @ value) @ out
    m = k.rms_norm(R, v.g, EPS)
    return k.mse(R + (k.silu(m @ v.A) * (m @ v.B)) @ v.C, v.Y)


BLOCK = Workload(
    name="block",
    text=TEXT,
    inputs=inputs,
    by_hand=block,
    loss=loss,
    wrt=("f", "g", *HEAD, "A", "B", "C"),
    small={"t": 6, "d": 5, "k": 3, "h": 4},
)
