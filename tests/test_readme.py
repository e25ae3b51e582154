"""The Python blocks of README.md and docs/ run, and print what the text says.

The blocks of one file run in order and share their names, as somebody who reads along would type
them. A block with prompts (`>>>`) is a doctest. After any other block, a ```text block is what it
prints. After a ```sh block of symgrad commands it is what these print, seen from the folder of the
project; a line [...] stands for any lines. `pytest --update` writes these text blocks anew, except
shortened ones.
"""

import doctest
import io
import re
import shlex
import warnings
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from symgrad.cli import main

pytestmark = pytest.mark.usefixtures("registries")  # a page may define operators and rules
ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```[ ]*\n?", re.MULTILINE | re.DOTALL)


def blocks(page: str, kind: str = "python") -> Iterator[tuple[int, str, str | None]]:
    """Yield (line, code, expected output or None) for each block of one kind of a page."""
    found = list(FENCE.finditer(page))
    for match, after in zip(found, [*found, None][1:], strict=True):
        if match[1] == kind:
            follows = after and after[1] == "text" and not page[match.end() : after.start()].strip()
            yield page.count("\n", 0, match.start(2)), match[2], after[2] if follows else None


def renewed(page: str, printed: Mapping[int, str]) -> str:
    """Put what blocks print, by their line, into the text blocks after them."""
    parts, end, fresh = [], 0, None
    for match in FENCE.finditer(page):
        if fresh is not None and match[1] == "text" and "[...]" not in match[2]:
            parts += [page[end : match.start(2)], fresh.rstrip() + "\n"]
            end = match.end(2)
        fresh = printed.get(page.count("\n", 0, match.start(2)))
    return "".join(parts) + page[end:]


def run_block(line: int, code: str, name: str, names: dict[str, object]) -> str:
    """Run one block with the names of those before it; return what it prints."""
    if ">>>" in code:
        test = doctest.DocTestParser().get_doctest(code, names, name, name, line)
        said = io.StringIO()
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        runner.run(test, out=said.write, clear_globs=False)
        names.update(test.globs)
        assert not runner.failures, said.getvalue()
        return ""
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile("\n" * line + code, name, "exec"), names)
    return printed.getvalue()


def compare(page: Path, outputs: Mapping[int, tuple[str, str]], update: bool) -> None:
    """Compare outputs (printed, expected) by line, or write the page anew."""
    if update:
        text = page.read_text(encoding="utf-8")
        fresh = renewed(text, {line: printed for line, (printed, _) in outputs.items()})
        page.write_text(fresh, encoding="utf-8", newline="\n")
        outputs = {k: v for k, v in outputs.items() if "[...]" in v[1]}
    for line, (printed, expected) in outputs.items():
        assert like(printed, expected), f"{page.name}, the block at line {line} prints\n{printed}"


def shell(commands: str) -> str:
    """Run symgrad commands in this process; return what they print."""
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed), warnings.catch_warnings():
        for words in map(shlex.split, commands.splitlines()):
            assert words[0] == ".venv/bin/symgrad"
            main(words[1:])
    return printed.getvalue()


def like(printed: str, expected: str) -> bool:
    """Compare outputs; a line [...] of the expected one stands for any lines."""
    pattern = re.escape(expected.rstrip() + "\n").replace(re.escape("[...]\n"), r"(?:.*\n)*")
    return re.fullmatch(pattern, printed.rstrip() + "\n") is not None


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_print_what_is_shown(
    page: Path, update: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("examples", "docs"):  # what a command writes goes beside them
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(tmp_path)
    shown = [b for b in blocks(page.read_text(encoding="utf-8"), "sh") if b[2] is not None]
    compare(page, {line: (shell(code), output or "") for line, code, output in shown}, update)


def test_a_shortened_output_is_compared_in_what_it_shows() -> None:
    assert like("a\nb\nc\nd\n", "a\n[...]\nd\n")
    assert not like("a\nb\nc\nd\n", "a\n[...]\nc\n")
    assert not like("a.c\n", "abc\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_blocks_run(
    page: Path, update: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    outputs: dict[int, tuple[str, str]] = {}
    for line, code, output in blocks(page.read_text(encoding="utf-8")):
        printed = run_block(line, code, page.name, names)
        if output is not None:
            outputs[line] = printed, output
    compare(page, outputs, update)


def test_blocks_are_found_with_their_output() -> None:
    page = (
        "a\n```sh\nls\n```\n```python\nprint(1)\n```\n\n```text\n1\n```\n```python\n>>> 2\n2\n```\n"
    )
    assert list(blocks(page)) == [(5, "print(1)\n", "1\n"), (12, ">>> 2\n2\n", None)]


def test_a_wrong_output_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        run_block(0, ">>> 1 + 1\n3\n", "page", {})
    with pytest.raises(AssertionError):
        compare(tmp_path / "page.md", {0: (run_block(0, "print(1)\n", "page", {}), "2\n")}, False)


def test_an_update_writes_outputs_anew_but_not_shortened_ones(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    text = "```python\nprint(1)\n```\n\n```text\n{}\n```\n```text\n[...]\n9\n```\n"
    page.write_text(text.format(2))
    compare(page, {1: ("1\n", "2\n")}, True)
    assert page.read_text() == text.format(1)
