"""Optimisers: PyTorch's numbers, the same bits in place as in the pure text, errors.

The numbers of torch_steps.json were recorded by `python tests/train/test_optimizers.py` in an
environment that has PyTorch; where PyTorch can be imported, the tests run it too.
"""

import json
import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgrad.codegen.safety import check
from symgrad.errors import DataError, ParseError, SymgradError, UsageError
from symgrad.train import optimizers, stepping
from symgrad.train.optimizers import OPTIMIZERS, Optimizer, optimizer, register

RECORDED = Path(__file__).with_name("torch_steps.json")
STEPS, SIZE, SEEN = 100, 7, (1, 2, 10, 100)

# name -> our optimiser as text, PyTorch's class and its arguments
CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "gd": ("gd(rate=0.1)", "SGD", {"lr": 0.1}),
    "momentum": ("momentum(rate=0.1, mu=0.9)", "SGD", {"lr": 0.1, "momentum": 0.9}),
    "nesterov": ("nesterov(rate=0.1, mu=0.8)", "SGD",
                 {"lr": 0.1, "momentum": 0.8, "nesterov": True}),
    "adagrad": ("adagrad", "Adagrad", {}),
    "adagrad that decays": ("adagrad(rate=0.1, decay=0.02, initial=0.1)", "Adagrad",
                            {"lr": 0.1, "lr_decay": 0.02, "initial_accumulator_value": 0.1}),
    "rmsprop": ("rmsprop(rate=0.01)", "RMSprop", {}),
    "rmsprop of Keras": ("rmsprop(rate=0.001, alpha=0.9, eps=1e-7)", "RMSprop",
                         {"lr": 0.001, "alpha": 0.9, "eps": 1e-7}),
    "adam": ("adam", "Adam", {}),
    "adam that forgets": ("adam(rate=0.1, beta1=0.5, beta2=0.8, eps=1e-3)", "Adam",
                          {"lr": 0.1, "betas": (0.5, 0.8), "eps": 1e-3}),
    "adamw": ("adamw", "AdamW", {}),
    "adamw that decays": ("adamw(rate=0.1, weight_decay=0.5)", "AdamW",
                          {"lr": 0.1, "weight_decay": 0.5}),
    "nadam": ("nadam", "NAdam", {}),
    "nadam that decays": ("nadam(rate=0.1, beta1=0.8, decay=0.05)", "NAdam",
                          {"lr": 0.1, "betas": (0.8, 0.999), "momentum_decay": 0.05}),
}  # fmt: skip


def gradients() -> np.ndarray:
    """Give a gradient for each step; some entries are 0 at first, one always."""
    found = np.random.default_rng(7).normal(size=(STEPS, SIZE))
    found[:5, 0] = 0
    found[:, 1] = 0
    found[:, 2] *= 1e-8
    found[:, 3] *= 1e4
    return found


def of_torch(name: str) -> list[list[float]]:
    """Run PyTorch; give the parameters after the steps in SEEN."""
    import torch

    _, kind, settings = CASES[name]
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # NAdam keeps its product of numbers in this type
    try:
        return _of_torch(torch, kind, settings)
    finally:
        torch.set_default_dtype(before)


def _of_torch(torch: Any, kind: str, settings: dict[str, Any]) -> list[list[float]]:
    w = torch.nn.Parameter(torch.linspace(-1, 1, SIZE, dtype=torch.float64))
    steps = getattr(torch.optim, kind)([w], foreach=False, **settings)
    seen = []
    for k, g in enumerate(gradients(), 1):
        w.grad = torch.from_numpy(g.copy())
        steps.step()
        if k in SEEN:
            seen.append(w.detach().tolist())
    return seen


def ours(text: str, dtype: str = "float64") -> list[list[float]]:
    """Take the same steps in place."""
    found = optimizer(text)
    w = np.linspace(-1, 1, SIZE).astype(dtype)
    state = found.start(SIZE, dtype)
    seen = []
    for k, g in enumerate(gradients().astype(dtype), 1):
        found.step(w, g, state)
        if k in SEEN:
            seen.append(w.tolist())
    assert w.dtype == dtype
    return seen


