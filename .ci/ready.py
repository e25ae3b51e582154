"""Exit with 0 if this environment holds everything that `symgrad[all]` needs.

The README's test command asks this before it decides to set up `.venv`: a missing, a half-installed
and an outdated environment all answer 1.
"""

import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement


def missing(texts: list[str]) -> list[str]:
    """Return the requirements, direct or indirect, that are not installed."""
    lacking = []
    todo = [(Requirement(text), ("",)) for text in texts]
    seen = set()
    while todo:
        requirement, extras = todo.pop()
        marker = requirement.marker
        if marker and not any(marker.evaluate({"extra": extra}) for extra in extras):
            continue
        key = (requirement.name, *sorted(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            distribution = metadata.distribution(requirement.name)
        except metadata.PackageNotFoundError:
            lacking.append(str(requirement))
            continue
        if not requirement.specifier.contains(distribution.version, prereleases=True):
            lacking.append(str(requirement))
        wanted = ("", *sorted(requirement.extras))
        todo += [(Requirement(text), wanted) for text in distribution.requires or ()]
    return lacking


def main() -> int:
    """Print what is missing; return the exit status."""
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    extras = project["optional-dependencies"]
    pending, texts = ["all"], [project["name"], *project["dependencies"]]
    for extra in pending:
        for requirement in map(Requirement, extras[extra]):
            if requirement.name == project["name"]:
                pending += sorted(requirement.extras)
            else:
                texts.append(str(requirement))
    lacking = missing(texts)
    for requirement in lacking:
        print(f"missing: {requirement}")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
