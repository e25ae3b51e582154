"""What `symgrad code --explain` says: which optimisation, in which line, with what gain."""

import re
from pathlib import Path

import pytest

import symgrad as sg
from symgrad.codegen.build import build
from symgrad.codegen.fast.costs import DEFAULTS, Costs
from symgrad.codegen.fast.explain import explain
from symgrad.codegen.fast.gains import Clock
from symgrad.codegen.fast.places import Lines
from symgrad.codegen.fast.written import made
from symgrad.codegen.plan import plan

NET = """
X: data[N, D]; y: labels[N, C]; W: param[D, H]; b: param[H]; V: param[H, C]
h = tanh(X @ W + b)
loss = cross_entropy(h @ V, y) + sum(W**3)
"""
CHAIN = "x: param[n]; a: param; sum(softplus(a*x)*tanh(x) + x**3*sigmoid(a*x))"
LARGE = {"N": 1024, "D": 784, "H": 256, "C": 10}
ROW = re.compile(r" *(-?[\d.]+(?: (?:ns|us|ms))?)  ")
UNITS = {"ms": 1e6, "us": 1e3, "ns": 1.0}


def rows(text: str) -> list[tuple[float, str]]:
    """List the gains in nanoseconds and the texts of the table."""
    found = []
    table = text.split("what\n")[1].split("\n\n")[0]
    for line in table.split("\n"):
        start = ROW.match(line)
        if start and line[8] != " ":
            number, _, unit = start[1].partition(" ")
            found.append((float(number) * UNITS.get(unit, 1.0), line[11:]))
        else:
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
    return found


NORMED = (Path(__file__).parents[2] / "examples" / "15_batch_norm.sg").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", (NET, CHAIN, NORMED, "x: param[n]; sum((x[1:] - x[:-1]**2)**2)"))
@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_the_lines_are_those_of_the_written_file(text: str, dtype: str) -> None:
    graph = sg.parse(text)
    source = build(graph, None, dtype, costs=DEFAULTS).source
    lines = Lines(made(plan(graph, None, lazy=False), dtype))
    assert source.startswith(lines.text.rstrip("\n"))
    assert lines.of and all(not source.split("\n")[k - 1].strip().startswith(("#", "def", '"'))
                            for k in lines.of.values())  # fmt: skip


def test_each_row_names_the_line_and_the_text_that_it_is_about() -> None:
    graph = sg.parse(NET)
    source = build(graph, None, "float64", costs=DEFAULTS).source.split("\n")
    found = dict(reversed([(what.split("  ")[-1], what) for _, what in
                           rows(explain(graph, sizes=LARGE))]))  # fmt: skip

    def line(words: str) -> str:
        row = next(w for what, w in found.items() if words in what)
        return source[int(re.match(r"\d+", row)[0]) - 1]  # type: ignore[index]

    assert "X.dot(W" in line("no gradient of X")
    assert "multiply" in line("powers by multiplication")
    assert "maximum.reduce" in line("class-major")
    assert "  3:10 " in next(w for what, w in found.items() if "no gradient" in what)


def test_rows_are_sorted_by_gain_and_fit() -> None:
    for text, sizes in ((NET, LARGE), (CHAIN, {"n": 1_000_000}), (NET, None), (CHAIN, None)):
        said = explain(sg.parse(text), sizes=sizes)
        gains = [gain for gain, _ in rows(said)]
        assert gains == sorted(gains, reverse=True) and gains[0] > 0
        assert max(map(len, said.split("\n"))) <= 100
        assert said == explain(sg.parse(text), sizes=sizes)


def test_gains_follow_the_sizes_and_the_costs() -> None:
    def gain(
        words: str, sizes: dict[str, int], costs: Costs = DEFAULTS, text: str = CHAIN
    ) -> float:
        said = explain(sg.parse(text), sizes=sizes, costs=costs)
        return next((g for g, what in rows(said) if words in what), 0.0)

    assert gain("in one pass", {"n": 1000}) == 0.0  # all rows at once
    assert gain("in one pass", {"n": 1_000_000}) > 1e6
    cube = gain("powers by multiplication", {"n": 1_000_000})
    assert cube == pytest.approx(50e6, rel=0.05)  # np.power at 50 ns, two products at 0.2
    assert gain("powers by multiplication", {"n": 1_000_000}, Costs(power=(20.0, 20.0))) < cube / 2
    small = {"N": 16, "D": 4, "H": 4, "C": 3}
    assert gain("in blocks", small, text=NET) == 0.0 < gain("in blocks", LARGE, text=NET)


def test_what_a_product_takes() -> None:
    clock = Clock(Costs(wide=(50.0, 100.0), skinny=(10.0, 20.0), call_dot=100.0), "float64", LARGE)
    narrow, wide = (sg.parse(f"X: data[N, D]; W: param[D, {d}]; X @ W").output for d in "CH")
    assert clock.product(narrow) == pytest.approx(100 + 2 * 1024 * 784 * 10 / 10)
    twice = sg.parse("X: data[N, D]; W: param[D, 20]; X @ W").output
    assert clock.product(twice) < 2 * clock.product(narrow)  # what is packed serves twice as long
    assert clock.product(wide) == pytest.approx(100 + 2 * 1024 * 784 * 256 / 50)


def test_programs_of_numbers_name_their_loops() -> None:
    text = "x: param; y: param; h0 = sin(x)\n"
    text += "\n".join(f"h{k} = sin(h{k - 1})*y + h{k - 1}" for k in range(1, 100))
    said = explain(sg.parse(text))
    source = build(sg.parse(text), None, "float64", costs=DEFAULTS).source.split("\n")
    place = re.search(r"line (\d+)-(\d+): (\d+) rounds of", said)
    assert place and source[int(place[1]) - 1].strip().startswith("for k in range(")
    assert int(place[3]) > 90 and "Python's own floats" in said
    assert "Python's own floats" in explain(sg.parse("x: param; sin(x)"), dtype="float32")
    labelled = explain(sg.parse("y: label[3]; x: param; where(y == 1, x, 2*x)"))
    assert "Python's own floats" not in labelled


def test_layers_that_a_loop_computes_have_the_lines_of_the_loop() -> None:
    text = "x: data[N, D]; " + "; ".join(f"W{k}: param[D, D]" for k in range(30))
    text += "\nh0 = tanh(x @ W0)\n" + "\n".join(
        f"h{k} = tanh(h{k - 1} @ W{k})" for k in range(1, 30)
    )
    graph = sg.parse(text + "\nsum(h29**2)")
    source = build(graph, None, "float64", costs=DEFAULTS).listing.split("\n")
    lines = Lines(made(plan(graph, None, lazy=False)))
    assert lines.text.split("\n") == source
    tanhs = [k for node, k in lines.of.items() if node.op == "tanh"]
    assert len(tanhs) == 30 and len(set(tanhs)) < 9
    assert all("tanh(" in source[k - 1] for k in tanhs)
    loops = [w for w in explain(graph).split("\n") if "layers as one loop: " in w]
    assert loops and all(source[int(w.split()[1]) - 1].strip().startswith("for ") for w in loops)


def test_sizes_are_of_the_programs_dimensions() -> None:
    with pytest.raises(sg.DataError, match="called Q"):
        explain(sg.parse(NET), sizes={"Q": 3})


def test_sizes_made_of_names_follow_from_them() -> None:
    """Of 4*H the H is assumed; it had a number of its own beside H."""
    text = "x: data[N, H]; W: param[H, 4*H]; sum(tanh(x @ W))"
    said = " ".join(explain(sg.parse(text)).split())
    assert "for N=1024 H=256; other sizes" in said
