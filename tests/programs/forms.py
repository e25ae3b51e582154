"""Operators that change the structure of an array: how each is called, by the rank of its result.

A form takes the writer of expressions, the shape that it shall have and how deep it may go.
"""

from collections.abc import Callable
from typing import Any

Form = Callable[[Any, Any, int], str]


def _other(e: Any) -> str:
    return str(e.pick("NDC"))


def _square(e: Any, n: str, depth: int) -> str:
    """Write a matrix that has an inverse."""
    inner = e.text((n, n), depth)
    form = e.pick(("(0.3*tanh({0}) + 3*eye({1}))", "(0.2*tanh({0}) @ tanh({0}).T + 2*eye({1}))"))
    return str(form.format(inner, n))


def _vector_product(e: Any, s: Any, d: int) -> str:
    k = _other(e)
    return str(e.pick((
        lambda: f"{e.text((s[0], k), d)} @ {e.atom((k,))}",
        lambda: f"{e.atom((k,))} @ {e.text((k, s[0]), d)}",
        lambda: f"{e.atom((k, s[0]))}.T @ {e.text((k,), d)}",
        lambda: f"matmul({e.text((s[0], k), d)}, {e.atom((k,))})",
        lambda: f"({e.atom((s[0], k))} @ {e.atom((k, s[0]))}) @ {e.text(s, d)}",
        lambda: f"dot({e.atom((s[0], k))}, {e.text((k,), d)})",
    ))())  # fmt: skip


def _matrix_product(e: Any, s: Any, d: int) -> str:
    (a, b), k = s, _other(e)
    return str(e.pick((
        lambda: f"{e.text((a, k), d)} @ {e.text((k, b), d)}",
        lambda: f"{e.text((a, k), d)} @ {e.atom((b, k))}.T",
        lambda: f"{e.atom((k, a))}.T @ {e.text((k, b), d)}",
        lambda: f"{e.atom((a, k))} @ {e.atom((k, b))} + {e.atom((b,))}",
        lambda: "({0} @ {0}.T).T @ {1}".format(e.atom((a, k)), e.text(s, d)),
        lambda: f"{e.atom((a, k))} @ {e.atom((k, k))} @ {e.atom((k, b))}",
    ))())  # fmt: skip


def _joined(e: Any, s: Any, d: int) -> str:
    """Join, then cut or add up."""
    f = e.pick(("sum", "mean", "max", "norm"))
    k, a, b = e.choose(len(s) + 1), e.text(s, d), e.atom(s)
    options = [f"{f}(stack(({a}, {b}), axis={k}), axis={k})", f"stack(({a}, {b}, {a}))[1]"]
    if s and e.w.numeric:  # the ends of a slice are plain integers
        c = e.choose(len(s))
        cut = ", ".join([":"] * c)
        lead = f"{cut}, " if cut else ""
        n = e.w.sizes[s[c]]
        options += [
            f"concatenate(({a}, {b}), axis={c})[{lead}:{n}]",
            f"concatenate(({a}, {b}, {a}), axis={c})[{lead}{n}:{2 * n}]",
        ]
    return str(e.pick(options))


def _einsum(e: Any, s: Any, d: int) -> str:
    k = _other(e)
    if not s:
        m, n = e.pick("NDC"), k
        return str(e.pick((
            lambda: f"einsum('ij,ij->', {e.text((m, n), d)}, {e.atom((m, n))})",
            lambda: f"einsum('i,ij,j->', {e.atom((m,))}, {e.atom((m, n))}, {e.text((n,), d)})",
            lambda: f"einsum('ii->', {e.text((n, n), d)})",
        ))())  # fmt: skip
    if len(s) == 1:
        return str(e.pick((
            lambda: f"einsum('ij->i', {e.text((s[0], k), d)})",
            lambda: f"einsum('ij,j->i', {e.text((s[0], k), d)}, {e.atom((k,))})",
            lambda: f"einsum('ij,ij->j', {e.atom((k, s[0]))}, {e.text((k, s[0]), d)})",
            lambda: f"einsum('ii->i', {e.text((s[0], s[0]), d)})",
        ))())  # fmt: skip
    if len(s) == 2:
        return str(e.pick((
            lambda: f"einsum('ik,kj->ij', {e.text((s[0], k), d)}, {e.atom((k, s[1]))})",
            lambda: f"einsum('ij->ji', {e.text((s[1], s[0]), d)})",
            lambda: f"einsum('i,j->ij', {e.text(s[:1], d)}, {e.atom(s[1:])})",
            lambda: f"einsum('kij,k->ij', {e.atom((k, *s))}, {e.text((k,), d)})",
            lambda: f"einsum('ikj,ik->ij', {e.atom((s[0], k, s[1]))}, {e.text((s[0], k), d)})",
        ))())  # fmt: skip
    return f"einsum('ij,jk->ijk', {e.text(s[:2], d)}, {e.atom(s[1:])})"


