"""The name of a file in place of a program is answered with how the file is read."""

from pathlib import Path

import pytest

import symgrad as sg

TAKERS = (
    sg.parse, sg.compile, sg.check, sg.gradient, sg.diagram,
    lambda source: sg.check(source, at={"x": [1.0, 2.0]}),
    lambda source: sg.train(source, {"x": [1.0]}),
    lambda source: sg.equal(source, "x"),
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("cox.sg", "model.txt", "b"):
        (tmp_path / name).write_text("x: param[N]; sum(x**2)", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("take", TAKERS)
def test_the_name_of_a_file_is_no_program(take: object, folder: Path) -> None:
    assert callable(take)
    names = ["cox.sg", str(folder / "cox.sg"), "no/such.sg", "C:\\a\\cox.sg", "model.txt",
             str(folder / "b"), "./b", Path("cox.sg"), folder / "cox.sg"]  # fmt: skip
    for name in names:
        with pytest.raises(sg.SymgradError, match="not by the name of a file") as caught:
            take(name)
        assert f"pathlib.Path({str(name)!r}).read_text()" in str(caught.value)


@pytest.mark.parametrize(
    "take",
    (
        lambda path: sg.plot([path, "x"]),
        lambda path: sg.landscape(path, {"x": 1.0}),
        lambda path: sg.equal("x", path),
        lambda path: sg.Estimator(path).fit([[1.0]], [1.0]),
    ),
)
def test_a_path_is_read_first(take: object) -> None:
    assert callable(take)
    with pytest.raises(sg.SymgradError, match="text") as caught:
        take(Path("cox.sg"))
    assert "pathlib.Path('cox.sg').read_text()" in str(caught.value)


@pytest.mark.usefixtures("folder")
def test_programs_are_read_beside_files_of_that_name() -> None:
    for text in ("b", "x  # as in cox.sg", ".5*x", "A: real[2, 2]; A.T", "a/b"):
        sg.parse(text)
    for text in ("x.grad", "/tmp", "~", "a" * 5000 + ".txt", "."):
        with pytest.raises(sg.SymgradError) as caught:
            sg.parse(text)
        assert "file" not in str(caught.value)
