"""Write the pages of operators: python examples/make_operator_pages.py [FOLDER]

Writes FOLDER/operators.md, FOLDER/accuracy.md, FOLDER/operators/*.md and the pictures
FOLDER/pictures/operators/*.svg; FOLDER is docs if left out. Files that would not change are left
alone, and pictures and pages that nothing shows any more are removed. A test compares the texts
with what is committed.
"""

import sys
from pathlib import Path

from symgrad import opdocs
from symgrad.plots import FIGURES, plot

DOCS = Path(__file__).parents[1] / "docs"


def texts() -> dict[str, str]:
    """Write all pages: relative file name -> Markdown."""
    pages = {f"operators/{name}": text for name, text in opdocs.pages().items()}
    return {"operators.md": opdocs.table(), "accuracy.md": opdocs.accuracy(), **pages}


def pictured() -> list[str]:
    """List what has a picture: operators of one variable, and the figures by name."""
    return [row.name for row in opdocs.shown() if opdocs.pictured(row)] + list(FIGURES)


def pictures() -> dict[str, str]:
    """Draw all pictures: relative file name -> SVG."""
    return {f"pictures/operators/{name}.svg": plot(name).to_svg() for name in pictured()}


def write(folder: Path, name: str, text: str) -> None:
    """Write a file if that changes it."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_bytes() != text.encode():
        path.write_text(text, encoding="utf-8", newline="\n")
        print(path)


def main(folder: Path) -> None:
    """Write all files into a folder, and remove those that are left over."""
    files = texts() | pictures()
    for name, text in files.items():
        write(folder, name, text)
    for below, suffix in (("operators", "md"), ("pictures/operators", "svg")):
        for path in (folder / below).glob(f"*.{suffix}"):
            if f"{below}/{path.name}" not in files:
                path.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS)
