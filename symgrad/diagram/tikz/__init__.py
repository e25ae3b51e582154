"""TikZ: scenes as LaTeX source, whose text no reader's name can turn into commands."""
