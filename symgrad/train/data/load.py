"""`load`: from anything that holds data to a `Dataset` that matches a model's declarations."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.errors import DataError, ShapeError, UsageError, near
from symgrad.evaluate import check_value
from symgrad.graph import Graph, Node
from symgrad.shapes import Bindings
from symgrad.train.data.aims import Aim, aimed
from symgrad.train.data.arrays import Array, mapped
from symgrad.train.data.columns import Columns
from symgrad.train.data.dataset import Dataset
from symgrad.train.data.labels import NUMERIC
from symgrad.train.data.match import known, matched
from symgrad.train.data.reading import Options, Read, Wanted
from symgrad.train.data.rows import Held, held
from symgrad.train.data.sources import read
from symgrad.train.data.table import Table
from symgrad.train.data.transform import MISSING, Part, Transform

if TYPE_CHECKING:
    from symgrad.train.roles import Roles

LARGE = 50.0  # entries beyond this are worth a note where nothing is standardised
LOOKED_AT = 4096  # rows that are looked at for that note


def load(
    source: Any,
    graph: Graph,
    roles: "Roles",
    *,
    target: Any = None,
    standardise: bool | str = "auto",
    standardise_target: bool | str = False,
    missing: str = "error",
    drop: str | Sequence[str] = (),
    seed: int = 0,
    sizes: Mapping[str, int] | None = None,
    transform: Transform | None = None,
) -> Dataset:
    """Read data from any source and match them with a model's declarations.

    `source` is one of

    - a mapping from names of inputs to arrays, or from names of columns to columns;
    - a pair (X, y), a data frame, or one matrix (`target` is then the number of a column);
    - a path: .npz, a folder of .npy files (read batch by batch), .npy, .csv with a header;
    - a name: digits, iris, wine, breast_cancer, diabetes, linnerud (they come with scikit-learn),
      or xor, circle, spirals, moons, sine, noise, made from `seed`: "spirals(300, noise=0.1)".

    `target` names the column (a list: the columns) of the target in a table; the usual ones are
    the target's own name, "target", "label", "class", "y", else the last. `drop` leaves columns
    out. `missing` is "error", "mean" (that of the training rows; for a text: no category) or
    "allow". `standardise` brings each numeric column to mean 0 and deviation 1 over the training
    rows; "auto" does so for tables and sets by name, which have units, and takes arrays as they
    are (digits are divided by 16); so is
    the target with `standardise_target`. `sizes` are dimensions that the data do not give.
    `transform` is an earlier data set's, which is then done again.

    Raises `DataError` or `ShapeError` where the data do not fit the model.

    >>> from symgrad.parse import parse
    >>> from symgrad.train.roles import roles
    >>> g = parse("X: data[N, D]; y: binary[N]; w: param[D]; bce(sigmoid(X @ w), y)")
    >>> data = load("moons(100)", g, roles(g))
    >>> train, validation, test = data.split(validation=0.2)
    >>> data = data.fit(train)
    >>> data.batch(train[:3])["X"].shape, len(validation), data.sizes["D"]
    ((3, 2), 20, 2)
    """
    if missing not in MISSING:
        raise UsageError(f"missing={missing!r} is not known",
                         hint=near(missing, MISSING) + f"one of {', '.join(MISSING)}")  # fmt: skip
    if not isinstance(standardise, bool) and standardise != "auto":
        raise UsageError(f"standardise={standardise!r} is not known", hint="True, False or 'auto'")
    inputs = {n.attrs["name"]: n for n in graph.inputs}
    dropped = (drop,) if isinstance(drop, str) else tuple(drop)
    found = read(source, _wanted(roles, inputs), Options(target, dropped, seed))
    bound = _bound(graph, sizes)
    builder = _Builder(found, bound, standardise, missing, transform)
    stores = {name: builder.feature(name, inputs[name]) for name in roles.features}
    aim = found.standard if standardise_target == "auto" else bool(standardise_target)
    rows = len(next(iter(stores.values())))
    if not rows:
        raise DataError("the data have no rows")
    for name in roles.targets:
        task = roles.encoding if name == roles.targets[0] else ""
        stores[name] = builder.target(name, inputs[name], task, aim)
    given = {k: check_value(inputs[k], v, bound) for k, v in found.given.items()}
    made = Transform(builder.parts, builder.aims, builder.classes)
    return Dataset(stores, made, bound, tuple(builder.notes), given)


def _wanted(roles: "Roles", inputs: Mapping[str, Node]) -> Wanted:
    """Say what the data have to hold, and why other inputs are not among them."""
    ranks = {k: sum(d != 1 for d in inputs[k].shape[1:]) for k in roles.features}
    others = {k: "it is a parameter, which is trained" for k in roles.params}
    others |= {k: "it is a mask, which is drawn anew for each batch" for k in roles.masks}
    return Wanted(ranks, roles.targets, (*roles.settings, *roles.constants), others)


def _bound(graph: Graph, sizes: Mapping[str, int] | None) -> Bindings:
    bound = Bindings(graph.dims)
    for name, size in (sizes or {}).items():
        try:
            bound.bind(name, int(size))
        except ShapeError as error:
            raise UsageError(f"sizes: {error.message}") from None
    return bound


class _Builder:
    """Match what was read with the inputs, one after another."""

    def __init__(
        self,
        found: Read,
        sizes: Bindings,
        standardise: bool | str,
        missing: str,
        transform: Transform | None,
    ) -> None:
        self.found, self.sizes, self.missing, self.old = found, sizes, missing, transform
        self.auto = standardise == "auto"
        self.standardise = found.standard if self.auto else bool(standardise)
        self.notes = list(found.notes)
        self.parts: dict[str, Part] = {}
        self.aims: dict[str, Part] = {}
        self.classes: tuple[Any, ...] | None = None
        self.place: Callable[[int], str] = found.table.place if found.table else "row {}".format

    def feature(self, name: str, node: Node) -> Held:
        """Make one feature's rows, and the part of the transform that belongs to it."""
        given, old = self.found.features[name], self.old and self.old.parts.get(name)
        columns: Columns | None = None
        if isinstance(given, Table):
            columns = (old and old.columns) or Columns.of(given, given.columns)
            array = columns.matrix(given, self.missing)
            self._texts(columns)
        else:
            array = given
        if 0 in array.shape[1:]:
            raise DataError(f"'{name}' has the shape {array.shape}: its rows have no entries")
        array, note = matched(name, array, node.shape, self.sizes, told=columns is not None)
        self.notes += [note] * bool(note)
        whole = node.dtype == "int"
        part = old or self._part(array, columns, whole)
        if whole:
            array = self._whole(name, node, array)
        elif mapped(array) is None:
            part.checked(name, array, self.place)
            if self.auto and part.idle and not part.wanted:
                self._scale(name, array)
        self.parts[name] = part
        return held(array)

    def _part(self, array: Array, columns: Columns | None, whole: bool) -> Part:
        row = array.shape[1:]
        if whole:
            return Part(row, columns, whole=True)
        if self.auto and self.found.divide is not None:
            size = int(np.prod(row, dtype=np.int64))
            self.notes.append(f"numbers are divided by {self.found.divide:g}")
            scale = np.full(size, self.found.divide)
            return Part(row, columns, np.zeros(size), scale, missing=self.missing)
        return Part(row, columns, wanted=self.standardise, missing=self.missing)

    def _texts(self, columns: Columns) -> None:
        for name, texts in columns.categories.items():
            if texts is not None:
                self.notes.append(
                    f"column {name} is {len(texts)} one-hot columns: {', '.join(texts[:8])}"
                    + ", …" * (len(texts) > 8)
                )

    def _scale(self, name: str, array: Array) -> None:
        """Note entries so large that units saturate."""
        with np.errstate(invalid="ignore"):
            reach = float(np.nanmax(np.abs(array[:LOOKED_AT].astype(np.float64)), initial=0))
        if reach > LARGE:
            self.notes.append(f"entries of '{name}' reach {reach:.3g} and are taken as they are; "
                              "standardise=True brings them to mean 0 and deviation 1")  # fmt: skip

    def _whole(self, name: str, node: Node, array: Array) -> Array:
        """Check a feature of class numbers, such as the words of a text."""
        classes = node.attrs.get("classes")
        if classes is not None and known(classes, self.sizes) is None:
            self.sizes.bind(str(classes), int(array.max(initial=0)) + 1)
        size = {k: v for k, v in self.sizes.items()}
        return np.atleast_1d(np.asarray(check_value(node, array, Bindings(size))))

    def target(self, name: str, node: Node, task: str, standardise: bool) -> Held:
        """Make one target's rows."""
        old = None if self.old is None else self.old.classes
        aim = Aim(name, node, task, self.sizes, self.place, self.found.classes, old,
                  told=self.found.told)  # fmt: skip
        given = self.found.targets[name]
        try:
            made = aimed(aim, given)
        except ShapeError as error:
            self._turned(given, error)
            raise
        wanted = standardise and made.free
        self.notes += [note for note in made.notes if not (wanted and "standardise_target" in note)]
        if self.classes is None:
            self.classes = made.classes
        known_part = self.old and self.old.targets.get(name)
        self.aims[name] = known_part or Part(made.row, wanted=wanted, whole=made.one_hot)
        return made.rows

    def _turned(self, given: Array, error: ShapeError) -> None:
        """Say what helps where the features lie on their side, or one-hot rows are labels."""
        for name, array in self.found.features.items():
            if not isinstance(array, Table) and array.ndim == 2 and len(given) == array.shape[1]:
                error.hint = f"is '{name}' turned?  {name}.T has the shape {array.shape[::-1]}"
        if given.ndim == 2 and given.dtype.kind in NUMERIC and (given.sum(axis=1) == 1).all():
            error.hint = "one-hot rows become labels by  y.argmax(axis=1)"
