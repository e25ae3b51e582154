"""Faults that show at one moment: each rule looks at the facts of all layers."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import inf, isfinite

from symgrad.curve import Facts, facts, number, of_operator, one_variable
from symgrad.ops import lookup
from symgrad.train.diagnostics.facts import LayerFacts
from symgrad.train.diagnostics.finding import Finding, named, percent, short
from symgrad.train.diagnostics.thresholds import (
    BLOCKED,
    DEAD,
    GROWN,
    LOCKED,
    PER_LAYER,
    SAMPLES,
    SATURATED,
    STEPS,
    TWINS,
    VANISHED,
)

Layers = Sequence[LayerFacts]


@lru_cache(maxsize=64)
def curve(operator: str) -> Facts | None:
    """Give what is known about an activation's curve, None if it is no function of one number."""
    row = lookup(operator)
    return facts(of_operator(operator)) if row is not None and one_variable(row) else None


def faults(layers: Layers) -> list[Finding]:
    """Apply all rules to the facts of one moment."""
    found = nonfinite(layers)
    if found:
        return found
    found = identical(layers)
    # Units that are all alike explain everything else that would be said.
    if any(f.severity == "error" for f in found):
        return found
    rules = (dead, saturated, vanishing, growing, locked)
    return found + [f for rule in rules for f in rule(layers)]


def nonfinite(layers: Layers) -> list[Finding]:
    """Find values and gradients that are no numbers."""
    bad = [f for f in layers if f.nonfinite]
    if not bad:
        return []
    first = bad[0]
    return [
        Finding(
            "not finite", named([f.name for f in bad]), "error",
            f"{percent(first.nonfinite)} of the values or gradients of {first.name} are inf or nan",
            {f.name: f.nonfinite for f in bad},
            "what grows by a factor in each layer or each step soon leaves the range of floats",
            "use a smaller rate or clip the gradient; look at the initialisation; "
            "standardise the data",
            first.line,
        )
    ]  # fmt: skip


def identical(layers: Layers) -> list[Finding]:
    """Find hidden units that have the same weights and the same gradients as others."""
    bad = [f for f in layers if not f.output and f.units > 1 and _alike(f) >= TWINS]
    if not bad:
        return []
    whole = all(len(f.identical) == f.units for f in bad)
    zero = all(f.weight == 0 for f in bad)
    said = _each(bad, lambda f: f"{len(f.identical)} of {f.units} units")
    return [
        Finding(
            "identical units", named([f.name for f in bad]), "error" if whole else "warning",
            f"same weights and same gradients: {said}" + (", all weights 0" if zero else ""),
            {f.name: len(f.identical) for f in bad},
            "units that start alike get the same gradient at every step and stay alike: "
            "a layer of them is worth one unit" + ("; zeros also stop the gradient" * zero),
            "draw the weights at random (Glorot for tanh and sigmoid, He for ReLU); "
            "biases may start at 0",
            bad[0].line,
        )
    ]  # fmt: skip


def dead(layers: Layers) -> list[Finding]:
    """Find units that are switched off on every sample."""
    bad = [f for f in layers if (f.dead or 0) >= DEAD and f.samples >= SAMPLES and not f.output]
    if not bad:
        return []
    blocked = any((f.dead or 0) >= BLOCKED for f in bad)
    said = _each(bad, lambda f: f"{len(f.dead_units)} of {f.units} units")
    return [
        Finding(
            "dead units", named([f.name for f in bad]), "error" if blocked else "warning",
            f"off on all {bad[0].samples:,} samples: {said}",
            {f.name: f.dead for f in bad},
            f"where {bad[0].activation} is flat its derivative is exactly 0: a unit that is off on "
            "all samples gets no gradient and cannot come back",
            "use a smaller rate and He's initialisation, centre the data, or take an activation "
            "with a slope on both sides (leaky_relu, elu)",
            bad[0].line,
        )
    ]  # fmt: skip


def saturated(layers: Layers) -> list[Finding]:
    """Find hidden layers whose activations are mostly where they are level."""
    bad = [f for f in layers if (f.saturated or 0) >= SATURATED and not f.output]
    if not bad:
        return []
    worst = max(bad, key=lambda f: f.saturated or 0)
    said = _each(bad, lambda f: f"{percent(f.saturated)} of the values")
    wide = f"what enters {worst.name} has a standard deviation of {short(_deviation(worst))}"
    hint = "standardise the data; start with smaller weights or use a smaller rate"
    if worst.fan_in and worst.deviation is not None:
        usual = worst.fan_in**-0.5
        if worst.deviation > 2 * usual:
            hint = (
                f"start with smaller weights: theirs have a standard deviation of "
                f"{short(worst.deviation)}, 1/√{worst.fan_in} = {short(usual)} would keep the "
                "variance (Glorot for tanh and sigmoid, He for ReLU)"
            )
    return [
        Finding(
            "saturated units", named([f.name for f in bad]), "warning",
            f"where the activation is level: {said}",
            {f.name: {"values": f.saturated, "units": len(f.saturated_units)} for f in bad},
            f"{wide}; there |f′| is below a tenth of its maximum, and every layer "
            "multiplies the gradient by f′",
            hint,
            worst.line,
        )
    ]  # fmt: skip


