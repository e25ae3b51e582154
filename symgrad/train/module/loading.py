"""The functions of a training module that read data and keep weights, and its command line."""

from symgrad.train.module.filling import filled
from symgrad.train.module.functions import blocks
from symgrad.train.module.model import Model

READ = '''
def read(path, names=(), width=0):
    """Read the arrays of an .npz file, or the columns of a .csv file."""
    try:
        if path.endswith(".csv"):
            return <table>
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError, TypeError, csv.Error, zipfile.BadZipFile) as error:
        raise SystemExit(f"{path} cannot be read: {error}") from None


def load(path, names, width=0):
    """Take the arrays of these names; those with names of their own are taken in their order."""
    found = read(path, names, width)
    missing = [name for name in names if name not in found]
    others = [name for name in found if name not in SHAPES]
    if len(missing) == len(others) or (missing and len(found) == len(SHAPES)):
        found |= {name: found[other] for name, other in zip(missing, others)}
    elif missing:
        raise SystemExit(f"{path} has no {missing[0]}; it has {', '.join(found)}")
    return {name: found[name] for name in names}
'''
COLUMNS = '''
def columns(path):
    """Read the columns of a .csv file by the names in its header."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        header, *rows = [row for row in csv.reader(file) if row] or [[]]
    if not rows or len(set(header)) < len(header) or numbers(header).dtype.kind == "f":
        raise ValueError("expected is a header of different names, and rows below it")
    for k, row in enumerate(rows):
        if len(row) != len(header):
            raise ValueError(f"row {k + 1} has {len(row)} cells, the header {len(header)}")
    return {name: numbers(cells) for name, cells in zip(header, zip(*rows))}


def numbers(cells):
    """Make numbers of texts, if all are."""
    try:
        return np.array(cells, dtype=float)
    except ValueError:
        return np.array(cells)
'''
MATRIX = '''
def table(path, names, width):
    """Read a .csv file: <what>."""
    found, others = columns(path), {}
<taken>
    if not found:
        raise ValueError("it has one column only; cells are separated by commas")
    for name, column in found.items():
        for row, cell in enumerate(column):
            if column.dtype.kind == "U" and numbers([cell]).dtype.kind == "U":
                raise ValueError(f"row {row + 1} has {str(cell)!r} in the column {name}, no number")
    return {"<matrix>": np.column_stack(list(found.values())), **others}
'''
NO_TABLE = '''
def no_table():
    """Say that a table is not enough."""
    raise ValueError("a table does not tell <listed> apart; give an .npz")
'''
NARROW = """    target = "<target>" if "<target>" in found else list(found)[-1]
    if "<target>" in names or target == "<target>" or len(found) > width:
        others["<target>"] = found.pop(target)"""
WIDE = """    wide = [name for name in found if name.rstrip("0123456789").rstrip("_") == "<target>"]
    if "<target>" in names and not wide:
        raise ValueError("there are no columns <target>0, <target>1, …")
    if wide:
        others["<target>"] = np.column_stack([found.pop(name) for name in wide])"""
