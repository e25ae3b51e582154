"""The functions of a training module that train and predict."""

from collections.abc import Mapping

from symgrad.errors import UsageError
from symgrad.ops.spec import size_text, sized
from symgrad.train.loop import DROPOUT, EPOCHS, ORDER, STEPS
from symgrad.train.module.filling import filled
from symgrad.train.module.functions import WIDE, blocks, joined, open_dims, settings
from symgrad.train.module.model import Model
from symgrad.train.settings import Settings

AVERAGES = '''
def averaged(averages, found):
    """Move the averages of batch statistics: the first batch sets them, later ones pull at them."""
    for name in <names>:
        new = found.pop(name)
        averages[name] = <kept> * averages[name] + <left> * new if name in averages else new
'''
KEPT = Settings.averaging


def predict(model: Model, constants: Mapping[str, str]) -> dict[str, str]:
    """Write `predict`: class numbers, yes or no, or values."""
    features, task = model.roles.features, model.roles.task
    given = [f"{k}={k}" for k in features]
    given += [f"{k}={constants[k]}" for k in settings(model, model.modes.test)]
    call = f"{model.forward}({', '.join(given)}, **params)"
    limit = "0.5" if model.roles.scale == "probability" else "0"
    if task in ("labels", "onehot"):
        what, text = (
            "the class of each row: the one of the largest value",
            f"np.argmax({call}, axis=-1)",
        )
    elif task in ("binary", "sign"):
        what, text = "the class of each row, 0 or 1", f"({call} > {limit}).astype(int)"
    elif task == "multilabel" and model.signed:
        what, text = "−1 or 1 for each label of each row", f"np.where({call} > {limit}, 1, -1)"
    elif task == "multilabel":
        what, text = "0 or 1 for each label of each row", f"({call} > {limit}).astype(int)"
    else:
        what, text = "the values for each row", call
    lines = [f"def predict({', '.join([*features, 'params'])}):", f'    """Predict {what}."""']
    whole = f"    return {text}"
    if len(whole) > WIDE:
        name = model.forward
        lines.append(f"    {name}_ = {call}")
        whole = f"    return {text.replace(call, f'{name}_')}"
    return {"predict": "\n".join([*lines, whole])}


def measure(model: Model) -> dict[str, str]:
    """Write how good predictions are on held-out rows; nothing where no target says it."""
    target, task = model.target, model.roles.task
    listed = ", ".join(f'data["{k}"]' for k in model.roles.features)
    guess = f"predict({listed}, params)"
    if task != "values" and target is not None:
        aim = f'data["{target}"]'
        if task == "onehot":
            aim = f"np.argmax({aim}, axis=-1)"
        elif task == "sign":
            aim = f"({aim} > 0)"
        return {"accuracy": "\n".join([
            "def accuracy(data, params):",
            '    """Give the share of predictions that are right."""',
            f"    return np.mean({guess} == {aim})",
        ])}  # fmt: skip
    aimed = model.aim
    if aimed is None:
        return {}
    return {"r_squared": "\n".join([
        "def r_squared(data, params):",
        '    """Give R² = 1 − Σ(t − p)²/Σ(t − mean t)²: 1 is perfect, 0 as good as the mean."""',
        f'    aim = data["{aimed}"]',
        f"    rest, spread = aim - {guess}, aim - np.mean(aim, axis=0)",
        "    return 1 - np.sum(rest**2) / np.sum(spread**2)",
    ])}  # fmt: skip


def step(model: Model) -> dict[str, str]:
    """Write the step of the optimiser, and the schedule of the rate."""
    texts = [blocks(model.optimizer.source(model.dtype, alone=False))]
    if model.schedule.text != "constant":
        texts.append(blocks(model.schedule.source()))
    if model.modes.statistics:
        listed = ", ".join(f'"{s.name}"' for s in model.modes.statistics)
        listed = f"({listed},)" if len(model.modes.statistics) == 1 else f"({listed})"
        texts.append(blocks(filled(AVERAGES, names=listed, kept=repr(KEPT), left=f"(1 - {KEPT})")))
    return joined(*texts)


def train(model: Model, dims: Mapping[str, str], constants: Mapping[str, str]) -> dict[str, str]:
    """Write the loop over epochs and batches."""
    first = model.roles.features[0]
    metric = next(iter(measure(model)), "")
    if model.recipe.patience and not metric:
        raise UsageError("patience needs a score of the held-out rows, and a model without a "
                         "target has none")  # fmt: skip
    report = "        if (epoch + 1) % max(1, epochs // 10) == 0 or epoch + 1 == epochs:"
    now = "params | averages" if model.modes.statistics else "params"
    tails = {
        "": "",
        "accuracy": f"   held out: {{{_score(model, metric, now)}:.2%}}",
        "r_squared": f"   held out: R² {{{_score(model, metric, now)}:.4f}}",
    }
    given = "".join(f", {k}={constants[k]}" for k in settings(model, model.modes.train))
    shuffled = f"np.random.default_rng((seed, {ORDER}, epoch)).permutation(rows)"
    lines = [
        '@np.errstate(all="ignore")  # what is not finite is reported',
        "def train(data, held, sizes, epochs=EPOCHS, batch=BATCH, rate=RATE, seed=SEED):",
        '    """Learn the parameters from `data`; say now and then how they do on `held`."""',
        *_begin(model, first),
        "    for epoch in range(epochs):",
        f"        order, total = {shuffled}, 0.0",
        "        for start in range(0, rows, batch):",
        "            chosen = order[start : start + batch]",
        "            part = {name: array[chosen] for name, array in data.items()}",
        *_masks(model, dims),
        f"            loss, grads = loss_and_grad(**part, **params{given})",
        *_guard(model),
        *_update(model),
        "            total += float(loss) * len(chosen)",
        *_after(model),
        *_patience(model, metric, now),
        report,
        f'            print(f"epoch {{epoch + 1:4d}}   loss {{total / rows:.4g}}{tails[metric]}")',
        f"    return {'best' if model.recipe.patience else now}",
    ]
    return {"train": "\n".join(lines)}


