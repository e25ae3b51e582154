"""The Python blocks of README.md and docs/ run, and print what the text says.

The blocks of one file run in order and share their names, as somebody who reads along would type
them. A block with prompts (`>>>`) is a doctest. After any other block, a ```text block is what it
prints.
"""

import doctest
import io
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```[ ]*\n?", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> Iterator[tuple[int, str, str | None]]:
    """Yield (line, code, expected output or None) for each Python block of a page."""
    found = list(FENCE.finditer(page))
    for match, after in zip(found, [*found[1:], None], strict=True):
        if match[1] == "python":
            follows = after and after[1] == "text" and not page[match.end() : after.start()].strip()
            yield page.count("\n", 0, match.start(2)), match[2], after[2] if follows else None


def run_block(
    line: int, code: str, output: str | None, name: str, names: dict[str, object]
) -> None:
    """Run one block with the names of those before it; compare what it prints."""
    if ">>>" in code:
        test = doctest.DocTestParser().get_doctest(code, names, name, name, line)
        said = io.StringIO()
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        runner.run(test, out=said.write, clear_globs=False)
        names.update(test.globs)
        assert not runner.failures, said.getvalue()
        return
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile("\n" * line + code, name, "exec"), names)
    if output is not None:
        assert printed.getvalue().rstrip() == output.rstrip(), f"{name}, the block at line {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for line, code, output in blocks(page.read_text(encoding="utf-8")):
        run_block(line, code, output, page.name, names)


def test_blocks_are_found_with_their_output() -> None:
    page = (
        "a\n```sh\nls\n```\n```python\nprint(1)\n```\n\n```text\n1\n```\n```python\n>>> 2\n2\n```\n"
    )
    assert list(blocks(page)) == [(5, "print(1)\n", "1\n"), (12, ">>> 2\n2\n", None)]


def test_a_wrong_output_is_noticed() -> None:
    for code, output in (("print(1)\n", "2\n"), (">>> 1 + 1\n3\n", None)):
        with pytest.raises(AssertionError):
            run_block(0, code, output, "page", {})
