"""What the script calls on arrays: an array is {s: shape, d: entries, row by row}.

A number stands for an array without axes, so that scalar parts of a program stay plain.
"""

ARRAYS: dict[str, str] = {
    "count": "const count = (s) => s.reduce((a, b) => a * b, 1);",
    "shapeOf": 'const shapeOf = (x) => (typeof x === "number" ? [] : x.s);',
    "flat": 'const flat = (x) => (typeof x === "number" ? [x] : x.d);',
    "made": "const made = (s, d) => (s.length ? { s, d } : d[0]);",
    "shaped": "const shaped = (x, s) => made(s, flat(x));",
    "total": "const total = (row) => row.reduce((a, b) => a + b, 0);",
    "largest": "const largest = (row) => row.reduce((a, b) => Math.max(a, b), -Infinity);",
    "product": "const product = (row) => row.reduce((a, b) => a * b, 1);",
    "counted": "const counted = (n) => ({ s: [n], d: Array.from({ length: n }, (_, k) => k) });",
    "strides": """\
function strides(s) {
  const steps = Array(s.length).fill(1);
  for (let k = s.length - 2; k >= 0; k--) steps[k] = steps[k + 1] * s[k + 1];
  return steps;
}""",
    # Where the entries of a view lie, row by row.
    "offsets": """\
function offsets(s, steps) {
  let found = [0];
  s.forEach((n, k) => {
    found = found.flatMap((p) => Array.from({ length: n }, (_, i) => p + i * steps[k]));
  });
  return found;
}""",
    "joined": """\
function joined(shapes) {
  const rank = Math.max(0, ...shapes.map((s) => s.length)), found = Array(rank).fill(1);
  for (const s of shapes) s.forEach((n, k) => { if (n !== 1) found[rank - s.length + k] = n; });
  return found;
}""",
    # The entries of x, repeated as broadcasting repeats them.
    "repeated": """\
function repeated(x, s) {
  if (typeof x === "number") return Array(count(s)).fill(x);
  if (x.s.length === s.length && x.s.every((n, k) => n === s[k])) return x.d;
  const lead = s.length - x.s.length, own = strides(x.s);
  const steps = s.map((_, k) => (k < lead || x.s[k - lead] === 1 ? 0 : own[k - lead]));
  return offsets(s, steps).map((p) => x.d[p]);
}""",
    "fit": "const fit = (x, s) => made(s, repeated(x, s));",
    "each": """\
function each(f, ...xs) {
  const s = joined(xs.map(shapeOf)), columns = xs.map((x) => repeated(x, s));
  return made(s, Array.from({ length: count(s) }, (_, i) => f(...columns.map((c) => c[i]))));
}""",
    "turned": """\
function turned(x, axes) {
  const own = strides(x.s), s = axes.map((k) => x.s[k]);
  return made(s, offsets(s, axes.map((k) => own[k])).map((p) => x.d[p]));
}""",
    # Places of the entries that a reduction over axes puts together, a list for each result.
    "lines": """\
function lines(s, axes) {
  const own = strides(s), rest = s.map((_, k) => k).filter((k) => !axes.includes(k));
  const inner = offsets(axes.map((k) => s[k]), axes.map((k) => own[k]));
  const outer = offsets(rest.map((k) => s[k]), rest.map((k) => own[k]));
  return outer.map((p) => inner.map((q) => p + q));
}""",
    "fold": """\
function fold(f, x, axes, kept) {
  if (typeof x === "number") return f([x]);
  const s = x.s.map((n, k) => (axes.includes(k) ? 1 : n));
  const found = lines(x.s, axes).map((line) => f(line.map((p) => x.d[p])));
  return made(kept ? s : s.filter((_, k) => !axes.includes(k)), found);
}""",
    "along": """\
function along(f, x, axes) {
  if (typeof x === "number") return f([x])[0];
  const d = Array(x.d.length);
  for (const line of lines(x.s, axes)) {
    f(line.map((p) => x.d[p])).forEach((value, k) => { d[line[k]] = value; });
  }
  return { s: x.s, d };
}""",
    "softmax": """\
function softmax(row) {
  const top = largest(row), e = row.map((x) => Math.exp(x - top)), sum = total(e);
  return e.map((x) => x / sum);
}""",
    "logsumexp": """\
function logsumexp(row) {
  const top = largest(row);
  if (Math.abs(top) === Infinity) return top;
  return Math.log(total(row.map((x) => Math.exp(x - top)))) + top;
}""",
    "logSoftmax": """\
function logSoftmax(row) {
  const top = largest(row), sum = Math.log(total(row.map((x) => Math.exp(x - top))));
  return row.map((x) => x - top - sum);
}""",
    "softmaxRest": """\
function softmaxRest(row) {
  const shares = softmax(row);
  return shares.map((_, k) => total(shares.filter((_, j) => j !== k)));
}""",
    "winner": """\
function winner(row) {
  const top = row.indexOf(largest(row));
  return row.map((_, k) => +(k === top));
}""",
    "others": "const others = (row) => row.map((_, k) => product(row.filter((_, j) => j !== k)));",
    "running": """\
function running(row) {
  let sum = 0;
  return row.map((x) => (sum += x));
}""",
    # Products summed over the letters that the result does not have.
    "contract": """\
function contract(words, result, ...xs) {
  const sizes = {}, kept = [...result];
  words.forEach((word, j) => [...word].forEach((c, k) => {
    if (!(sizes[c] > 1)) sizes[c] = xs[j].s[k];
  }));
  const summed = Object.keys(sizes).filter((c) => !kept.includes(c));
  const places = (letters) => xs.map((x, j) => {
    const own = strides(shapeOf(x));
    const step = (c) => [...words[j]].reduce(
      (a, l, k) => a + (l === c && x.s[k] !== 1 ? own[k] : 0), 0);
    return offsets(letters.map((c) => sizes[c]), letters.map(step));
  });
  const outer = places(kept), inner = places(summed), terms = count(summed.map((c) => sizes[c]));
  const d = Array.from({ length: count(kept.map((c) => sizes[c])) }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < terms; k++) {
      sum += xs.reduce((a, x, j) => a * flat(x)[outer[j][i] + inner[j][k]], 1);
    }
    return sum;
  });
  return made(kept.map((c) => sizes[c]), d);
}""",
    # An index picks a place, or is a slice [start, stop, step] as in Python.
    "chosen": """\
function chosen(entry, n) {
  if (typeof entry === "number") return [entry < 0 ? entry + n : entry];
  const [start, stop, step] = entry, up = step > 0, found = [];
  const end = (k, low, high) => Math.min(Math.max(k < 0 ? k + n : k, low), high);
  const first = start === null ? (up ? 0 : n - 1) : end(start, up ? 0 : -1, up ? n : n - 1);
  const last = stop === null ? (up ? n : -1) : end(stop, up ? 0 : -1, up ? n : n - 1);
  for (let k = first; up ? k < last : k > last; k += step) found.push(k);
  return found;
}""",
    "spots": """\
function spots(s, key) {
  const own = strides(s), shape = [];
  let found = [0];
  key.forEach((entry, k) => {
    const here = chosen(entry, s[k]);
    if (typeof entry !== "number") shape.push(here.length);
    found = found.flatMap((p) => here.map((i) => p + i * own[k]));
  });
  return [shape, found];
}""",
    "cut": """\
function cut(x, key) {
  const [s, found] = spots(x.s, key);
  return made(s, found.map((p) => x.d[p]));
}""",
    "uncut": """\
function uncut(x, key, s) {
  const d = Array(count(s)).fill(0), entries = flat(x);
  spots(s, key)[1].forEach((p, k) => { d[p] = entries[k]; });
  return made(s, d);
}""",
    "behind": """\
function behind(axis, ...xs) {
  const s = [...xs[0].s], d = [];
  s[axis] = total(xs.map((x) => x.s[axis]));
  for (let k = 0; k < count(s.slice(0, axis)); k++) {
    for (const x of xs) {
      const n = count(x.s.slice(axis));
      d.push(...x.d.slice(k * n, (k + 1) * n));
    }
  }
  return made(s, d);
}""",
    "stacked": """\
function stacked(axis, ...xs) {
  const s = [...shapeOf(xs[0])];
  s.splice(axis, 0, 1);
  return behind(axis, ...xs.map((x) => shaped(x, s)));
}""",
    "take": """\
function take(x, k, axis) {
  const n = x.s[axis], after = x.s.slice(axis + 1), step = count(after), d = [];
  for (let i = 0; i < count(x.s.slice(0, axis)); i++) {
    for (const j of flat(k)) {
      const start = (i * n + (j < 0 ? j + n : j)) * step;
      d.push(...x.d.slice(start, start + step));
    }
  }
  return made([...x.s.slice(0, axis), ...shapeOf(k), ...after], d);
}""",
    "scatter": """\
function scatter(x, k, axis, n) {
  const own = shapeOf(x), after = own.slice(axis + shapeOf(k).length), step = count(after);
  const s = [...own.slice(0, axis), n, ...after], d = Array(count(s)).fill(0), entries = flat(x);
  let next = 0;
  for (let i = 0; i < count(own.slice(0, axis)); i++) {
    for (const j of flat(k)) {
      for (let m = 0; m < step; m++) d[(i * n + (j < 0 ? j + n : j)) * step + m] += entries[next++];
    }
  }
  return made(s, d);
}""",
    "pick": """\
function pick(x, k) {
  const classes = x.s[x.s.length - 1], s = joined([x.s.slice(0, -1), shapeOf(k)]);
  const entries = repeated(x, [...s, classes]);
  const at = (j) => (j < 0 ? j + classes : j);
  return made(s, repeated(k, s).map((j, i) => entries[i * classes + at(j)]));
}""",
    "onehot": """\
function onehot(k, n) {
  const d = flat(k).flatMap((j) => Array.from({ length: n }, (_, i) => +(i === j)));
  return { s: [...shapeOf(k), n], d };
}""",
    "unit": """\
function unit(n) {
  return { s: [n, n], d: Array.from({ length: n * n }, (_, k) => +(k % (n + 1) === 0)) };
}""",
    "diagonal": "const diagonal = (x) => each((a, b) => (b ? a : 0), x, unit(x.s[0]));",
    # Steps from one entry of windows to the next, where those of x are own.
    "slid": """\
function slid(own, axis, step, gap) {
  return [...own.map((p, k) => (k === axis ? p * step : p)), own[axis] * gap];
}""",
    "windows": """\
function windows(x, width, axis, step, gap) {
  const rows = Math.floor((x.s[axis] - gap * (width - 1) - 1) / step) + 1;
  const s = [...x.s.slice(0, axis), rows, ...x.s.slice(axis + 1), width];
  return made(s, offsets(s, slid(strides(x.s), axis, step, gap)).map((p) => x.d[p]));
}""",
    "overlapped": """\
function overlapped(x, n, axis, step, gap) {
  const s = [...x.s.slice(0, axis), n, ...x.s.slice(axis + 1, -1)], d = Array(count(s)).fill(0);
  offsets(x.s, slid(strides(s), axis, step, gap)).forEach((p, i) => { d[p] += x.d[i]; });
  return made(s, d);
}""",
    "correlate": """\
function correlate(a, b) {
  const n = a.s[0] - b.s[0] + 1;
  const d = Array.from({ length: n }, (_, i) => total(b.d.map((x, j) => x * a.d[i + j])));
  return { s: [n], d };
}""",
    "convolve": """\
function convolve(a, b, mode) {
  const n = a.s[0], k = b.s[0], d = Array(n + k - 1).fill(0), less = Math.min(n, k) - 1;
  a.d.forEach((x, i) => b.d.forEach((y, j) => { d[i + j] += x * y; }));
  const start = mode === "full" ? 0 : mode === "same" ? Math.floor(less / 2) : less;
  const m = mode === "full" ? n + k - 1 : Math.max(n, k) - (mode === "same" ? 0 : less);
  return { s: [m], d: d.slice(start, start + m) };
}""",
    # What flows back along an edge: 0 where nothing comes in or nothing is let through.
    "passed": """\
function passed(d, g, like) {
  const s = shapeOf(like), share = fit(d(g), s), found = flat(share), above = flat(g);
  const same = String(shapeOf(g)) === String(s);
  if (!found.some(isNaN) || !same || above.some(isNaN)) return share;
  const alone = flat(fit(d(fit(1, s)), s));
  return made(s, found.map((x, k) => (isNaN(x) && (above[k] === 0 || alone[k] === 0) ? 0 : x)));
}""",
}
