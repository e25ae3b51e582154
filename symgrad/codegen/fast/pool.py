"""Threads over tiles: the functions that a generated module carries if it is asked for threads.

A ufunc runs on one core and releases the interpreter's lock while it does, so the tiles of a chain
can be shared among threads. Each thread has a lane, buffers of its own, and takes a run of
neighbouring tiles; sums of tiles go into rows of an array, which are added in the order of the
tiles. So the result has the same bits with any number of threads. BLAS is kept on one thread
meanwhile: its own threads would wait for work on the cores that the tiles need.
"""

from typing import Any

from symgrad.codegen import blas, safety
from symgrad.codegen.fast import scalar_parts
from symgrad.errors import UsageError, missing_extra

IMPORTS = ("concurrent.futures", "contextvars", "os", "threading", "threadpoolctl")
MOST = 256  # threads
LONG = 200_000  # characters of a module that is compiled at once
BEFORE = "\n\n\ndef "

TEXT = '''
WORKERS = {}  # by process: threads do not survive a fork


def workers(threads):
    """Give this process's threads, and what it knows about BLAS; made on first use."""
    here = os.getpid()
    if (here, threads) not in WORKERS:
        made = concurrent.futures.ThreadPoolExecutor(threads - 1, "tiles")
        WORKERS.setdefault((here, threads), made)
    if here not in WORKERS:
        made = {"lock": threading.Lock(), "running": [], "limit": []}
        made["libraries"] = threadpoolctl.ThreadpoolController()  # looks for them: 0.4 ms
        WORKERS.setdefault(here, made)
    return WORKERS[(here, threads)], WORKERS[here]


def one_blas_thread(blas):
    """Keep BLAS on one thread; the first of several calls at a time sees to it."""
    with blas["lock"]:
        if not blas["running"]:
            blas["limit"].append(blas["libraries"].limit(limits=1, user_api="blas"))
        blas["running"].append(True)


def more_blas_threads(blas):
    """Give BLAS its threads back; the last of several calls at a time does."""
    with blas["lock"]:
        blas["running"].pop()
        if not blas["running"]:
            blas["limit"].pop().restore_original_limits()


def run_tiles(body, lanes, count):
    """Call body(lane, k) for all tiles k < count: a lane is a thread's buffers, the first here."""
    threads = max(min(len(lanes), count), 1)

    def share(j):
        lane = lanes[j]
        for k in range(count * j // threads, count * (j + 1) // threads):
            body(lane, k)

    if threads == 1:
        share(0)
        return
    pool, blas = workers(threads)
    one_blas_thread(blas)
    shares = []
    try:
        for j in range(1, threads):  # in copies of this context: np.errstate holds there too
            shares.append(pool.submit(contextvars.copy_context().run, share, j))
        share(0)
    finally:
        concurrent.futures.wait(shares)  # nobody writes into the buffers after this
        more_blas_threads(blas)
    for done in shares:
        done.result()  # raises what body has raised there
'''

LANES = '''
def lanes(threads, steps, sums, n, width, live, itemsize, *kinds):
    """Cut n rows into tiles, with buffers for each thread; for one only, if little is to be shared.

    Each row goes through `steps` operations. A tile has `sums` entries of sums, which are kept
    until all tiles are done, so they must be few.
    """
    cut = tiles(n, width, live, itemsize, *kinds)
    if n * width * steps < 10 * THREADED or 10 * sums * len(cut) > n * width * live:
        threads = 1
    more = range(1, min(threads, len(cut)))
    return [cut, *[tiles(n, width, live, itemsize, *kinds) for _ in more]]
'''
PARTS = '''
def parts(lanes, shape, dtype):
    """Make a row for the sums of each tile; for one lane a single row, to which it adds."""
    return np.zeros((len(lanes[0]) if len(lanes) > 1 else 1, *shape), dtype)
'''
ADDED = '''
def added(parts):
    """Add the sums of the tiles in their order, as one thread does."""
    total = parts[0].copy()
    for part in parts[1:]:
        total += part
    return total
'''
TEXTS = {"lanes": LANES, "parts": PARTS, "added": ADDED, "run_tiles": TEXT}

HEAD = "".join(f"import {name}\n" for name in IMPORTS)
STUB = "\ndef run_tiles(body, lanes, count):\n    return\n"
WORKERS: dict[Any, Any] = {}  # of all functions compiled in this process, see `shared`


def without(source: str) -> str:
    """Give a module's text without HEAD and TEXT, which are known, to check what is left.

    >>> "threading" in without(f"{HEAD}{TEXT}")
    False
    """
    return source.replace(HEAD, "").replace(TEXT, STUB)


def executed(source: str) -> dict[str, Any]:
    r"""Check and execute a generated module; give its names.

    >>> executed("import math\ntau = 2*math.pi\n")["tau"] > 6
    True
    """
    from symgrad.codegen.fast.texts import known  # which carries the functions of this module

    space: dict[str, Any] = {}
    source, functions = known(source)
    text = safety.check(scalar_parts.without(blas.without(without(source))))
    if TEXT in source:
        checked(2)
    if TEXT in source or blas.STUB in blas.without(source) or scalar_parts.carried(source):
        text = source
    for part in pieces(text) if isinstance(text, str) else [text]:
        exec(compile(part, "<symgrad>", "exec"), space)  # generated; imports and calls from a list
    for code in functions:
        exec(code, space)
    shared(space)
    return space


def pieces(source: str) -> list[str]:
    """Cut a long module before its functions: in pieces it is compiled with much less memory.

    >>> module = "import math" + (BEFORE + "f(x):" + " " * 50 + "return x") * 5000
    >>> len(pieces("import math")), len(pieces(module))
    (1, 5001)
    """
    if len(source) < LONG:
        return [source]
    found = source.split(BEFORE)
    cut = [found[0], *(BEFORE + text for text in found[1:])]
    return cut if all(text.count('"""') % 2 == 0 for text in cut) else [source]


def checked(threads: int) -> int:
    """Return the number of threads if it can be had; UsageError if not.

    >>> checked(2)
    2
    """
    if type(threads) is not int or not 1 <= threads <= MOST:
        raise UsageError(f"threads={threads!r} is not a number of threads",
                         hint=f"1 (none beside the caller's) to {MOST}")  # fmt: skip
    if threads > 1:
        try:
            import threadpoolctl  # noqa: F401
        except ImportError:
            raise missing_extra("threads need threadpoolctl", "threads") from None
    return threads


def shared(space: dict[str, Any]) -> None:
    """Let an executed module use the threads of all compiled functions instead of its own.

    One pool serves them all, and the last of all calls that run gives BLAS its threads back.
    """
    if "WORKERS" in space:
        space["WORKERS"] = WORKERS
