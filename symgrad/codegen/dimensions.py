"""Lines that read the sizes of dimensions off the shapes of inputs: M = W.shape[0] // 2."""

import re
from collections.abc import Mapping, Sequence

from symgrad.dims import names_in, solved
from symgrad.ops.spec import size_text, sized
from symgrad.shapes import Shape


def sizes_of(
    text: str,
    called: Mapping[str, str],
    inputs: Sequence[tuple[str, Shape]],
    known: Mapping[str, int],
) -> list[str]:
    """Give a line for each dimension that a text mentions, and for those that it takes.

    `called` says how dimensions are called in the text, `inputs` lists arrays and their shapes.

    >>> sizes_of("np.zeros(M)", {"M": "M", "H": "H"}, [("W", ("2*M + H", "H"))], {})
    ['H = W.shape[1]', 'M = (W.shape[0] - H) // 2']
    """
    lines: dict[str, str] = {}

    def read(dim: str, open_: tuple[str, ...] = ()) -> bool:
        """Write the line of a dimension, behind those of what it is made of."""
        if dim in lines:
            return True
        name = called.get(dim, dim)
        for array, shape in inputs:
            if dim in shape:
                lines[dim] = f"{name} = {array}.shape[{shape.index(dim)}]"
                return True
        if dim in known:
            lines[dim] = f"{name} = {known[dim]}"
            return True
        for array, shape in inputs:
            for k, made in enumerate(shape):
                found = None if dim in open_ else solved(made, dim)
                if found and all([read(d, (*open_, dim)) for d in names_in(found[0])]):
                    rest, slope = found
                    whole = f"{array}.shape[{k}]"
                    if rest != 0:
                        shown = sized(size_text(rest), lambda d: called.get(d, d))
                        bare = isinstance(rest, str) and rest.isidentifier()
                        whole += f" - {shown}" if bare or isinstance(rest, int) else f" - ({shown})"
                        whole = whole.replace(" - -", " + ")
                    if slope != 1:
                        whole = f"({whole})" if rest != 0 else whole
                        whole += f" // {slope}" if slope > 0 else f" // ({slope})"
                    lines[dim] = f"{name} = {whole}"
                    return True
        return False

    for dim, name in called.items():
        if re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", text):
            read(dim)
    return list(lines.values())