@pytest.mark.parametrize("name", CASES)
def test_recorded_numbers_of_pytorch(name: str) -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    np.testing.assert_allclose(ours(CASES[name][0]), recorded[name], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_pytorch(name: str) -> None:
    pytest.importorskip("torch")
    np.testing.assert_allclose(ours(CASES[name][0]), of_torch(name), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_float32_follows_float64(name: str) -> None:
    np.testing.assert_allclose(ours(CASES[name][0], "float32"), ours(CASES[name][0]), rtol=2e-3,
                               atol=2e-4)  # fmt: skip


def test_every_row_is_compared() -> None:
    assert {optimizer(text).name for text, _, _ in CASES.values()} == set(OPTIMIZERS)


# -- the same bits -------------------------------------------------------------------------------


def same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and np.array_equal(a, b, equal_nan=True) and (
        isinstance(a, float) or a.dtype == b.dtype)  # fmt: skip


def bits_agree(found: Optimizer, dtype: str, size: int, blocks: tuple[int, ...]) -> None:
    """Take steps in place with tiles of several sizes, and pure ones, and compare."""
    rng = np.random.default_rng(3)
    w = rng.normal(size=size).astype(dtype)
    runs = [(w.copy(), found.start(size, dtype), block) for block in blocks]
    state = found.start(size, dtype)
    for _ in range(4):
        g = rng.normal(size=size).astype(dtype)
        kept, before = g.copy(), w.copy()
        for u, s, block in runs:
            found.step(u, g, s, 0.1, block)
        old = {k: np.copy(v) for k, v in state.items()}
        new, after = found.pure(w, g, state, 0.1)
        assert same(g, kept) and same(w, before)
        assert all(np.array_equal(old[k], state[k]) for k in state)
        w, state = new, after
        for u, s, block in runs:
            assert same(u, w), (found.row.rule, dtype, block)
            assert list(s) == list(state)
            assert all(same(s[k], state[k]) for k in state), (found.row.rule, dtype, block)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_in_place_equals_pure_whatever_the_tiles(name: str, dtype: str) -> None:
    bits_agree(optimizer(name), dtype, 37, (1, 5, 36, 37, 38, 0))
    bits_agree(optimizer(name), dtype, 1, (0, 1))
    bits_agree(optimizer(name), dtype, 0, (0,))


def test_in_place_equals_pure_beyond_one_tile() -> None:
    bits_agree(optimizer("adam"), "float64", 2 * stepping.BLOCK + 3, (0, 1000, 10**6))


def some_value(rnd: random.Random, depth: int, pool: list[str]) -> str:
    if depth == 0:
        return rnd.choice(pool)
    x, y = (some_value(rnd, rnd.randrange(depth), pool) for _ in range(2))
    return rnd.choice([f"({x} + {y})", f"({x} - {y})", f"({x})*({y})", f"({x})/(2 + abs({y}))",
                       f"-({x})", f"sqrt(abs({x}))", f"({x})**2", f"maximum({x}, {y})",
                       f"where({x} > {y}, {x}, {y})", f"tanh({x})", f"({x} > {y})*({x})",
                       f"sigmoid({x}) + sign({y})"])  # fmt: skip


def test_rules_of_any_kind_give_the_same_bits() -> None:
    rnd, done = random.Random(5), 0
    for _ in range(60):
        names = rnd.sample(["m", "v", "q"], rnd.randrange(4))
        pool = ["w", "g", "w", "g", "a", "rate", "t", "2", "0.5", *names, *names]
        lines = [f"{n} = {some_value(rnd, 3, pool)}" for n in names]
        lines += [f"{names[0]} = {rnd.choice(names)}"] if names and rnd.random() < 0.3 else []
        lines.append(f"w = w + {some_value(rnd, 4, pool)}")
        lines += [f"{n} = g - {some_value(rnd, 2, pool)}" for n in names[:1]]
        try:
            found = optimizer("random_rule", "; ".join(lines), a=0.3)
        except UsageError as error:
            assert "makes a number of the vector" in str(error)
            continue
        for dtype in ("float64", "float32"):
            bits_agree(found, dtype, 11, (4, 0))
        done += 1
    assert done > 50


@pytest.mark.parametrize("rule", [
    "w = w - rate*g/norm(g)",
    "m = 0.9*m + mean(g); w = w - rate*m*g",  # a number of all gradients as state
    "old = v; v = 0.9*v + g; w = w - rate*(2*v - old)",
    "u = v; v = g; w = w - rate*u",  # the gradient of the last step
    "a = b + g; b = a - w; w = w - rate*(a + b)",
    "m = c; c = m2; m2 = g; w = w - rate*(m + c)",  # a queue of gradients
])  # fmt: skip
def test_rules_that_move_values(rule: str) -> None:
    for dtype in ("float64", "float32"):
        bits_agree(optimizer("one", rule), dtype, 9, (4, 0))


def test_last_gradient_is_kept() -> None:
    found = optimizer("late", "u = v; v = g; w = w - rate*u", rate=1.0)
    assert found.rule.vectors == ("v",)  # u is read after it is assigned
    w, state = np.zeros(2), found.start(2)
    found.step(w, np.array([1.0, 2.0]), state)
    assert w.tolist() == [0, 0]
    found.step(w, np.array([5.0, 5.0]), state)
    assert w.tolist() == [-1, -2]


# -- what it does --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_quadratic_bowl(name: str) -> None:
    scale, least = np.array([1.0, 0.3, 3.0]), np.array([1.0, -2.0, 0.5])
    rate = {"gd": 0.2, "adagrad": 1.0}.get(name, 0.05)
    found = optimizer(name, rate=rate)
    if name == "adamw":
        found = optimizer("adamw", rate=rate, weight_decay=0.0)
    w, state = np.zeros(3), found.start(3)
    for k in range(600):
        found.step(w, scale * (w - least), state, rate * (1 - k / 600))
    np.testing.assert_allclose(w, least, atol=1e-3)


def test_steps_do_not_allocate_vectors() -> None:
    import tracemalloc

    found, size = optimizer("adam"), 100_000
    w, g, state = np.ones(size), np.ones(size), found.start(size)
    found.step(w, g, state)
    tracemalloc.start()
    try:
        found.step(w, g, state)
        assert tracemalloc.get_traced_memory()[1] < 10_000
    finally:
        tracemalloc.stop()


def test_state_goes_through_npz_and_json(tmp_path: Path) -> None:
    found = optimizer("nadam")
    w, state = np.ones(3), found.start(3)
    g = np.array([1.0, -1.0, 0.5])
    for _ in range(3):
        found.step(w, g, state)
    np.savez(tmp_path / "a.npz", **{k: v for k, v in state.items() if isinstance(v, np.ndarray)})
    numbers = json.loads(json.dumps({k: v for k, v in state.items() if isinstance(v, float)}))
    again = {**numbers, **np.load(tmp_path / "a.npz")}
    u = w.copy()
    found.step(w, g, state)
    found.step(u, g, again)
    assert same(u, w) and again["t"] == 4.0 and again["mu_prod"] == state["mu_prod"]


def test_rate_of_any_number_type_leaves_float32() -> None:
    found = optimizer("adam", rate=np.float64(0.1))
    w, g, state = np.ones(3, "f4"), np.ones(3, "f4"), found.start(3, "f4")
    found.step(w, g, state, np.float64(0.1))
    new, _ = found.pure(w, g, state, np.float64(0.1))
    assert new.dtype == np.float32 and state["m"].dtype == np.float32


def test_views_and_strides() -> None:
    whole = np.ones(10)
    found = optimizer("momentum", rate=1.0)
    state = found.start(5)
    found.step(whole[::2], np.arange(5.0), state)
    assert whole.tolist() == [1, 1, 0, 1, -1, 1, -2, 1, -3, 1]


def test_non_finite_gradients_pass_without_a_warning() -> None:
    w, state = np.ones(3, "f4"), optimizer("adam").start(3, "f4")
    optimizer("adam").step(w, np.array([np.nan, np.inf, 1e30], "f4"), state)
    assert np.isnan(w[:2]).all()


def test_two_threads_share_an_optimizer() -> None:
    from concurrent.futures import ThreadPoolExecutor

    found = optimizer("adam")

    def run(seed: int) -> list[float]:
        rng = np.random.default_rng(seed)
        w, state = np.zeros(40_000), found.start(40_000)
        for _ in range(6):
            found.step(w, rng.normal(size=w.size), state)
        return w.tolist()

    with ThreadPoolExecutor(4) as pool:
        both = list(pool.map(run, [1, 2, 1, 2]))
    assert both[:2] == both[2:] == [run(1), run(2)]


# -- text ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_source_stands_alone(name: str) -> None:
    found = optimizer(name)
    text = "import math\nimport numpy as np\n" + found.source()
    check(text)
    assert max(map(len, text.splitlines())) <= 100
    space: dict[str, Any] = {}
    exec(compile(text, name, "exec"), space)
    w, g = np.linspace(-1, 1, 5), np.linspace(0, 1, 5)
    start = eval(found.start_source(), {"np": np, "w": w})
    mine = found.start(5)
    assert all(same(start[k], mine[k]) for k in mine) and list(start) == list(mine)
    new, state = space[f"{name}_step"](w, g, start)
    found.step(w, g, mine)
    assert same(new, w) and all(same(state[k], mine[k]) for k in mine)
    for line in found.formulas():
        assert f"# {line}" in text


def test_texts_of_adam() -> None:
    assert optimizer("adam").formulas() == [
        "m = β₁m + (1 − β₁) g", "v = β₂v + (1 − β₂) g²", "ηₜ = η/(1 − β₁^t)",
        "w = w − ηₜ m/(√(v/(1 − β₂^t)) + ε)",
    ]  # fmt: skip
    assert optimizer("momentum").formulas("latex") == [r"v = \mu v + g", r"w = w - \eta v"]
    with pytest.raises(UsageError, match="unknown form 'html'"):
        optimizer("adam").formulas("html")


def test_text_reads_back_and_pickles() -> None:
    for text, _, _ in CASES.values():
        found = optimizer(text)
        assert optimizer(found.text).settings == found.settings
        copy = pickle.loads(pickle.dumps(found))
        assert copy.text == found.text and copy.rule is found.rule


def test_names_of_others() -> None:
    assert optimizer("sgd").name == "gd" and optimizer("SGD").name == "gd"
    assert optimizer("AdamW").name == "adamw" and optimizer("Nadam(decay=0)").name == "nadam"


# -- one's own -----------------------------------------------------------------------------------


def test_a_row_of_ones_own() -> None:
    register("lion", "u = sign(beta1*m + (1 - beta1)*g); m = beta2*m + (1 - beta2)*g; "
             "w = w - rate*u", rate=1e-2, beta1=0.9, beta2=0.99)  # fmt: skip
    try:
        found = optimizer("lion(rate=0.5)")
        w, state = np.zeros(2), found.start(2)
        found.step(w, np.array([3.0, -2.0]), state)
        assert w.tolist() == [-0.5, 0.5] and found.rule.vectors == ("m",)
    finally:
        OPTIMIZERS.pop("lion")


def test_start_by_number_and_by_setting() -> None:
    found = optimizer("mine", "s = s + g**2; c = c + 1; w = w - rate*g/sqrt(s)/c", rate=0.1,
                      initial=4.0, start={"s": "initial", "c": 1})  # fmt: skip
    assert found.begin() == {"s": 4.0, "c": 1.0} and found.settings["initial"] == 4.0
    assert found.start(2)["s"].tolist() == [4, 4] and found.start(2)["c"] == 1.0


@pytest.mark.parametrize(("rule", "settings", "message"), [
    ("v = mu*v + g; w = w - rate*v", {}, r"uses 'mu', which is nothing it knows"),
    ("w = w - rte*g", {}, "did you mean 'rate'"),
    ("v = g", {}, "never assigns the parameters w"),
    ("w - rate*g", {}, r"a line of an update rule reads"),
    ("g = 2*g; w = w - g", {}, "cannot assign 'g'"),
    ("t = t + 1; w = w - g", {}, "cannot assign 't'"),
    ("a = 1; w = w - a*g", {"a": 1.0}, "cannot assign 'a'"),
    ("w = rate", {}, "makes a number of the vector 'w'"),
    ("w = w > g", {}, "gives a number or a vector"),
    ("w = outer(w, g)", {}, "gives a number or a vector"),
    ("np = g; w = w - np", {}, "'np' is taken"),
    ("sigmoid = g; w = w - sigmoid", {}, "'sigmoid' is taken"),
    ("w = v = g", {}, "one name a line"),
    ("w = w - rate*np.sqrt(g)", {}, "attribute|np"),
    ("w = w - rate*sqrtt(g)", {}, "sqrt"),
    ("w = w - (rate*g", {}, "closed|bracket"),
    ("w: param; w = w - g", {}, "a line of an update rule reads"),
    ("w = __import__('os')", {}, "__import__|string"),
    ("w = w - rate*lambda*g", {}, "lam"),
    ("", {}, "never assigns the parameters w"),
    (7, {}, "text, not int"),
])  # fmt: skip
def test_rules_that_cannot_be(rule: Any, settings: dict[str, float], message: str) -> None:
    with pytest.raises((UsageError, ParseError), match=message):
        if rule == "":
            register("mine", rule).read()
        optimizer("mine", rule, **settings)


@pytest.fixture(autouse=True)
def _no_rows_left() -> Any:
    yield
    OPTIMIZERS.pop("mine", None)


@pytest.mark.parametrize(("text", "settings", "message"), [
    ("adm", {}, "unknown optimiser 'adm'\ndid you mean 'adam'"),
    ("adam(beta=0.9)", {}, "unknown setting of the optimiser 'adam': 'beta'\ndid you mean 'beta"),
    ("adam(lr=0.9)", {}, "'lr'\ndid you mean 'rate'"),
    ("momentum(momentum=0.9)", {}, "'momentum'\ndid you mean 'mu'"),
    ("adam(0.9)", {}, "are given by name"),
    ("adam(rate=[1])", {}, "a setting of optimiser is a number"),
    ("adam(rate=1)", {"rate": 2}, "given twice"),
    ("adam(rate=1, rate=2)", {}, "does not name one optimiser"),
    ("adam(**x)", {}, "does not name one optimiser"),
    ("adam.x", {}, "does not name one optimiser"),
    ("adam; gd", {}, "does not name one optimiser"),
    ("", {}, "does not name one optimiser"),
    (3, {}, "does not name one optimiser"),
    ("(" * 400, {}, "does not name one optimiser"),
    ("adam", {"rate": "fast"}, "a number, not 'fast'"),
    ("adam", {"rate": True}, "a number, not True"),
    ("adam", {"rate": float("nan")}, "a number, not nan"),
    ("adam", {"rate": -1}, "at least 0"),
    ("adam", {"beta2": 1.0}, r"lies in \[0, 1\)"),
    ("adam", {"beta1": -0.1}, r"lies in \[0, 1\)"),
])  # fmt: skip
def test_choices_that_cannot_be(text: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        optimizer(text, **settings)


def test_start_of_nothing_known() -> None:
    with pytest.raises(UsageError, match="unknown state of the optimiser 'mine': 'x'"):
        optimizer("mine", "w = w - rate*g", start={"x": 1})
    with pytest.raises(UsageError, match="unknown setting of the optimiser 'mine': 'x'"):
        optimizer("mine", "v = v + g; w = w - rate*v", start={"v": "x"})


def test_arrays_that_do_not_fit() -> None:
    found = optimizer("momentum")
    w, g, state = np.ones(3), np.ones(3), found.start(3)
    bad: list[tuple[Any, Any, Any, str]] = [
        (np.ones((3, 1)), g, state, "one flat array"),
        (np.ones(3, int), g, state, "one flat array"),
        ([1.0, 2.0], g, state, "one flat array of float32 or float64, not list"),
        (w, np.ones(2), state, r"the gradient is float64 of shape \(2,\)"),
        (w, np.ones(3, "f4"), state, "the gradient is float32"),
        (w, g, {"t": 0.0}, "lacks 'v'"),
        (w, g, {"v": np.zeros(3)}, "lacks 't'"),
        (w, g, found.start(4), "the state is"),
        (w, g, found.start(3, "f4"), "the state is float32"),
    ]
    for a, b, s, message in bad:
        for call in (found.step, found.pure):
            with pytest.raises(DataError, match=message):
                call(a, b, s)
    with pytest.raises(DataError, match="float32 or float64, not int64"):
        found.start(3, int)


def test_numbers_that_cannot_be_computed() -> None:
    found = optimizer("mine", "w = w - rate/(1 - a**t)*g", a=1.0)
    w, state = np.ones(2), found.start(2)
    with pytest.raises(DataError, match="cannot be computed in step 1: float division by zero"):
        found.step(w, w, state)
    with pytest.raises(DataError, match="cannot be computed in step 1"):
        found.pure(w, w, state)
    assert w.tolist() == [1, 1] and state["t"] == 0.0


def test_errors_are_symgrads() -> None:
    assert issubclass(UsageError, SymgradError) and optimizers.names()[0] == "gd"


def record() -> None:
    """Write the numbers of PyTorch."""
    found = {name: of_torch(name) for name in CASES}
    RECORDED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    record()
