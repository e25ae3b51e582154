"""The best NumPy that is known for some workloads, by hand: what style="fast" is measured by.

LIMITS maps a workload's name to build(**inputs), which returns a function of no arguments that
answers the value and the gradients. It may keep buffers and answer with the same arrays every time.
"""

from limits.linear import logreg, softmax, svm
from limits.networks import deep50, lecture2, tiny
from limits.vectors import elem, rosen, speel

LIMITS = {
    "lecture2": lecture2,
    "tiny": tiny,
    "softmax": softmax,
    "svm": svm,
    "deep50": deep50,
    "elem": elem,
    "logreg": logreg,
    "rosen": rosen,
    "speel": speel,
}

__all__ = ["LIMITS"]
