"""Write the call of a program of numbers: over math, and where that raises, over NumPy.

Programs of float32 compute in double precision too. Their inputs are rounded to float32 on the way
in, their results on the way out, so that no step between loses digits.
"""

from collections.abc import Callable, Sequence

SINGLE = "SINGLE = np.float32(1)  # SINGLE * x rounds x to float32, sooner than np.float32(x)"
PARTS = str.maketrans("", "", "_.[]")  # of names, entries and numbers beside letters and digits
Joined = Callable[[str, list[str], str], str]


def in_a_line(start: str, items: list[str], end: str) -> str:
    """List items of a tuple in one line.

    >>> in_a_line("(", ["x"], ")")
    '(x,)'
    """
    return start + ", ".join(items) + "," * (len(items) == 1) + end


def dispatch(name: str, inputs: Sequence[str], dtype: str, joined: Joined = in_a_line) -> list[str]:
    """Write the lines that call `_name`, which takes math or NumPy and then the inputs.

    `joined` writes a tuple: from how it starts, what it lists and how it ends.

    >>> dispatch("value", ["x"], "float32")[1]
    '        args = np.array((x,), np.float32).tolist()'
    """
    if dtype == "float64":
        return [
            joined("    args = (", [f"float({n})" for n in inputs], ")"),
            "    try:",
            f"        return _{name}(math, *args)",
            "    except (ArithmeticError, ValueError):",
            '        with np.errstate(all="ignore"):',
            f"            value, grads = _{name}(np, *map(np.float64, args))",
            "            return float(value), {name: float(grads[name]) for name in grads}",
        ]
    return [
        '    with np.errstate(all="ignore"):',
        joined("        args = np.array((", list(inputs), "), np.float32).tolist()"),
        "        try:",
        f"            return _{name}(math, *args)",
        "        except (ArithmeticError, ValueError):",
        f"            value, grads = _{name}(np, *map(np.float64, args))",
        "            return np.float32(value), {name: np.float32(grads[name]) for name in grads}",
    ]


def tried(name: str, over_math: str, over_numpy: str, single: bool) -> list[str]:
    """Write the lines that compute over math, and where that raises, over NumPy.

    `single`: they stand in a context without warnings.

    >>> tried("value", "x", "np.float64(x)", True)[1]
    '            value, grads = _value(math, x)'
    """
    indent = "    " * (1 + single)
    again = f"value, grads = _{name}(np, {over_numpy})"
    return [
        f"{indent}try:",
        f"{indent}    value, grads = _{name}(math, {over_math})",
        f"{indent}except (ArithmeticError, ValueError):",
        *([] if single else [f'{indent}    with np.errstate(all="ignore"):']),
        f"            {again}",
    ]


def over_lists(name: str, dtype: str) -> list[str]:
    """Write the lines that call `_name` where inputs and gradients travel in lists.

    >>> over_lists("value", "float64")[0]
    '    x = [float(inputs[name]) for name in INPUTS]'
    """
    attempt = tried(name, "x", "[np.float64(v) for v in x]", dtype == "float32")
    if dtype == "float64":
        return [
            "    x = [float(inputs[name]) for name in INPUTS]",
            *attempt,
            "    return float(value), {WRT[k]: float(grads[k]) for k in range(len(WRT))}",
        ]
    return [
        '    with np.errstate(all="ignore"):',
        "        x = np.array([inputs[name] for name in INPUTS], np.float32).tolist()",
        *attempt,
        "        grads = np.array(grads, np.float32)",
        "        return np.float32(value), {WRT[k]: grads[k] for k in range(len(WRT))}",
    ]


def single(text: str) -> str:
    """Round what a text computes to float32.

    >>> single("x[1]"), single("a + b")
    ('SINGLE * x[1]', 'SINGLE * (a + b)')
    """
    plain = text.translate(PARTS).isalnum()
    return f"SINGLE * {text}" if plain else f"SINGLE * ({text})"
