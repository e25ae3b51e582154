"""Try every formula of cases.py and print what fails.

    python tests/accuracy/run.py [--accurate] [--dtype float32] [--only TEXT] [--all] [--update]

Per text: every kind of failure with how often it happens and where first: the form it was run in
(scalar: Python floats; else arrays of that dtype), the point, what came out and what is true.
"""

import argparse
import sys
from collections import Counter

import judge
from cases import CASES


def arguments() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--accurate", action="store_true", help="compile with accurate=True")
    parser.add_argument("--dtype", default="", choices=["", *judge.FORMS], help="one form only")
    parser.add_argument("--only", default="", help="only texts that contain this")
    parser.add_argument("--all", action="store_true", help="every failure, not the first of a kind")
    parser.add_argument("--update", action="store_true", help="store truths that take long")
    return parser


def report(failures: list[judge.Failure], everything: bool) -> None:
    """Print what failed in one text."""
    print(failures[0].text)
    counts = Counter(f.kind for f in failures)
    shown: set[str] = set()
    for failure in failures:
        if everything or failure.kind not in shown:
            times = "" if everything else f"{counts[failure.kind]} x "
            print(f"    {times}{failure}", flush=True)
        shown.add(failure.kind)


def main() -> int:
    """Run the table; the exit status says whether anything failed."""
    parser = arguments()
    given = parser.parse_args()
    if given.accurate and not judge.ACCURATE:
        parser.error("sg.compile knows no accurate=")
    kinds: Counter[str] = Counter()
    texts = 0
    chosen = [case for case in CASES if given.only in case.text]
    for case in chosen:
        failures = list(judge.run(case, given.accurate, given.dtype))
        if failures:
            report(failures, given.all)
            texts += 1
            kinds.update(f.kind for f in failures)
    if given.update and not given.only:
        judge.save()
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    print(f"{texts} of {len(chosen)} texts fail: {listed or 'nothing'}")
    return 1 if texts else 0


if __name__ == "__main__":
    sys.exit(main())
