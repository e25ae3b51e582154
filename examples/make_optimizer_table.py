"""Write the page of optimisers and schedules: python examples/make_optimizer_table.py [FILE]

One row for each, with its rule as it is typeset. FILE is docs/optimizers.md if left out. A test
compares the page with what is committed.
"""

import sys
from pathlib import Path

from symgrad.train.optimizers import OPTIMIZERS, optimizer
from symgrad.train.rows import Row
from symgrad.train.schedules import SCHEDULES, schedule

DOCS = Path(__file__).parents[1] / "docs"

INTRO = """\
# Optimisers and learning-rate schedules

The page is generated from the rows: `python examples/make_optimizer_table.py`. A rule is written
once, in symgrad's own language; the step in place, the function of a generated module and the
formulas below follow from it. w are the parameters, g is the gradient, η the learning rate `rate`,
t the number of the step from 1. State starts at 0 unless the row says otherwise.

## Optimisers

| name | one step | settings | meaning | source |
|---|---|---|---|---|
"""

ELSEWHERE = """
With the same settings the steps are those of PyTorch's SGD, Adagrad, RMSprop, Adam, AdamW and
NAdam (whose product of μ PyTorch keeps in float32, unless float64 is its default). What others call
the settings, and where their steps differ:

| here | PyTorch | Keras 3 |
|---|---|---|
| `rate` | `lr` | `learning_rate` |
| `mu` | `momentum` | `momentum`; its state is −ηv, the same while the rate stays |
| `decay` of adagrad | `lr_decay` | – |
| `initial` of adagrad | `initial_accumulator_value` | the same, 0.1; ε = 1e-7 inside the root |
| `alpha` of rmsprop | `alpha`; the rate is 0.01 | `rho`, 0.9; ε = 1e-7 inside the root |
| `beta1`, `beta2` | `betas` | `beta_1`, `beta_2` |
| `eps` of adam | `eps` | `epsilon`, 1e-7, added to √v before the correction |
| `weight_decay` of adamw | `weight_decay` | `weight_decay`, 0.004 |
| `decay` of nadam | `momentum_decay` | always 1; the rate is 0.001 |
"""

OWN = """
### One of your own

A name that is read before it is assigned keeps its value from step to step.

```python
from symgrad.train.optimizers import optimizer

lion = optimizer(
    "lion",
    "u = sign(beta1*m + (1 - beta1)*g); m = beta2*m + (1 - beta2)*g; w = w - rate*u",
    rate=1e-4,
    beta1=0.9,
    beta2=0.99,
)
print(lion.source())
```

```text
"""

RATES = """```

## Schedules

The rate is multiplied by the factor. s counts the steps after the warm-up from 0, x = s/steps is
their share of the run. `warmup` begins any schedule with a linear rise over so many steps, or over
that share of the run if it is below 1: `cosine(warmup=0.05)`. `every` is read in the same way.

| name | factor | settings | meaning |
|---|---|---|---|
"""


def settings(values: dict[str, float], start: dict[str, object]) -> str:
    """List settings and state that does not start at 0."""
    listed = [f"{k} = {v:g}" for k, v in values.items()]
    listed += [f"{k} starts as {v if isinstance(v, str) else f'{v:g}'}" for k, v in start.items()]
    return ", ".join(listed) or "–"


def row(found: Row) -> str:
    """Write the row of an optimiser."""
    made = optimizer(found.name)
    names = " ".join(f"`{n}`" for n in (found.name, *found.aliases))
    lines = "<br>".join(made.formulas()).replace("|", "\\|")
    shown = settings(made.settings, dict(found.start))
    return f"| {names} | {lines} | {shown} | {found.doc} | {found.source} |\n"


def page() -> str:
    """Give the text of the page."""
    lion = optimizer("lion", "u = sign(beta1*m + (1 - beta1)*g); m = beta2*m + (1 - beta2)*g; "
                     "w = w - rate*u", rate=1e-4, beta1=0.9, beta2=0.99)  # fmt: skip
    text = INTRO + "".join(row(r) for r in OPTIMIZERS.values()) + ELSEWHERE + OWN + lion.source()
    text += RATES
    for rate in SCHEDULES.values():
        formula = schedule(rate.name).formula().replace("|", "\\|")
        text += (
            f"| `{rate.name}` | {formula} | {settings(dict(rate.settings), {})} | {rate.doc} |\n"
        )
    return text


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS / "optimizers.md"
    target.write_text(page(), encoding="utf-8")
