"""What repeats becomes a loop: found in linear time, with the values of the program written out."""

import random

import pytest

import symgrad as sg
from symgrad.codegen.fast import rolling, scalar, scalar_sweep
from symgrad.codegen.fast.scalar_codes import code
from tests.codegen.test_scalar import agree, fast

LOOP = "\n    for k in range("


def found(text: str) -> list[rolling.Run]:
    operations = [n for n in sg.parse(text).order() if n.args]
    return rolling.runs(operations, [code(n) for n in operations])


def chain(count: int) -> str:
    return "\n".join(f"x{k + 1} = sin(x{k})*y + x{k}" for k in range(count))


PROGRAMS = {
    "chain": chain(60),
    "squares": "a = x*y\n" + "\n".join(["a = 0.99*a*a + y"] * 70),
    "speelpenning": "p = x0*x1\n" + "\n".join(f"p = p*x{k}" for k in range(2, 90)),
    "like terms": "s = z\n" + "\n".join(f"s = s + exp(-x*{k}.25)" for k in range(40)),
    "two back": "p = x; q = y\n" + "\n".join(
        f"r{k} = {a}*c + sin({b})*0.1" for k, (a, b) in enumerate(
            zip(["q", *(f"r{j}" for j in range(60))],
                ["p", "q", *(f"r{j}" for j in range(60))], strict=False))),
    "two states": "u = x; v = y\n" + "\n".join(["u = u + 0.1*v; v = v - 0.1*sin(u)*c"] * 40),
    "one after another": "\n".join(
        ["h0 = x"] + [f"h{k + 1} = tanh(h{k}*w{k % 5} + b)" for k in range(50)]
        + ["s0 = z"] + [f"s{k + 1} = s{k} + h{k + 1}*h{k + 1}*c" for k in range(50)]),
    "backwards": "\n".join(
        ["h0 = x"] + [f"h{k + 1} = tanh(h{k}*w + b)" for k in range(50)]
        + ["s0 = z"] + [f"s{k + 1} = s{k}*0.5 + h{50 - k}*c" for k in range(50)]),
    "every state": "\n".join(
        ["h0 = x"] + [f"h{k + 1} = sin(h{k}*w) + b" for k in range(40)]) + "\nL = "
        + " + ".join(f"h{k}*h{40 - k}" for k in range(0, 41, 3)),
    "inside": "d = exp(a)\nx0 = 1\n" + chain(40) + "\nL = x40*d + x20",
    "layers": "\n".join(
        f"h{layer}_{j} = tanh(" + " + ".join(
            f"w{layer}{j}{i}*" + (f"x{i}" if not layer else f"h{layer - 1}_{i}") for i in range(4))
        + ")" for layer in range(30) for j in range(4)) + "\nL = h29_0*h29_1 + h29_2*h29_3",
    "filter": "m = 0; P = 1; L = 0\n" + "\n".join(
        f"p = a*m; V = a**2*P + q; S = V + r; e = y*{k}.5 - p; K = V/S; m = p + K*e; "
        "P = (1 - K)*V; L = L + log(S) + e**2/S" for k in range(40)) + "\nL*1",
    "quotients": "u = x; v = y\n" + "\n".join(
        ["w = u/(v + 2*c); v = (v + u)/(u/v + 2); u = w"] * 40),
    "relu": "u = x\n" + "\n".join(["u = max(u*w + b, 0.1*u)"] * 50),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_loop_computes_what_the_lines_say(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PROGRAMS[name]
    rolled = fast(text)
    monkeypatch.setattr(scalar_sweep, "runs", lambda *_: [])
    straight = fast(text)
    assert LOOP not in straight.program and LOOP in rolled.program
    r = random.Random(1)
    for _ in range(3):
        at = {n: r.uniform(0.3, 0.9) for n in rolled.inputs}
        agree(rolled, straight, at, 256)
    agree(straight, text, at, 2**14)


@pytest.mark.parametrize("wrt", [["x0"], ["y"], []])
def test_a_loop_back_passes_only_what_is_wanted(wrt: list[str]) -> None:
    text = chain(50)
    whole, part = fast(text), fast(text, wrt)
    at = {"x0": 0.5, "y": 0.01}
    assert part(**at)[1] == {n: whole(**at)[1][n] for n in wrt}
    assert part.program.count(LOOP) == (2 if wrt else 1)


def test_what_the_way_back_alone_reads_is_a_tuple_for_each_round() -> None:
    source = fast(PROGRAMS["filter"]).program
    assert ".append((" in source and "**" not in source
    back = source.partition("[::-1]")[2].partition("\n    g")[0]
    assert back.count(" / ") == 2  # of each quotient u/v what u gets is divided, and used for v
    assert "append" not in fast(PROGRAMS["squares"]).program  # of one value a list is enough


def random_rounds(seed: int) -> str:
    """Repeat a random body, with values of rounds before, of the outside, and of tables."""
    r = random.Random(seed)
    body = r.randint(1, 5)
    lines = ["c0 = cos(a)", "c1 = a*b"]
    lines += [f"v{-back}_{j}_ = a + {back}*b*{j + 1}".replace("-", "n")
              for back in (1, 2) for j in range(body)]  # fmt: skip
    plan_ = []
    for j in range(body):
        pool = [("same", i) for i in range(j)] + [("back", i) for i in range(body)]
        pool += [("two", r.randrange(body)), ("fixed", r.randrange(2)), ("table", 0), ("in", 0)]
        plan_.append((r.choice(["{} + {}", "sin({}) * {}", "{} - {}", "tanh({}) + 0.1*{}"]),
                      r.choice(pool), r.choice(pool)))  # fmt: skip
    for k in range(30):
        for j, (form, *operands) in enumerate(plan_):
            texts = []
            for kind, i in operands:
                if kind == "same":
                    texts.append(f"v{k}_{i}_")
                elif kind in ("back", "two"):
                    at = k - (1 if kind == "back" else 2)
                    texts.append(f"v{at}_{i}_".replace("-", "n"))
                else:
                    texts.append({"fixed": f"c{i}", "table": f"{k}.125", "in": f"x{k % 7}"}[kind])
            lines.append(f"v{k}_{j}_ = 0.9*tanh(" + form.format(*texts) + ")")
    last = [f"v{k}_{j}_*c1" for k in range(30) for j in range(body)]  # uses every value
    lines.append("L = v11_0_ + c0 + " + " + ".join(last[:: 1 + seed % 3]))
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(25))
def test_random_rounds(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = random_rounds(seed)
    rolled = fast(text)
    monkeypatch.setattr(scalar_sweep, "runs", lambda *_: [])
    straight = fast(text)
    at = {n: 0.2 + 0.1 * k for k, n in enumerate(rolled.inputs)}
    agree(rolled, straight, at, 256)


def test_runs_are_found() -> None:
    (run,) = found(chain(100))
    assert (run.start, run.period, run.rounds) == (3, 3, 99)
    assert [[s.kind for s in slots] for slots in run.slots] == [
        ["back"], ["same", "fixed"], ["same", "back"]]  # fmt: skip
    assert found("\n".join(f"x{k + 1} = sin(x{k})" for k in range(20))) == []
    (run,) = found(PROGRAMS["speelpenning"])
    assert [s.kind for s in run.slots[0]] == ["back", "table"] and run.period == 1


def test_a_loop_is_as_short_for_any_number_of_rounds() -> None:
    few, many = scalar.write(sg.parse(chain(100))), scalar.write(sg.parse(chain(3000)))
    assert few is not None and many is not None
    assert few.source.count("\n") == many.source.count("\n") < 60


class Counted(list[object]):
    """Count how often entries are looked at."""

    looks = 0

    def __getitem__(self, place: object) -> object:  # type: ignore[override]
        stop = isinstance(place, slice)
        Counted.looks += rolling.GRAM if stop else 1
        return super().__getitem__(place)  # type: ignore[index]


@pytest.mark.parametrize("kind", ["periodic", "random", "nearly"])
def test_the_search_is_linear(kind: str) -> None:
    looks = []
    for count in (2000, 4000, 8000):
        r = random.Random(5)
        ops = ["sin", "cos", "tanh"]
        if kind == "periodic":
            names = [ops[k % 3] for k in range(count)]
        elif kind == "random":
            names = [r.choice(ops) for k in range(count)]
        else:
            names = [ops[k % 3] if k % 40 else "exp" for k in range(count)]
        text = "u = x\n" + "\n".join(f"u = {n}(u)" for n in names)
        operations = [n for n in sg.parse(text).order() if n.args]
        Counted.looks = 0
        rolling.runs(operations, Counted(n.op for n in operations))  # type: ignore[arg-type]
        looks.append(Counted.looks)
    assert all(n < 20 * count for n, count in zip(looks, (2000, 4000, 8000), strict=True))
