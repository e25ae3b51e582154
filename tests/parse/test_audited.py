"""Nothing that is typed is run: what Python reports while texts are read is looked at."""

import subprocess
import sys
from pathlib import Path

import pytest

PAYLOADS = [
    "__import__('os').system('id')", "().__class__.__bases__[0].__subclasses__()", "eval('1')",
    "exec('x=1')", "open('/etc/passwd')", "getattr(x, 'T')", "globals()", "breakpoint()", "exit()",
    "x.T.__class__.__mro__", "exp.__globals__", "(1).__class__", "'{0.__class__}'.format(x)",
    "(lambda: open('planted', 'w'))()", "[c for c in ().__class__.__base__.__subclasses__()]",
    "f'{open(\"planted\", \"w\")}'", "sum(x, axis=__import__('os'))", "exp(x := eval('3'))",
    "mse(x, y, reduction='mean\"); import os; (\"')", "einsum('i,i->;import os', x, y)",
    "einsum(f'{eval(1)}', x)", "x: __import__('os').system('id')\nx", "x: eval('param')\nx",
    "x: param[(lambda: open('planted', 'w'))()]\nx", "@eval\ndef f(): pass", "x[eval('1'):]",
    "sum(x[i] for i in __import__('os'))", "L[__import__('os')] = x\nL", "reshape(x, eval('3'))",
    "phi: function\nphi(__import__('os'))", "eye(eval('3'))", "import os; os.system('id')",
    "del __builtins__", "print(open('planted', 'w'))", "x.__getattribute__('T')", "9**9**9",
    "type('X', (), {})", "super().__init__()", "exp(*__import__('os'))", "await eval('1')",
    "eval = 2*x\neval + exec", "os = x\nos + sys*open", "node*edge + graph", "system*popen",
]  # fmt: skip
SCRIPT = """
import ast, sys, warnings
sys.path.insert(0, sys.argv[1])
warnings.simplefilter("ignore")
import symgrad as sg
texts, seen, watching = eval(sys.stdin.read()), [], False

def watch(event, args):
    if not watching:
        return
    if event in ("exec", "compile"):
        name = getattr(args[0], "co_filename", None) if event == "exec" else args[1]
        name = name.decode() if isinstance(name, bytes) else str(name)
        code = args[0] if event == "compile" else None
        text = code.decode() if isinstance(code, bytes) else code
        if isinstance(code, ast.AST):  # a module that symgrad has made and checked
            text, name = ast.unparse(code), "<string>"
        reading = event == "compile" and name == "<unknown>"  # ast.parse
        written = name.startswith("<symgrad") or name == "<row>"  # generated, or a row of the table
        library = name.endswith(".py") or name.startswith("<frozen")
        if not (reading or written or library or name == "<string>" and not mentions(text)):
            seen.append((event, name, str(text)[:99]))
    elif event in ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "os.fork",
                   "socket.connect", "os.remove", "ctypes.dlopen"):
        seen.append((event, str(args)[:60]))
    elif event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        seen.append((event, str(args)[:60]))
    elif event == "open" and str(args[0]) in ("/etc/passwd", "planted"):
        seen.append((event, str(args)[:60]))

def mentions(text):
    words = ("planted", "os.system", "eval(", "__class__", "__mro__", "import os")
    return any(word in str(text) for word in words)

def verbs(text):
    yield lambda: sg.parse(text)
    yield lambda: sg.gradient(text)
    yield lambda: [f.steps() for f in sg.gradient(text).values()]
    yield lambda: sg.compile(text).source
    yield lambda: sg.diagram(text).to_svg()
    yield lambda: sg.check(text)
    yield lambda: sg.equal("x", text)
    yield lambda: sg.activation("fresh", text)
    yield lambda: sg.rule(text)
    yield lambda: sg.parse("phi: function; phi(x)", functions={"phi": text})
    yield lambda: sg.gradient("x*y", text)
    yield lambda: sg.parse("x", {text: (3,)})
    yield lambda: sg.backprop("x", {"x": text})
    yield lambda: sg.from_json(text)

for run in verbs("tanh(x*y)"):  # what is imported on first use
    try:
        run()
    except sg.SymgradError:
        pass
sys.addaudithook(watch)
watching = True
for text in texts:
    for run in verbs(text):
        try:
            run()
        except sg.SymgradError:
            pass
watching = False
print(seen)
"""


@pytest.mark.no_cover
def test_nothing_that_is_typed_is_run(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    run = subprocess.run([sys.executable, "-c", SCRIPT, root], input=repr(PAYLOADS), text=True,
                         cwd=tmp_path, capture_output=True, timeout=300, check=False)  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout.strip() == "[]", run.stdout
    assert not list(tmp_path.iterdir())