CHECKED = '''
def checked(data):
    """Check types, shapes and entries; return the size of each dimension."""
    sizes = {}
    for name, array in data.items():
        shape = SHAPES[name]
        if array.ndim != len(shape) and array.shape[:1] == (array.size,):  # a vector for a column
            data[name] = array = array.reshape((array.size,) + (1,) * (len(shape) - 1))
        fits = array.ndim == len(shape) and all(
            n == (sizes.setdefault(d, n) if isinstance(d, str) else d)
            for d, n in zip(shape, array.shape)
        )
        if not fits:
            raise SystemExit(f"{name} has the shape {array.shape}; expected is {shape}, {sizes}")
        if array.dtype.kind not in "fiub":
            raise SystemExit(f"{name} holds {array.flat[0]!r}; expected are numbers")
        if not np.isfinite(array).all():
            row = np.argwhere(~np.isfinite(array))[0][0]
            raise SystemExit(f"{name} is not finite in row {row + 1}")
    return sizes
'''
ENCODE = '''
def encode(labels):
    """Number the classes in their order; return <coded>, and the classes."""
<matrix>    if labels.dtype.kind == "f" and np.all(labels == np.floor(labels)):
        labels = labels.astype(int)
    if labels.dtype.kind not in "iubU":
        raise SystemExit("<target> names classes by whole numbers or texts")
    classes, numbers = np.unique(labels.ravel(), return_inverse=True)
<counted>
    return <numbers>, classes
'''
SCALING = '''
def standardised(data, scale):
    """Subtract the mean and divide by the deviation, both of the training rows."""
    for name in SCALED:
        if name in data:
            data[name] = (data[name] - scale[f"mean of {name}"]) / scale[f"deviation of {name}"]
    return {name: array.astype(<kind>) for name, array in data.items()}


def prepare(path, seed):
    """Read the data, hold a fifth of the rows out and standardise by the others."""
    data, scale = load(path, list(SHAPES)), {}
<encoded>    sizes = checked(data)
<asked><sized>    if sizes["<batch>"] < 5:
        raise SystemExit(f"{path} has {sizes['<batch>']} rows; 5 are needed at least")
    order = np.random.default_rng((seed, 3)).permutation(sizes["<batch>"])
    held, rows = np.split(order, [len(order) // 5])
    for name in SCALED:
        mean, deviation = data[name][rows].mean(axis=0), data[name][rows].std(axis=0)
        scale[f"mean of {name}"] = mean
        scale[f"deviation of {name}"] = np.where(deviation > 1e-9 * np.abs(mean), deviation, 1)
    data = standardised(data, scale)
    scale |= {f"size of {d}": n for d, n in sizes.items() if d != "<batch>"}
    parts = [{name: array[part] for name, array in data.items()} for part in (rows, held)]
    return *parts, sizes, scale
'''
PREDICTIONS = '''
def predictions(path, weights):
    """Predict for the rows of a file, with saved weights."""
    saved = read(weights)
    if not {*PARAMETERS, *(f"mean of {name}" for name in SCALED)} <= set(saved):
        raise SystemExit(f"{weights} holds no weights of this model")
    data = load(path, [<features>]<width>)
    for d, n in checked(data).items():
        if saved.get(f"size of {d}", n) != n:
            raise SystemExit(f"{path} has {d}={n}; the weights are for {saved[f'size of {d}']}")
    data = standardised(data, saved)
    found = predict(<inputs>, {name: saved[name] for name in PARAMETERS})
    return <answer>
'''
MAIN = '''
def main():
    """Train, predict or check, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.split("\\n")[0])
    parser.add_argument("data", nargs="?", help="an .npz or .csv file to learn from")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="passes over the training rows")
    parser.add_argument("--batch", type=int, default=BATCH, help="rows of a step (%(default)s)")
    parser.add_argument("--rate", type=float, default=RATE, help="learning rate (%(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="makes it repeatable (%(default)s)")
    parser.add_argument("--out", default="weights.npz", help="where the weights go (%(default)s)")
    parser.add_argument("--predict", metavar="FILE", help="print predictions for its rows")
    parser.add_argument("--weights", default="weights.npz", help="of --predict (%(default)s)")
    parser.add_argument("--check", action="store_true", help="compare gradients with differences")
    asked = parser.parse_args()
    if asked.check:
        sys.exit(check())
    if asked.predict:
        found = predictions(asked.predict, asked.weights)
        return np.savetxt(sys.stdout, found.reshape(len(found), -1), fmt="<format>", delimiter=",")
    least = min(asked.batch, 1 if asked.epochs is None else asked.epochs)
    if not asked.data or least < 1 or asked.seed < 0 or not asked.rate > 0:
        parser.error("expected are a file, --epochs and --batch from 1, a --rate above 0")
    if not os.path.isdir(os.path.dirname(asked.out) or "."):
        parser.error(f"there is no folder {os.path.dirname(asked.out)}")
    data, held, sizes, scale = prepare(asked.data, asked.seed)
    params = train(data, held, sizes, asked.epochs, asked.batch, asked.rate, asked.seed)
    with open(f"{asked.out}.part", "wb") as file:  # a full disk leaves the old weights as they are
        np.savez(file, **params, **scale)
    os.replace(f"{asked.out}.part", asked.out)
    print(f"the weights are in {asked.out}")
'''


def reading(model: Model) -> dict[str, str]:
    """Write how data files are read."""
    inputs, narrow = model.inputs, _narrow(model)
    matrices = [k for k in model.data if k not in narrow and k != model.target]
    if not matrices and (model.target is None or model.target in narrow):
        return blocks(filled(READ, table="columns(path)") + COLUMNS)
    if len(matrices) != 1 or any(len(inputs[k].shape) != 2 for k in matrices):
        text = filled(READ, table="no_table()")
        listed = " and ".join(matrices or model.data)
        return blocks(text + filled(NO_TABLE, listed=listed))
    what, taken = _assigned(model, narrow)
    table = filled(MATRIX, what=what.format(matrices[0]), taken=taken, matrix=matrices[0])
    return blocks(filled(READ, table="table(path, names, width)") + table + COLUMNS)


def _narrow(model: Model) -> list[str]:
    """List the data inputs that are one column of a table."""
    inputs = model.inputs
    found = [k for k in model.data if inputs[k].shape[1:] in ((), (1,))]
    one = model.target if model.roles.task == "onehot" else None
    return [*found, one] if one is not None and one not in found else found