def _taken(e: Any, s: Any, d: int) -> str:
    """Rows that labels choose."""
    k = _other(e)
    y = e.w.of_kind("labels", (s[0], k))
    inner = e.text((k, *s[1:]), d)
    return str(e.pick((f"take({inner}, {y}, axis=0)", f"{inner}[{y}]")))


def _picked(e: Any, s: Any, d: int) -> str:
    y = e.w.of_kind("labels", (s[0], "C"))
    return f"{e.text((s[0], 'C'), d)}[arange({s[0]}), {y}]"


def _indexed(e: Any, s: Any, d: int) -> str:
    """One place of an axis more."""
    c, k = e.choose(len(s) + 1), e.pick(("0", "-1"))
    place = ", ".join([*[":"] * c, k])
    return f"{e.text((*s[:c], _other(e), *s[c:]), d - (len(s) > 1))}[{place}]"


def _windows(e: Any, s: Any, d: int) -> str:
    k = _other(e)
    return str(e.pick((
        lambda: f"sum(convolve({e.text((k,), d)}, {e.atom((_other(e),))})**2)",
        lambda: f"sum(tanh(correlate({e.text((k,), d)}, {e.atom((k,))})))",
        lambda: f"mean(convolve({e.text((k,), d)}, {e.atom((k,))}, mode='same'))",
    ))())  # fmt: skip


def _cut(e: Any, s: Any, d: int) -> str:
    """Differences of neighbours, each second entry, a part; of nothing the sum is 0."""
    x = e.text(("N", "D"), d)
    v = e.text(("N",), d)
    return str(e.pick((
        f"sum(({v}[1:] - {v}[:-1])**2)", f"sum(tanh({x}[:, 1:]))", f"norm({x}[::2])",
        f"sum({x}[::-1]*{x})", f"sum({x}[:-1, 1:]**2)", f"sum({v}[::-1]*{v})",
    )))  # fmt: skip


def _sliced(e: Any, s: Any, d: int) -> str:
    """Cut with any ends and steps, from the front or the back; the ends are plain integers."""
    if not e.w.numeric:
        return _cut(e, s, d)
    shape = e.pick((("N",), ("N", "D"), ("D", "C")))
    keys = []
    for n in (e.w.sizes[a] for a in shape):
        ends = [e.pick(("", "0", "1", "-1", "-2", str(n))) for _ in range(2)]
        step = e.pick(("", "-1", "2", "-2", "3"))
        cut = slice(*(int(v) if v else None for v in (*ends, step)))
        keys.append(f"{':'.join(ends)}:{step}" if range(n)[cut] else f"::{step or 1}")
    return f"sum(tanh({e.text(shape, d)}[{', '.join(keys)}])*{e.pick(('1', '2', 'pi'))})"


def _contracted(e: Any, s: Any, d: int) -> str:
    """Sum products of several operands over letters in any order."""
    letters = {"i": "N", "j": "D", "k": "C"}
    spelled, made = [], []
    for k in range(2 + e.choose(2)):
        rest, term = "ijk", ""
        for _ in range(1 + e.choose(2 + (k == 0))):
            term += e.pick([a for a in rest if a not in term])
        spelled.append(term)
        made.append(e.text(tuple(letters[a] for a in term), d if k == 0 else 0))
    seen = dict.fromkeys("".join(spelled))
    left = "".join(a for a in reversed(seen) if e.choose(2))
    return f"sum(tanh(einsum('{','.join(spelled)}->{left}', {', '.join(made)})))"


def _diagonal(e: Any, s: Any, d: int) -> str:
    """Make a matrix with a vector as its diagonal, and go back."""
    n = _other(e)
    v, m = e.text((n,), d), e.atom((n, n))
    return str(e.pick((f"sum(tanh(diag({v}) @ {m}))", f"sum(diag(diag({v}) + {m})*{v})",
                       f"norm(maximum(diag({v}), {m}))")))  # fmt: skip


def _flat(e: Any, s: Any, d: int) -> str:
    return str(e.pick((
        lambda: f"norm(reshape({e.text(('N', 'D'), d)}, (-1,)))",
        lambda: f"sum(tanh(reshape({e.text(('N', 'D', 'C'), d - 1)}, (N, -1)) @ "
        f"reshape({e.atom(('D', 'C'))}, (-1, 1))))",
        lambda: f"logsumexp(reshape({e.text(('N', 'D'), d)}, (D, N)))",
    ))())  # fmt: skip


