"""The modules on which mutation testing has a bar, and the tests that are for each module."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORDS = "tests/mutants/test_wording.py"
SEEN = [WORDS, "tests/mutants/test_recognition.py", "tests/rewrite/test_recognise.py"]
SIZED = [WORDS, "tests/mutants/test_shapes.py", "tests/test_dims.py"]
FORMS = ["tests/mutants/test_simplify.py", "tests/mutants/test_spelled.py"]
DRAWN = ["tests/mutants/test_pictures.py", "tests/mutants/test_escaping.py"]
PAGES = ["tests/mutants/test_documents.py"]
SAFE = [WORDS, "tests/mutants/test_safety.py", "tests/codegen/test_library.py"]
# By group; after each module the tests that are run besides the examples in its docstrings.
RULES = {
    "rewrite/rules": [*SEEN, "symgrad/rewrite"],
    "rewrite/match": [*SEEN, "symgrad/rewrite"],
    "rewrite/simplify": [*FORMS, *SEEN, "symgrad/rewrite"],
    "autodiff/backprop": ["tests/mutants/test_gradients.py"],
    "autodiff/sweep": ["tests/mutants/test_gradients.py", "tests/mutants/test_adjoints.py"],
}
RECOGNITION = {
    "rewrite/recognise": [*SEEN, "tests/mutants/test_found.py", "symgrad/rewrite"],
    "rewrite/standardised": [*SEEN, "tests/mutants/test_found.py", "symgrad/rewrite"],
    "rewrite/factors": [*SEEN, *FORMS, "tests/test_forms.py", "symgrad/rewrite"],
    "rewrite/canonical": [*SEEN, "symgrad/rewrite"],
    "rewrite/forms": [*SEEN, *FORMS, "tests/test_forms.py", "symgrad/rewrite"],
}
SHAPE = {
    "shapes": SIZED,
    "dims": SIZED,
    "parse/shaping": ["tests/mutants/test_gradients.py"],
    "parse/sizes": [WORDS, "tests/mutants/test_sizes.py", "tests/parse/test_text.py"],
}
ESCAPING = {
    "parse/characters": ["tests/mutants/test_characters.py", "tests/parse/test_errors.py"],
    "codegen/safety": SAFE,
    "codegen/tokens": SAFE,
    "train/module/safety": SAFE,
    "formula/names": [
        "tests/mutants/test_names.py",
        "tests/mutants/test_escaping.py",
        "tests/formula/test_portable_names.py",
    ],
    "formula/html": ["tests/mutants/test_pages.py"],
    "diagram/export/svg": DRAWN,
    "diagram/export/dot": DRAWN,
    "diagram/export/tex": DRAWN,
    "diagram/export/html": [*PAGES, "tests/mutants/test_export_html.py"],
    "diagram/tikz/text": DRAWN,
    "diagram/page/document": PAGES,
    "diagram/page/section": PAGES,
}
BARRED = RULES | RECOGNITION | SHAPE | ESCAPING


def known(module: str) -> bool:
    """Say whether the package has a module, written as a path without its suffix."""
    return (ROOT / "symgrad" / f"{module}.py").is_file()


def tests_of(module: str) -> list[str]:
    """List where the tests of a module are; of one that has no entry, those of its folder."""
    own = [f"symgrad/{module}.py"]
    if module in BARRED:
        return [*(t for t in BARRED[module] if (ROOT / t).exists()), *own]
    folder = module.partition("/")[0]
    places = [f"tests/{folder}", f"tests/test_{folder}.py", "tests/mutants"]
    return [*(t for t in places if (ROOT / t).exists()), *own]