def _assigned(model: Model, narrow: list[str]) -> tuple[str, str]:
    """Say which columns are what, and write how they are taken."""
    target = model.target
    named = [k for k in narrow if k != target]
    listed = ", ".join(f'"{k}"' for k in named)
    lines = [f"    others = {{name: found.pop(name) for name in ({listed},) if name in found}}"]
    lines = lines if named else []
    if target in narrow:
        lines.append(filled(NARROW, target=str(target)))
        what = f"the column {target}, else the last one, is the target, the others are {{}}"
    elif target is not None:
        lines.append(filled(WIDE, target=target))
        what = f"the columns {target}0, {target}1, … are the target, the others are {{}}"
    else:
        what = "all columns are {}"
    return what, "\n".join(lines)


def describe(model: Model) -> str:
    """Say in the heading what a .csv file must hold; "" if there can be none."""
    found = reading(model)
    if "table" in found:
        return found["table"].split('"""')[1].removeprefix("Read a .csv file: ").rstrip(".")
    return "its columns are " + ", ".join(model.data) if "columns" in found else ""


def preparing(model: Model) -> dict[str, str]:
    """Write how data are checked, encoded and standardised."""
    task, target, kind = model.roles.task, model.target, f"np.{model.dtype}"
    texts = CHECKED + (_encode(model) if model.classes else "")
    encoded = asked = sized = ""
    if model.classes:
        aim, kept = f'data["{target}"]', f'scale["classes of {target}"]'
        encoded = f"    {aim}, {kept} = encode({aim})\n"
    if task == "labels" and target is not None:
        kind = f'np.int64 if name == "{target}" else {kind}'
        count = model.inputs[target].attrs["classes"]
        if isinstance(count, str) and count not in model.sizes:
            sized = f'    sizes["{count}"] = len(scale["classes of {target}"])\n'
    if task == "multilabel":
        values = "(-1, 1)" if model.signed else "(0, 1)"
        asked = (f'    if not np.isin(data["{target}"], {values}).all():\n'
                 f'        raise SystemExit("{target} holds other numbers than '
                 f'{values[1:-1].replace(", ", " and ")}")\n')  # fmt: skip
    texts += filled(SCALING, kind=kind, encoded=encoded, asked=asked, sized=sized,
                    batch=model.roles.batch)  # fmt: skip
    return blocks(texts)


def _encode(model: Model) -> str:
    """Write how labels become numbers, signs or one-hot rows."""
    task, target = model.roles.task, str(model.target)
    node = model.inputs[target]
    count = node.attrs["classes"] if task == "labels" else node.shape[-1]
    known = model.sizes.get(count) if isinstance(count, str) else count
    matrix = ""
    error = f'        raise SystemExit(f"{target} has {{len(classes)}} classes; expected are '
    if task in ("binary", "sign"):
        counted = f'    if len(classes) != 2:\n{error}2")'
        coded, numbers = "0 or 1", "numbers"
        if task == "sign":
            coded, numbers = "−1 or 1", "2 * numbers - 1"
    else:
        counted = f'    if len(classes) < 2:\n{error}2 at least")'
        if known is not None:
            inside = f'classes.dtype.kind in "iu" and 0 <= classes[0] and classes[-1] < {known}'
            counted = (f"    if {inside}:\n"
                       f"        classes, numbers = np.arange({known}), labels.ravel()\n"
                       f'    if len(classes) != {known}:\n{error}{known}")')  # fmt: skip
        coded, numbers = "the numbers", "numbers"
        if task == "onehot":
            coded, numbers = "one-hot rows", "np.eye(len(classes))[numbers]"
            matrix = ("    if labels.shape[1:] not in ((), (1,)):  # they are encoded\n"
                      "        return labels, np.arange(labels.shape[-1])\n")  # fmt: skip
    return filled(ENCODE, coded=coded, numbers=numbers, counted=counted, matrix=matrix,
                  target=target)  # fmt: skip


def commands(model: Model) -> dict[str, str]:
    """Write how weights are kept and used, and the command line."""
    features, target, inputs = model.roles.features, model.target, model.inputs
    answer = "found"
    if model.classes:
        index = "found.ravel()" if model.roles.task in ("binary", "sign") else "found"
        answer = f'saved["classes of {target}"][{index}]'
    elif model.aim in model.scaled:
        answer = f'found * saved["deviation of {model.aim}"] + saved["mean of {model.aim}"]'
    wide = [k for k in features if len(inputs[k].shape) == 2]
    size = inputs[wide[0]].shape[1] if len(wide) == 1 else 0
    width = (
        f', width=saved["size of {size}"]'
        if isinstance(size, str)
        else f", width={size}"
        if size
        else ""
    )
    if isinstance(size, str) and size in model.sizes:
        width = f", width={model.sizes[size]}"
    text = filled(
        PREDICTIONS,
        features=", ".join(f'"{k}"' for k in features),
        inputs=", ".join(f'data["{k}"]' for k in features),
        width=width if "table" in reading(model) else "",
        answer=answer,
    )
    return blocks(text)


def command_line(model: Model) -> dict[str, str]:
    """Write `main`."""
    return blocks(filled(MAIN, format="%.8g" if model.roles.task == "values" else "%s"))