def _score(model: Model, metric: str, now: str) -> str:
    return "score" if model.recipe.patience else f"{metric}(held, {now})"


def _guard(model: Model) -> list[str]:
    """Write how a loss or gradient that is no number ends the training, and how it is clipped."""
    own = ("grads[name]", "params") if model.modes.statistics else ("g", "grads.values()")
    each = "name" if model.modes.statistics else "g"
    lines = [
        f"            length = np.sqrt(sum(np.vdot({own[0]}, {own[0]}) for {each} in {own[1]}))",
        "            if not np.isfinite(loss + length):",
        '                said = f"epoch {epoch + 1}: the loss is {loss}, its gradient {length}"',
        '                raise SystemExit(f"{said}; try a smaller --rate than {rate}")',
    ]
    if model.recipe.clip is not None:
        lines.append("            scale = CLIP / max(CLIP, length)  # of a gradient that is longer")
    return lines


def _patience(model: Model, metric: str, now: str) -> list[str]:
    """Write how training stops when the held-out rows are predicted no better any more."""
    if not model.recipe.patience:
        return []
    return [
        f"        score = {metric}(held, {now})",
        "        if score > highest:",
        f"            highest, since, best = score, epoch, {_copied(model)}",
        "        if epoch - since >= PATIENCE:",
        '            print(f"epoch {epoch + 1:4d}   best was epoch {since + 1}: {highest:.4g}")',
        "            break",
    ]


def _copied(model: Model) -> str:
    """Write a copy of what is learned; a step makes new arrays."""
    return "params | averages" if model.modes.statistics else "dict(params)"


def _counted(model: Model) -> bool:
    return bool(model.modes.masks) or model.schedule.text != "constant"


def _begin(model: Model, first: str) -> list[str]:
    dims = ", ".join(f'sizes["{d}"]' for d in open_dims(model))
    start = model.optimizer.start_source()
    lines = [f"    params = initialise(seed{', ' + dims if dims else ''})",
             *_wrapped("    state = {", f"name: {start}", "for name, w in params.items()"),
             f'    rows{", step" if _counted(model) else ""} = len(data["{first}"])'
             + (", 0" if _counted(model) else "")]  # fmt: skip
    lines.append(f"    epochs = epochs or max({EPOCHS}, -(-{STEPS} // -(-rows // batch)))")
    if model.modes.statistics:
        lines.append("    averages = {}")
    if model.recipe.patience:
        lines.append("    highest, since, best = -np.inf, 0, params")
    if model.schedule.text != "constant":
        lines.append("    steps = -(-rows // batch) * epochs")
    if model.schedule.observes:
        begun_ = ", ".join(f'"{k}": {v!r}' for k, v in model.schedule.begin().items())
        lines.append(f"    plateau = {{{begun_}}}")
    return lines


def _wrapped(head: str, one: str, each: str) -> list[str]:
    """Write a mapping over its items, on one line if it fits."""
    whole = f"{head}{one} {each}}}"
    return [whole] if len(whole) <= WIDE else [head, f"        {one}", f"        {each}", "    }"]


def _masks(model: Model, dims: Mapping[str, str]) -> list[str]:
    """Write how the masks of dropout are drawn for one batch."""
    if not model.modes.masks:
        return []
    lines = [f"            rng = np.random.default_rng((seed, {DROPOUT}, step))  # of dropout"]
    known = {**dims, model.roles.batch: "len(chosen)"}
    for mask in model.modes.masks:
        shape = [sized(size_text(d), lambda n: known.get(n, f'sizes["{n}"]')) for d in mask.shape]
        listed = f"({', '.join(shape)}{',' if len(shape) == 1 else ''})"
        drawn = f"rng.random({listed}, dtype=np.float32) < {mask.keep!r}"
        left = f'            part["{mask.name}"] = '
        whole = f"{left}({drawn}).astype(np.{model.dtype})"
        if len(whole) <= WIDE:
            lines.append(whole)
        else:
            lines += [f"            kept = {drawn}", f"{left}kept.astype(np.{model.dtype})"]
    return lines


def _update(model: Model) -> list[str]:
    rate, lines = "rate", []
    if model.modes.statistics:
        lines.append("            averaged(averages, grads)")
    if model.schedule.text != "constant":
        state = ", plateau" if model.schedule.observes else ""
        lines.append(f"            now = rate * rate_factor(step, steps{state})")
        rate = "now"
    name = f"{model.optimizer.name}_step"
    grad = "grads[name]" if model.recipe.clip is None else "scale * grads[name]"
    new = f"{name}(w, {grad}, state[name], {rate})"
    lines += ["            for name, w in params.items():",
              f"                params[name], state[name] = {new}"]  # fmt: skip
    return lines + (["            step += 1"] if _counted(model) else [])


def _after(model: Model) -> list[str]:
    return ["        plateau = observed(plateau, total / rows)"] if model.schedule.observes else []
