"""Lines in index notation, as lectures write them."""

from typing import Any

Found = tuple[str, tuple[Any, ...], str]


def _name(w: Any) -> str:
    from tests.programs import names

    return names.called(w.choose, "line", w.taken, w.nasty)


def svm(w: Any) -> Found:
    """Write the multi-class hinge, class by class."""
    s, y, name = w.atom(("N", "C")), w.of_kind("labels", ("N", "C")), _name(w)
    return name, ("N",), (f"{name}[i] = sum(max(0, {s}[i, j] - {s}[i, {y}[i]] + 0.7)"
                          f" for j in C if j != {y}[i])")  # fmt: skip


def product(w: Any) -> Found:
    """Write a matrix times a vector."""
    a, v, name = w.atom(("N", "D")), w.atom(("D",)), _name(w)
    return name, ("N",), f"{name}[i] = sum({a}[i, j]*{v}[j] for j in D)"


def table(w: Any) -> Found:
    """Write a matrix, entry by entry."""
    a, u, v, name = w.atom(("N", "D")), w.atom(("N",)), w.atom(("D",)), _name(w)
    f = w.pick(("tanh({}) + {}*{}", "{}*{} + {}", "max({}, {}) - {}", "exp(-({} - {})**2)*{}"))
    return name, ("N", "D"), f"{name}[i, j] = " + f.format(f"{a}[i, j]", f"{u}[i]", f"{v}[j]")


def pairs(w: Any) -> Found:
    """Write a sum over pairs."""
    u, name = w.atom(("N",)), _name(w)
    c = w.pick(("i < j", "i != j", "i <= j", "j == i"))
    return name, (), f"{name} = sum({u}[i]*{u}[j] for i in N for j in N if {c})"


def turned(w: Any) -> Found:
    """Write a transposed product."""
    a, b, name = w.atom(("N", "D")), w.atom(("N", "C")), _name(w)
    return name, ("D", "C"), f"{name}[k, c] = sum({a}[n, k]*{b}[n, c] for n in N)"


def losses(w: Any) -> Found:
    """Write a mean of what each sample costs."""
    u, v, name = w.atom(("N",)), w.atom(("N",)), _name(w)
    return name, (), f"{name} = mean(log(1 + exp(-{u}[i]*{v}[i])) for i in N)"


def greatest(w: Any) -> Found:
    """Write the maximum of each row."""
    a, name = w.atom(("N", "D")), _name(w)
    return name, ("N",), f"{name}[i] = max({a}[i, j]**2 for j in D)"


INDEXED = (svm, product, table, pairs, turned, losses, greatest)