def vanishing(layers: Layers) -> list[Finding]:
    """Find a gradient that shrinks from layer to layer on its way back."""
    way = [f for f in layers if f.gradient is not None and f.weight]
    if len(way) <= STEPS or any((f.dead or 0) >= BLOCKED for f in way):
        return []
    first, last = way[0].gradient or 0.0, way[-1].gradient or 0.0
    count = len(way) - 1
    shrunk = first / last if last else 1.0
    each = shrunk ** (1 / count)
    if shrunk > VANISHED or each > PER_LAYER:
        return []
    inner = way[len(way) // 2]
    known = curve(inner.activation)
    bound = known.steepest[0] if known is not None else inf
    why = "backwards, each layer multiplies the gradient by Wᵀ and by f′"
    if isfinite(bound) and bound < 1:
        why += f"; of {inner.activation} |f′| is at most {number(bound)}, {known.steepest[1]}"  # type: ignore[union-attr]
        why += (
            f", so {count} layers can leave {short(bound**count)} of it, unless W makes up for it"
        )
    return [
        Finding(
            "vanishing gradient", f"{way[0].name} … {way[-1].name}", "warning",
            f"the norm of the weights' gradient falls from {short(last)} in {way[-1].name} to "
            f"{short(first)} in {way[0].name}, by a factor of {short(each)} a layer",
            {"gradients": {f.name: f.gradient for f in way}, "factor": each, "bound": bound},
            why,
            "use ReLU with He's initialisation (or tanh with Glorot's), batch_norm before the "
            "activations, residual shortcuts, or fewer layers",
            way[0].line,
        )
    ]  # fmt: skip


def growing(layers: Layers) -> list[Finding]:
    """Find values that grow, or shrink, from layer to layer on their way forward."""
    way = [f for f in layers if isfinite(f.before.variance) and f.before.variance > 0]
    if len(way) <= STEPS or any((f.dead or 0) >= BLOCKED for f in layers):
        return []
    first, last = _deviation(way[0]), _deviation(way[-1])
    total, count = last / first, len(way) - 1
    each = total ** (1 / count)
    up = total >= GROWN and each >= 2
    if not up and not (total <= 1 / GROWN and each <= 0.5):
        return []
    steep = [f for f in way if f.steep or _boundless(f.activation)]
    weights = "weights of standard deviation " + short(way[len(way) // 2].deviation)
    if up and steep:
        why = f"the derivative of {steep[0].activation} has no bound: what is large gets larger"
        hint = "take an activation that grows at most linearly (ReLU, tanh)"
    else:
        why = f"each layer multiplies the deviation by about √fan_in times that of its {weights}"
        hint = (
            "draw the weights with a variance of 2/fan_in (He, for ReLU) or of 1/fan_avg (Glorot)"
        )
    return [
        Finding(
            "exploding values" if up else "fading values", f"{way[0].name} … {way[-1].name}",
            "error" if up and total > GROWN**2 else "warning",
            f"the standard deviation of what enters the activations goes from {short(first)} in "
            f"{way[0].name} to {short(last)} in {way[-1].name}, by a factor of {short(each)} a "
            f"layer; the gradient that reaches the values is {short(_signals(way))} times as "
            "large in the first as in the last",
            {"deviations": {f.name: _deviation(f) for f in way}, "factor": each},
            why,
            hint + ", or use batch_norm",
            way[0].line,
        )
    ]  # fmt: skip


def locked(layers: Layers) -> list[Finding]:
    """Find layers whose inputs all have one sign, and whose gradients therefore have too."""
    bad = [
        f
        for f in layers
        if (f.locked or 0) >= LOCKED and f.inputs in ("positive", "negative")
        if f.samples >= SAMPLES
    ]
    if not bad:
        return []
    said = _each(bad, lambda f: f"{percent(f.locked)} of the units")
    first = bad[0] is layers[0]
    return [
        Finding(
            "gradients of one sign", named([f.name for f in bad]), "warning",
            f"all weights of a unit have gradients of one sign: {said}; "
            f"the inputs are all {bad[0].inputs}",
            {f.name: f.locked for f in bad},
            "∂L/∂w = x δ: if all x have one sign, all weights of a unit can only grow or shrink "
            "together, and steps zigzag towards where they have to go",
            "centre the data: subtract the mean of each column" if first
            else "use tanh or another activation of both signs, or batch_norm",
            bad[0].line,
        )
    ]  # fmt: skip


def _boundless(activation: str) -> bool:
    """Say whether the slope of an activation has no bound."""
    known = curve(activation)
    return known is not None and known.steepest[0] == inf


def _alike(f: LayerFacts) -> float:
    return len(f.identical) / f.units


def _deviation(f: LayerFacts) -> float:
    return float(f.before.variance**0.5)


def _signals(way: Layers) -> float | None:
    first, last = way[0].signal, way[-1].signal
    return first / last if first is not None and last else None


def _each(bad: Layers, say: Callable[[LayerFacts], str]) -> str:
    """Say something of one layer, or of each by name; of many only of the first and the last.

    A single layer is named by the finding itself.
    """
    if len(bad) == 1:
        return say(bad[0])
    shown = [f"{say(f)} in {f.name}" for f in bad]
    return ", ".join(shown) if len(shown) < 4 else f"{shown[0]} … {shown[-1]}"
