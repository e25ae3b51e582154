"""Every function of the language over some library of arrays, as textbooks define it.

Nothing of symgrad's rows is read here. `Peer` is written over a few primitives, which `Extended`
gives for NumPy in extended precision; the peers for PyTorch and JAX replace what their libraries
have themselves.
"""

import inspect
import math
from operator import attrgetter
from typing import Any

import numpy as np

WIDE = np.longdouble
ERF_CUT = 6.5  # beyond it, erf is 1 in extended precision


class Peer:
    """The functions; a method's name is what is typed."""

    xp: Any = np

    def number(self, v: Any) -> Any:
        return np.asarray(v, dtype=WIDE) if not _whole(v) else np.asarray(v)

    def space(self, sizes: dict[str, int]) -> dict[str, Any]:
        """Collect what the text of a program may use."""
        found = {n: m for n, m in inspect.getmembers(self, callable) if not n.startswith("__")}
        for short, full in ALIASES.items():
            found[short] = found[full]
        for name in (*LOSSES, *(short for short, full in ALIASES.items() if full in LOSSES)):
            found[f"{name}_loss"] = found[name]
        hidden = ("_number", "_indicator", "_turned", "_entry", "_stacked", "_length")
        found.update({n: getattr(self, n[1:]) for n in hidden})
        return {**found, **sizes, "pi": math.pi, "_range": range, "_slice": slice, "_bool": bool,
                "inf": math.inf, "nan": math.nan}  # fmt: skip

    # -- what the syntax says ------------------------------------------------------------------

    def indicator(self, c: Any) -> Any:
        return self.number(np.asarray(c, dtype=WIDE))

    def turned(self, x: Any) -> Any:
        return x.T

    def entry(self, x: Any, key: tuple[Any, ...]) -> Any:
        return x[tuple(int(k) if _index(k) else k for k in key)]

    def stacked(self, parts: Any) -> Any:
        return self.stack(parts)

    def length(self, x: Any, axis: int) -> int:
        return int(x.shape[axis])

    # -- elementary ----------------------------------------------------------------------------

    def square(self, x: Any) -> Any:
        return self.number(x) ** 2

    def maximum(self, a: Any, b: Any) -> Any:
        return self.xp.maximum(self.number(a), self.number(b))

    def minimum(self, a: Any, b: Any) -> Any:
        return self.xp.minimum(self.number(a), self.number(b))

    def logaddexp(self, a: Any, b: Any) -> Any:
        return self.xp.logaddexp(self.number(a), self.number(b))

    def where(self, c: Any, a: Any, b: Any) -> Any:
        return self.xp.where(self.number(c) != 0, self.number(a), self.number(b))

    def clip(self, x: Any, a: Any, b: Any) -> Any:
        return self.minimum(self.maximum(x, a), b)

    def erf(self, x: Any) -> Any:
        import mpmath

        def one(v: Any) -> Any:
            with mpmath.workdps(25):
                return WIDE(mpmath.nstr(mpmath.erf(mpmath.mpf(repr(v).split("'")[1])), 22))

        x = np.clip(self.number(x), -ERF_CUT, ERF_CUT)
        return np.asarray(np.vectorize(one, otypes=[WIDE])(x))

    # -- activations ---------------------------------------------------------------------------

    def sigmoid(self, x: Any) -> Any:
        return (1 + self.tanh(self.number(x) / 2)) / 2

    def relu(self, x: Any) -> Any:
        return self.where(self.number(x) > 0, x, 0)

    def softplus(self, x: Any, beta: Any = 1) -> Any:
        return self.logaddexp(self.number(x) * beta, 0) / beta

    def logcosh(self, x: Any) -> Any:
        return self.logaddexp(self.number(x), -self.number(x)) - math.log(2)

    def logsigmoid(self, x: Any) -> Any:
        return -self.logaddexp(-self.number(x), 0)

    def leaky_relu(self, x: Any, a: Any = 0.01) -> Any:
        return self.where(self.number(x) > 0, x, self.number(x) * a)

    def prelu(self, x: Any, a: Any) -> Any:
        return self.where(self.number(x) > 0, x, self.number(x) * a)

    def relu6(self, x: Any) -> Any:
        return self.clip(x, 0, 6)

    def elu(self, x: Any, a: Any = 1) -> Any:
        return self.where(self.number(x) > 0, x, self.expm1(self.minimum(x, 0)) * a)

    def celu(self, x: Any, a: Any = 1) -> Any:
        return self.maximum(x, 0) + self.minimum(0, self.expm1(self.minimum(x, 0) / a) * a)

    def selu(self, x: Any) -> Any:
        return 1.0507009873554805 * self.elu(x, 1.6732632423543772)

    def hardtanh(self, x: Any) -> Any:
        return self.clip(x, -1, 1)

    def hardsigmoid(self, x: Any) -> Any:
        return self.clip(self.number(x) / 6 + 0.5, 0, 1)

    def hardswish(self, x: Any) -> Any:
        return self.number(x) * self.hardsigmoid(x)

    def hardshrink(self, x: Any, lam: Any = 0.5) -> Any:
        return self.where(self.indicator(self.number(x) > lam)
                          + self.indicator(self.number(x) < -lam), x, 0)  # fmt: skip

    def softshrink(self, x: Any, lam: Any = 0.5) -> Any:
        x = self.number(x)
        return self.where(x > lam, x - lam, self.where(x < -lam, x + lam, 0))

    def tanhshrink(self, x: Any) -> Any:
        return self.number(x) - self.tanh(x)

    def gelu_tanh(self, x: Any) -> Any:
        x = self.number(x)
        return x * self.sigmoid(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))

    def silu(self, x: Any) -> Any:
        return self.number(x) * self.sigmoid(x)

    def swish(self, x: Any, beta: Any = 1) -> Any:
        return self.number(x) * self.sigmoid(self.number(x) * beta)

    def softsign(self, x: Any) -> Any:
        return self.number(x) / (self.abs(x) + 1)

    def normal_cdf(self, x: Any) -> Any:
        return (self.erf(self.number(x) / self.sqrt(2)) + 1) / 2

    def normal_pdf(self, x: Any) -> Any:
        return self.exp(-self.square(x) / 2) / self.sqrt(2 * self.number(math.pi))

    def gelu(self, x: Any) -> Any:
        return self.number(x) * self.normal_cdf(x)

    def gaussian(self, x: Any) -> Any:
        return self.exp(-self.square(x))

    def sinc(self, x: Any) -> Any:
        x = self.number(x) * self.number(math.pi)
        safe = self.where(x != 0, x, 1)
        return self.where(x != 0, self.sin(safe) / safe, 1)

    def mish(self, x: Any) -> Any:
        return self.number(x) * self.tanh(self.softplus(x))

    # -- reductions ----------------------------------------------------------------------------

    def sum(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        if isinstance(x, list):
            x, axis = self.stack([self.number(v) for v in x] or [self.number(0.0)]), None
        return self.xp.sum(self.number(x), axis=axis, keepdims=keepdims)

    def mean(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        if isinstance(x, list):
            x = self.stack([self.number(v) for v in x])
        return self.sum(x, axis, keepdims) / self.count(x, axis)

    def count(self, x: Any, axis: Any) -> int:
        shape = tuple(self.number(x).shape)
        axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        return math.prod(shape[k] for k in axes)

    def max(self, x: Any, b: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
        if b is not None:
            return self.maximum(x, b)
        return self.greatest(
            self.stack(x) if isinstance(x, list) else self.number(x), axis, keepdims
        )

    def min(self, x: Any, b: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
        if b is not None:
            return self.minimum(x, b)
        return -self.greatest(
            -(self.stack(x) if isinstance(x, list) else self.number(x)), axis, keepdims
        )

    def greatest(self, x: Any, axis: Any, keepdims: bool) -> Any:
        return self.xp.max(x, axis=axis, keepdims=keepdims)

    def prod(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return self.xp.prod(self.number(x), axis=axis, keepdims=keepdims)

    def var(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return self.mean(self.square(self.number(x) - self.mean(x, axis, True)), axis, keepdims)

    def std(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return self.root(self.var(x, axis, keepdims))

    def norm(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return self.root(self.sum(self.square(x), axis, keepdims))

    def root(self, x: Any) -> Any:
        """Take the root of a square: nothing flows back from 0."""
        return self.where(x == 0, 0, self.sqrt(self.where(x == 0, 1, x)))

    def logsumexp(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        x = self.number(x)
        m = self.greatest(x, axis, True)
        y = self.log(self.sum(self.exp(x - m), axis, True)) + m
        return y if keepdims else self.reshape(y, self.sum(x, axis).shape)

    def softmax(self, x: Any, axis: int = -1, beta: Any = 1) -> Any:
        return self.exp(self.log_softmax(self.number(x) * beta, axis))

    def log_softmax(self, x: Any, axis: int = -1) -> Any:
        return self.number(x) - self.logsumexp(x, axis, True)

    def cumsum(self, x: Any, axis: int = -1) -> Any:
        return self.xp.cumsum(self.number(x), axis=axis)

    # -- arrays --------------------------------------------------------------------------------

    def arange(self, n: int) -> Any:
        return self.xp.arange(n)

    def eye(self, n: int) -> Any:
        return self.number(np.eye(n, dtype=WIDE))

    def zeros_like(self, x: Any) -> Any:
        return self.number(x) * 0

    def ones_like(self, x: Any) -> Any:
        return self.number(x) * 0 + 1

    def stack(self, parts: Any, axis: int = 0) -> Any:
        return self.xp.stack([self.number(p) for p in parts], axis=axis)

    def concatenate(self, parts: Any, axis: int = 0) -> Any:
        return self.xp.concatenate([self.number(p) for p in parts], axis=axis)

    def reshape(self, x: Any, shape: Any) -> Any:
        return self.xp.reshape(self.number(x), tuple(shape))

    def transpose(self, x: Any, axes: Any = None) -> Any:
        return self.xp.transpose(x, tuple(axes or range(x.ndim)[::-1]))

    def take(self, x: Any, k: Any, axis: int = 0) -> Any:
        return self.xp.take(x, k, axis=axis)

    def matmul(self, a: Any, b: Any) -> Any:
        return a @ b

    def outer(self, a: Any, b: Any) -> Any:
        return a[:, None] * b[None, :]

    def einsum(self, how: str, *parts: Any) -> Any:
        return self.xp.einsum(how, *parts)

    def diag(self, x: Any) -> Any:
        if self.number(x).ndim == 1:
            return self.number(x)[:, None] * self.eye(len(x))
        return self.einsum("ii->i", x)

    def trace(self, x: Any) -> Any:
        return self.einsum("ii->", x)

    def correlate(self, x: Any, k: Any) -> Any:
        m = len(k)
        return self.stack([self.sum(x[i : i + m] * k) for i in range(len(x) - m + 1)])

    def convolve(self, x: Any, k: Any, mode: str = "full") -> Any:
        n, m = len(x), len(k)
        full = [self.sum(self.stack([x[i] * k[j - i] for i in range(n) if 0 <= j - i < m]))
                for j in range(n + m - 1)]  # fmt: skip
        start = (min(n, m) - 1) // 2
        return self.stack(full[start : start + max(n, m)] if mode == "same" else full)

    def solve(self, a: Any, b: Any) -> Any:
        a, b = self.number(a).copy(), self.number(b).copy()
        for k in range(len(a)):  # diagonally dominant, or positive definite: no pivots
            for i in range(k + 1, len(a)):
                f = a[i, k] / a[k, k]
                a[i], b[i] = a[i] - f * a[k], b[i] - f * b[k]
        for k in reversed(range(len(a))):
            b[k] = (b[k] - a[k, k + 1 :] @ b[k + 1 :]) / a[k, k]
        return b

    def inv(self, a: Any) -> Any:
        return self.solve(a, self.eye(len(a)))

    def det(self, a: Any) -> Any:
        a, found = self.number(a).copy(), WIDE(1)
        for k in range(len(a)):
            found = found * a[k, k]
            for i in range(k + 1, len(a)):
                a[i] = a[i] - a[i, k] / a[k, k] * a[k]
        return found

    def logdet(self, a: Any) -> Any:
        return self.log(self.abs(self.det(a)))

    # -- normalisations and losses -------------------------------------------------------------

    def batch_norm(self, x: Any, gamma: Any = 1, beta: Any = 0) -> Any:
        return (x - self.mean(x, 0, True)) / self.sqrt(self.var(x, 0, True) + 1e-5) * gamma + beta

    def layer_norm(self, x: Any, gamma: Any = 1, beta: Any = 0) -> Any:
        return (x - self.mean(x, -1, True)) / self.sqrt(self.var(x, -1, True) + 1e-5) * gamma + beta

    def rms_norm(self, x: Any, gamma: Any = 1) -> Any:
        return x / self.sqrt(self.mean(self.square(x), -1, True) + 1e-5) * gamma

    def dropout(self, x: Any, mask: Any, p: float = 0.5) -> Any:
        return x * mask / (1 - p)

    def reduced(self, x: Any, how: str) -> Any:
        return x if how == "none" else self.sum(x) if how == "sum" else self.mean(x)

    def hot(self, s: Any, y: Any) -> Any:
        """Targets as rows: labels have one axis fewer than scores."""
        if np.ndim(y) < np.ndim(s):
            return self.number(np.eye(s.shape[-1], dtype=WIDE)[np.asarray(y)])
        return self.number(y)

    def mse(self, p: Any, t: Any, reduction: str = "mean") -> Any:
        return self.reduced(self.square(self.number(p) - t), reduction)

    def l1(self, p: Any, t: Any, reduction: str = "mean") -> Any:
        return self.reduced(self.abs(self.number(p) - t), reduction)

    def huber(self, p: Any, t: Any, delta: Any = 1, reduction: str = "mean") -> Any:
        d = self.abs(self.number(p) - t)
        return self.reduced(self.where(d <= delta, d**2 / 2, delta * (d - delta / 2)), reduction)

    def smooth_l1(self, p: Any, t: Any, beta: Any = 1, reduction: str = "mean") -> Any:
        d = self.abs(self.number(p) - t)
        return self.reduced(self.where(d < beta, d**2 / 2 / beta, d - beta / 2), reduction)

    def bce(self, p: Any, t: Any, reduction: str = "mean") -> Any:
        t = self.number(t)
        right = self.where(t == 0, 0, t * self.log(self.where(t == 0, 1, p)))
        wrong = self.where(t == 1, 0, (1 - t) * self.log1p(self.where(t == 1, 0, -self.number(p))))
        return self.reduced(-(right + wrong), reduction)

    def bce_with_logits(self, z: Any, t: Any, reduction: str = "mean") -> Any:
        return self.reduced(self.softplus(z) - self.number(t) * z, reduction)

    def cross_entropy(self, s: Any, y: Any, reduction: str = "mean") -> Any:
        return self.nll(self.log_softmax(s), y, reduction)

    def nll(self, logp: Any, y: Any, reduction: str = "mean") -> Any:
        return self.reduced(-self.sum(self.hot(logp, y) * logp, -1), reduction)

    def hinge(self, s: Any, y: Any, reduction: str = "mean") -> Any:
        return self.reduced(self.relu(1 - self.number(s) * y), reduction)

    def soft_margin(self, s: Any, y: Any, reduction: str = "mean") -> Any:
        return self.reduced(self.softplus(-(self.number(s) * y)), reduction)

    def squared_margin(self, s: Any, y: Any, reduction: str = "mean") -> Any:
        return self.reduced(self.square(1 - self.number(s) * y), reduction)

    def svm(self, s: Any, y: Any, delta: Any = 1, reduction: str = "mean") -> Any:
        hot = self.hot(s, y)
        right = self.sum(hot * s, -1, True)
        return self.reduced(self.sum(self.relu(s - right + delta) * (1 - hot), -1), reduction)

    def multi_margin(self, s: Any, y: Any, margin: Any = 1, reduction: str = "mean") -> Any:
        return self.svm(s, y, margin, reduction) / s.shape[-1]

    def multilabel_hinge(self, f: Any, y: Any, reduction: str = "mean") -> Any:
        return self.reduced(self.sum(self.relu(1 - f * y), -1), reduction)

    def multilabel_soft_margin(self, z: Any, t: Any, reduction: str = "mean") -> Any:
        return self.reduced(self.sum(self.bce_with_logits(z, t, "none"), -1), reduction)

    def kl_div(self, logq: Any, p: Any, reduction: str = "mean") -> Any:
        safe = self.where(self.number(p) > 0, p, 1)
        return self.reduced(self.sum(p * (self.log(safe) - logq), -1), reduction)

    def zero_one(self, s: Any, y: Any, reduction: str = "mean") -> Any:
        best = np.argmax(np.asarray(self.plain(s)), axis=-1)
        return self.reduced(self.number((best != np.asarray(y)).astype(float)), reduction)

    def plain(self, x: Any) -> Any:
        return x

    def to_base(self, x: Any, base: Any) -> Any:
        return x if base is None else x / math.log(base)

    def entropy(self, p: Any, base: Any = None) -> Any:
        safe = self.where(self.number(p) > 0, p, 1)
        return self.to_base(-self.sum(p * self.log(safe)), base)

    def cross_entropy_of(self, p: Any, q: Any, base: Any = None) -> Any:
        return self.to_base(-self.sum(p * self.log(q)), base)

    def kl(self, p: Any, q: Any, base: Any = None) -> Any:
        return self.cross_entropy_of(p, q, base) - self.entropy(p, base)

    def cosine_similarity(self, a: Any, b: Any) -> Any:
        size = self.norm(a, -1) * self.norm(b, -1)
        return self.where(size > 0, self.sum(a * b, -1) / self.where(size > 0, size, 1), 0)


def attach(kind: type[Peer], functions: dict[str, str]) -> None:
    """Give a peer functions of one array, by where the library has them: "xp.exp"."""
    for typed, path in functions.items():

        def apply(self: Any, x: Any, path: str = path) -> Any:
            return attrgetter(path)(self)(self.number(x))

        setattr(kind, typed, apply)


PLAIN = "exp log log2 log1p expm1 sqrt abs sign floor sin cos tan sinh cosh tanh"
attach(Peer, {f: f"xp.{f}" for f in PLAIN.split()} | {"asinh": "xp.arcsinh", "arctan": "xp.arctan"})
LOSSES = ("mse", "l1", "huber", "smooth_l1", "bce", "bce_with_logits", "cross_entropy", "nll",
          "hinge", "soft_margin", "squared_margin", "svm", "multi_margin", "multilabel_hinge",
          "multilabel_soft_margin", "kl_div", "zero_one", "entropy", "cross_entropy_of", "kl",
          "cosine_similarity")  # fmt: skip
ALIASES = {"mae": "l1", "binary_cross_entropy": "bce",
           "binary_cross_entropy_with_logits": "bce_with_logits", "dot": "matmul", "amax": "max",
           "amin": "min", "atan": "arctan"}  # fmt: skip


def _whole(v: Any) -> bool:
    return getattr(v, "dtype", None) is not None and np.issubdtype(np.asarray(v).dtype, np.integer)


def _index(k: Any) -> bool:
    return k is not None and not isinstance(k, slice) and np.ndim(k) == 0


class Extended(Peer):
    """NumPy in extended precision; the gradient along a direction by differences."""

    STEPS = (1e-4, 1e-6, 1e-7)

    def value(self, program: Any, at: dict[str, Any]) -> Any:
        """Run a program."""
        from tests.programs.reading import run

        with np.errstate(all="ignore"):
            given = {n: v if _whole(v) else np.asarray(v, dtype=WIDE) for n, v in at.items()}
            return run(program.text, self.space(program.sizes), given)

    def slopes(self, program: Any, at: dict[str, Any], along: dict[str, Any]) -> list[float]:
        """Give the derivative in a direction, by central differences of fourth order.

        The shorter steps are for points near a kink; they are less exact.
        """

        def f(t: float) -> Any:
            moved = {n: np.asarray(v, dtype=WIDE) + t * WIDE(1) * along[n] if n in along else v
                     for n, v in at.items()}  # fmt: skip
            return self.value(program, moved)

        return [float((8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * WIDE(h)))
                for h in self.STEPS]  # fmt: skip
