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
        return "... stands once in a group of letters at most"
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


def roles(a: str, b: str, kept: str) -> tuple[str, str, str, str]:
    """Sort the letters of two operands: kept in both, kept in each alone, and summed in both.

    >>> roles("bij", "bjk", "bik")
    ('b', 'i', 'k', 'j')
    """
    both, summed = ("".join(c for c in a if c in b and (c in kept) is k) for k in (True, False))
    left, right = (
        "".join(c for c in w if c in kept and c not in other) for w, other in ((a, b), (b, a))
    )
    return both, left, right, summed


def as_matrices(words: list[str], result: str) -> tuple[int, str] | None:
    """Say of a sum of products of two arrays which is the left matrix, and which axes are summed.

    "" for the axes where those of the result are in another order; None for no such product.

    A vector is one where its axes are neighbours in the other array, which is then not copied.

    >>> as_matrices(["nd", "edh"], "neh"), as_matrices(["nd", "nd"], "n")
    ((0, '(1, 1)'), None)
    >>> as_matrices(["nt", "ntd"], "d"), as_matrices(["nt", "ndt"], "d")
    ((0, '([0, 1], [0, 1])'), None)
    """
    both, *alone, summed = roles(words[0], words[1], result)
    if both or not summed or not any(alone):
        return None
    if not all(alone) and (len(summed) < 2 or not all(summed in w for w in words)):
        return None
    if any(len(w) != len(summed) + len(a) for w, a in zip(words, alone, strict=True)):
        return None
    for k in (0, 1):
        if result == alone[k] + alone[1 - k]:
            first, second = ([words[j].index(c) for c in summed] for j in (k, 1 - k))
            one = len(summed) == 1
            return k, f"({first[0]}, {second[0]})" if one else f"({first}, {second})"
    return 0, ""


def of_vectors(words: list[str], result: str) -> tuple[int, bool] | None:
    """Say of a stack of matrices times a vector each which operand is the stack, and on which side.

    None for other sums of products, and where axes had to be moved.

    >>> of_vectors(["nt", "ntd"], "nd"), of_vectors(["ntd", "nd"], "nt")
    ((1, False), (0, True))
    """
    for k in (0, 1):
        stack, vector = words[k], words[1 - k]
        if len(stack) < 3 or len(vector) != len(stack) - 1:
            continue
        if vector == stack[:-2] + stack[-1] and result == stack[:-1]:
            return k, True
        if vector == stack[:-1] and result == stack[:-2] + stack[-1]:
            return k, False
    return None
