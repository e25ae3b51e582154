"""Read the words of einsum: which letters its operands and its result have."""

import re


def subscripts(word: str) -> tuple[list[str], str]:
    """Split "ij,jk->ik" into the letters of the operands and those of the result."""
    left, _, right = word.partition("->")
    return left.split(","), right


def misspelled(word: object) -> str:
    """Say what is wrong with the text of an einsum; "" if nothing is."""
    if not isinstance(word, str) or "->" not in word:
        return "the result is named behind ->"
    if "..." in word:
        return "... is not understood; name every axis"
    if not re.fullmatch(r"[A-Za-z]*(,[A-Za-z]*)*->[A-Za-z]*", word):
        return f"'{word[:40]}' is not of the form letters,letters->letters"
    words, result = subscripts(word)
    unknown = [letter for letter in result if not any(letter in w for w in words)]
    if unknown:
        return f"the letter {unknown[0]} of the result names no axis"
    if len(set(result)) < len(result):
        return "a letter stands twice in the result; diag(v) makes a diagonal matrix"
    if any(len(set(w)) < len(w) for w in words):
        return "a letter stands twice in one operand; diag(A) and trace(A) take diagonals"
    return ""


def as_matrices(words: list[str], result: str) -> tuple[int, str] | None:
    """Say of a sum of products of two arrays which is the left matrix, and which axes are summed.

    "" for the axes where those of the result are in another order; None for no such product.
    """
    summed = [c for c in words[0] if c in words[1] and c not in result]
    alone = ["".join(c for c in w if c in result and c not in other)
             for w, other in zip(words, reversed(words), strict=True)]  # fmt: skip
    if not summed or not all(alone) or sorted(result) != sorted("".join(alone)):
        return None
    if any(len(w) != len(summed) + len(a) for w, a in zip(words, alone, strict=True)):
        return None
    for k in (0, 1):
        if result == alone[k] + alone[1 - k]:
            places = [[words[j].index(c) for c in summed] for j in (k, 1 - k)]
            single = len(summed) == 1
            return k, str((places[0][0], places[1][0])) if single else f"({places[0]}, {places[1]})"
    return 0, ""
