"""What is measured: WORKLOADS, which the bars are about, and MORE, which are kept apart.

A new workload is a text, its inputs, its gradient by hand and its loss for the other libraries, in
one of these files, and its name in one of the two lines.
"""

from workloads.blocks import BLOCK
from workloads.cells import ATTENTION, CONV, GRU, RESIDUAL
from workloads.indices import BILINEAR, PAIRS
from workloads.likelihoods import AUTOENCODER, FACTORS, GAUSSIAN, POISSON
from workloads.linear import LOGREG, SOFTMAX, SVM
from workloads.networks import DEEP50, LECTURE2, MLP128, MLP1024, TINY
from workloads.normalized import BN, LAYERNORM
from workloads.points import SMOOTHER
from workloads.practice import ABILITIES, FOCAL, GROUPS, HUBER, MACHINE, PARTS, RADIAL
from workloads.scalars import NEURON, XYZ
from workloads.slices import LSTM, VARIATION
from workloads.structured import BRIER, FILTER, TENSOR
from workloads.vectors import ELEM, ROSEN, SPEEL
from workloads.workload import Workload, cast

WORKLOADS = (
    *(NEURON, XYZ, LECTURE2, TINY, SOFTMAX, SVM, MLP128),
    *(MLP1024, DEEP50, BN, ELEM, LOGREG, ROSEN, SPEEL),
)
MORE = (
    *(ATTENTION, RESIDUAL, AUTOENCODER, FACTORS, GAUSSIAN, POISSON, CONV, LAYERNORM, GRU),
    *(HUBER, RADIAL, MACHINE, ABILITIES, GROUPS, PARTS, FILTER, TENSOR, BRIER),
    *(BILINEAR, PAIRS, LSTM, VARIATION, SMOOTHER, FOCAL, BLOCK),
)
NAMED = {work.name: work for work in (*WORKLOADS, *MORE)}

__all__ = ["MORE", "NAMED", "WORKLOADS", "Workload", "cast"]