def _of(form: str, *shapes: Callable[[Any], Any]) -> Form:
    """Give a form with operands of shapes that follow from the shape of the result."""

    def write(e: Any, s: Any, d: int) -> str:
        made = [e.text(f(s), d if k == 0 else 0) for k, f in enumerate(shapes)]
        return form.format(*made, *map(str, s))

    return write


def _same(s: Any) -> Any:
    return s


def _axes(e: Any, s: Any, d: int) -> str:
    a, b, c = s
    order, inner = e.pick((((2, 0, 1), (b, c, a)), ((0, 2, 1), (a, c, b)), ((1, 0, 2), (b, a, c)),
                           ((0, 1, 2), s), ((-1, 0, -2), (b, c, a))))  # fmt: skip
    return f"transpose({e.text(inner, d)}, {order})"


def _number_of(f: str) -> Form:
    return lambda e, s, d: f"{f}({_square(e, _other(e), d)})"


# Under the names of the rows: by the rank of the result.
FORMS: dict[str, dict[int, tuple[Form, ...]]] = {
    "matmul": {
        0: (lambda e, s, d: f"{e.text(('D',), d)} @ {e.atom(('D',))}",
            lambda e, s, d: f"{e.atom(('N',))} @ {e.text(('N', 'D'), d)} @ {e.atom(('D',))}"),
        1: (_vector_product, _vector_product), 2: (_matrix_product,) * 3,
        3: (lambda e, s, d: f"{e.text((s[0], s[1], 'D'), d)} @ {e.atom(('D', s[2]))}",),
    },
    "outer": {2: (_of("outer({}, {})", lambda s: s[:1], lambda s: s[1:]),)},
    "transpose": {2: (_of("{}.T", lambda s: s[::-1]), _of("transpose({})", lambda s: s[::-1]),
                      _of("transpose({}, (0, 1))", _same),
                      _of("transpose({}, (-1, 0))", lambda s: s[::-1])),
                  3: (_axes, _of("{}.T", lambda s: s[::-1]))},
    "reshape": {0: (_flat,), 1: (_of("reshape({}, ({},))", _same),),
                2: (_of("reshape({}, ({}, {}))", lambda s: s[::-1]),)},
    "concatenate": {0: (_joined,), 1: (_joined,), 2: (_joined,)},
    "stack": {1: (_joined,), 2: (_joined,)},
    "take": {1: (_taken, _picked), 2: (_taken,)},
    "slice": {0: (_cut, _sliced, _indexed), 1: (_indexed,), 2: (_indexed,)},
    "einsum": {0: (_einsum, _contracted), 1: (_einsum,), 2: (_einsum,), 3: (_einsum,)},
    "correlate": {0: (_windows,)},
    "convolve": {0: (_windows,)},
    "trace": {0: (lambda e, s, d: f"trace({e.text(('D', 'D'), d)})",)},
    "diag": {0: (_diagonal,), 1: (_of("diag({})", lambda s: s * 2),)},
    "eye": {2: (lambda e, s, d: f"{e.text((s[0], s[0]), d)} @ eye({s[0]}) @ {e.atom(s)}",)},
    "inv": {2: (lambda e, s, d: f"inv({_square(e, s[0], d)}) @ {e.atom(s)}",)},
    "det": {0: (_number_of("det"),)},
    "logdet": {0: (_number_of("logdet"),)},
    "solve": {1: (lambda e, s, d: f"solve({_square(e, s[0], d)}, {e.atom(s)})",),
              2: (lambda e, s, d: f"solve({_square(e, s[0], d)}, {e.atom(s)})",)},
    "arange": {1: (lambda e, s, d: f"arange({s[0]})*{e.text(s, d)}/{s[0]}",)},
    "dropout": {2: (lambda e, s, d: f"dropout({e.text(s, d)}, {e.w.of_kind('binary', s)}, 0.25)",)},
    "like": {1: (lambda e, s, d: f"ones_like({e.atom(s)})*2 - {e.text(s, d)}",),
             2: (lambda e, s, d: f"zeros_like({e.atom(s)}) + {e.text(s, d)}",)},
    "broadcast": {
        2: (lambda e, s, d: f"{e.atom(s[:1])}[:, None] - {e.text(s[1:], d)}",
            lambda e, s, d: f"{e.atom((s[0], 1))}*{e.atom((1, s[1]))}"),
        3: (lambda e, s, d: f"{e.atom(s[:2])}[:, :, None]*{e.text(s[2:], d)}",
            lambda e, s, d: f"{e.text(s, d)}*{e.atom(s[1:])} + {e.atom(s[2:])}"),
    },
    "cosine_similarity": {1: (lambda e, s, d: f"cosine_similarity({e.text((s[0], 'D'), d)}, "
                                              f"{e.atom((s[0], 'D'))})",)},
}  # fmt: skip
