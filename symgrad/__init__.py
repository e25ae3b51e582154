"""symgrad: write the mathematics once; get the picture, the proof and the program.

>>> import symgrad as sg
>>> sg.gradient("(x + y)*z")["x"].unicode()
'z'
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# name -> the module that has it; imported on first use, so that `import symgrad` costs nothing
_HOME = {
    "parse": "api",
    "gradient": "api",
    "jacobian": "api",
    "hessian": "api",
    "jvp": "api",
    "hvp": "api",
    "backprop": "api",
    "diagram": "api",
    "compile": "api",
    "check": "api",
    "equal": "api",
    "activation": "definitions",
    "loss": "definitions",
    "rule": "definitions",
    "optimizer": "definitions",
    "train": "api",
    "report": "reporting",
    "Estimator": "train.estimator",
    "from_json": "ops.exchange",
    "from_graphml": "ops.exchange",
    "Graph": "graph",
    "Node": "graph",
    "Formula": "formula",
    "Notation": "formula",
    "Equality": "formula.equality",
    "Step": "formula",
    "Backprop": "autodiff",
    "Compiled": "codegen",
    "Diagram": "diagram",
    "Theme": "diagram",
    "theme": "diagram",
    "plot": "plots",
    "landscape": "plots",
    "boundary": "plots",
    "Picture": "plots",
    "SymgradError": "errors",
    "SymgradWarning": "errors",
    "ParseError": "errors",
    "ShapeError": "errors",
    "NameClashError": "errors",
    "NotDifferentiableError": "errors",
    "LimitError": "errors",
    "DataError": "errors",
    "DivergenceError": "errors",
    "UsageError": "errors",
    "EngineError": "errors",
}
__all__ = [*_HOME, "__version__"]

if TYPE_CHECKING:
    from symgrad.api import backprop as backprop
    from symgrad.api import check as check
    from symgrad.api import compile as compile
    from symgrad.api import diagram as diagram
    from symgrad.api import equal as equal
    from symgrad.api import gradient as gradient
    from symgrad.api import hessian as hessian
    from symgrad.api import hvp as hvp
    from symgrad.api import jacobian as jacobian
    from symgrad.api import jvp as jvp
    from symgrad.api import parse as parse
    from symgrad.api import train as train
    from symgrad.autodiff import Backprop as Backprop
    from symgrad.codegen import Compiled as Compiled
    from symgrad.definitions import activation as activation
    from symgrad.definitions import loss as loss
    from symgrad.definitions import optimizer as optimizer
    from symgrad.definitions import rule as rule
    from symgrad.diagram import Diagram as Diagram
    from symgrad.diagram import Theme as Theme
    from symgrad.diagram import theme as theme
    from symgrad.errors import DataError as DataError
    from symgrad.errors import DivergenceError as DivergenceError
    from symgrad.errors import EngineError as EngineError
    from symgrad.errors import LimitError as LimitError
    from symgrad.errors import NameClashError as NameClashError
    from symgrad.errors import NotDifferentiableError as NotDifferentiableError
    from symgrad.errors import ParseError as ParseError
    from symgrad.errors import ShapeError as ShapeError
    from symgrad.errors import SymgradError as SymgradError
    from symgrad.errors import SymgradWarning as SymgradWarning
    from symgrad.errors import UsageError as UsageError
    from symgrad.formula import Formula as Formula
    from symgrad.formula import Notation as Notation
    from symgrad.formula import Step as Step
    from symgrad.formula.equality import Equality as Equality
    from symgrad.graph import Graph as Graph
    from symgrad.graph import Node as Node
    from symgrad.ops.exchange import from_graphml as from_graphml
    from symgrad.ops.exchange import from_json as from_json
    from symgrad.plots import Picture as Picture
    from symgrad.plots import boundary as boundary
    from symgrad.plots import landscape as landscape
    from symgrad.plots import plot as plot
    from symgrad.reporting import report as report
    from symgrad.train.estimator import Estimator as Estimator


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'symgrad' has no attribute '{name}'")
    value = getattr(import_module(f"symgrad.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """Keep the verbs `parse` and `diagram` from being replaced by the packages of these names."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
