// -- matrices: cells painted as the figure paints them -----------------------------------------

const paint = page.cells;
const WRONG = paint.steps + 1;

function drawn(name, attributes) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

// Round half to even, as NumPy does.
function rounded(x) {
  const r = Math.round(x);
  return (Math.abs(x % 1) === 0.5 && r % 2 ? r - 1 : r) + 0;
}

const finite = (d) => d.filter(Number.isFinite);
const peak = (d) => finite(d).reduce((a, x) => Math.max(a, Math.abs(x)), 0);
const level = (x, top) => (Number.isFinite(x) ? rounded((paint.steps * x) / (top || 1)) : WRONG);
const fillOf = (n) => (n === WRONG ? paint.warning : paint.fills[n + paint.steps]);

// Say whether entries differ so much that each needs its own power of ten.
function wide(d) {
  const top = peak(d), sizes = finite(d).map(Math.abs).filter((x) => x && x >= top * 1e-15);
  return sizes.length > 0 && Math.min(...sizes) < top / 1e6;
}

function power(d) {
  const top = peak(d), small = top < 5 * 10 ** -page.decimals;
  if (!top || wide(d) || !(page.scientific || small || top >= 1e5)) return 0;
  return Math.max(-300, Math.floor(Math.log10(top)));
}

// What stands in an array now: entries row by row; undefined where there is none.
function entriesOf(result, key) {
  const found = (result[key[0]] || {})[key.slice(1)];
  return found === undefined ? undefined : typeof found === "number" ? [found] : found.d;
}

function unitsOf(result, id, values) {
  const rule = id === undefined ? undefined : page.units[id];
  const slopes = rule && entriesOf(result, "s" + rule[1]);
  if (!slopes) return {};
  if (rule[0] === "saturated") {
    const saturated = slopes.map((x) => Math.abs(x) < paint.saturated);
    return saturated.some(Boolean) ? { saturated } : {};
  }
  const off = slopes.map((x) => !x);
  if (!off.some(Boolean) || values.some((x, k) => off[k] && x !== 0)) return {};
  const s = result.v[id].s;
  if (s.length !== 2 || s[0] < 2) return { off };
  const columns = Array.from({ length: s[1] }, (_, c) => off.every((x, k) => k % s[1] !== c || x));
  return columns.some(Boolean) ? { off, dead: off.map((_, k) => columns[k % s[1]]) } : { off };
}

function path(commands, stroke, width) {
  const attributes = { d: commands, fill: "none", stroke, "stroke-width": width };
  return commands ? [drawn("path", attributes)] : [];
}

// A box of cells: `at` gives the upper left corner of one, `w` and `h` its size.
function grid(block) {
  const w = block.w / block.columns, h = block.h / block.rows, places = [];
  for (let k = 0; k < block.rows * block.columns; k++) {
    places.push([block.x + (k % block.columns) * w, block.y + Math.floor(k / block.columns) * h]);
  }
  return { w, h, places };
}

function rasters(cells, block, fills) {
  const { w, h, places } = cells, found = {};
  fills.forEach((fill, k) => {
    const before = k % block.columns ? fills[k - 1] : null;
    if (fill === before) {
      const runs = found[fill];
      runs[runs.length - 1][1] += w;
    } else (found[fill] = found[fill] || []).push([places[k], w]);
  });
  return Object.entries(found).map(([fill, runs]) => drawn("path", {
    class: "cell", fill,
    d: runs.map(([[x, y], width]) =>
      `M${x.toFixed(2)} ${y.toFixed(2)}h${(width + 0.4).toFixed(2)}v${(h + 0.4).toFixed(2)}h${(-width - 0.4).toFixed(2)}z`).join(""),
  }));
}

function hatched(left, top, right, bottom) {
  let commands = "";
  for (let k = 1; k <= Math.floor((right - left + bottom - top) / 6); k++) {
    const s = left + top + k * 6, x1 = Math.max(left, s - bottom), x2 = Math.min(right, s - top);
    if (x2 - x1 > 0.5) commands += `M${x1.toFixed(2)} ${(s - x1).toFixed(2)}L${x2.toFixed(2)} ${(s - x2).toFixed(2)}`;
  }
  return commands;
}

function marked(cells, block, units) {
  const { w, h, places } = cells, found = [];
  const { off = [], dead = [], saturated = [] } = units;
  const inset = Math.min(4, w / 5);
  found.push(...path(places.map(([x, y], k) => {
    if (!off[k] || dead[k]) return "";
    const from = w < 34 ? x + inset : x + w - 8;
    return `M${from.toFixed(2)} ${(y + h - inset).toFixed(2)}L${(x + w - Math.min(inset, 2.5)).toFixed(2)} ${(y + inset).toFixed(2)}`;
  }).join(""), paint["off.line"], 1));
  let first = -1;
  for (let c = 0; c <= block.columns; c++) {
    if (c < block.columns && dead[c]) first = first < 0 ? c : first;
    else if (first >= 0) {
      found.push(...path(hatched(block.x + first * w, block.y, block.x + c * w, block.y + block.h), paint["dead.line"], 1));
      first = -1;
    }
  }
  const rings = places.map(([x, y], k) => (saturated[k]
    ? `M${x + 1.8} ${y + 1.8}h${w - 3.6}v${h - 3.6}h${3.6 - w}z` : "")).join("");
  return [...found, ...path(rings, paint.cell, 3), ...path(rings, paint["saturated.line"], 1.4)];
}

function entry(x, digits, whole, size, ink, place_) {
  const element = drawn("g", {
    class: "entry", fill: ink, stroke: ink, "stroke-width": (350 / size).toFixed(1),
  });
  const tokens = whole ? [...String(x)] : digits(x);
  const [left, right] = set(element, tokens);
  const [corner, w, h] = place_;
  const scale = Math.min(size / 1000, (w - 3) / (right - left));
  const x0 = corner[0] + (w - (right - left) * scale) / 2 - left * scale;
  element.setAttribute("transform", place(x0, corner[1] + (h + paint.digit * scale * 1000) / 2, scale));
  return element;
}

function printed(block, whole, part, units) {
  const cells = grid(block), { w, h, places } = cells;
  const own = power(whole), unit = block.unit ? own : 0;
  const tiny = wide(whole) || own !== unit; // no place for a common power of ten
  const digits = (x) => spelled(unit ? x / 10 ** unit : x, page.decimals, tiny, false);
  const labels = block.whole && Math.min(block.rows, block.columns) === 1;
  const top = peak(whole);
  const levels = part.map((x) => (labels ? 0 : level(x, top)));
  const fills = levels.map((n, k) =>
    (units.dead || [])[k] ? paint["dead.fill"] : (units.off || [])[k] ? paint["off.fill"]
      : n === WRONG || n === 0 ? paint.cell : fillOf(n));
  const inks = levels.map((n, k) => (n === WRONG ? paint.warning : paint.inks[fills[k]]));
  const entries = part.map((x, k) => entry(x, digits, block.whole, paint.entry, inks[k], [places[k], w, h]));
  return [...rasters(cells, block, fills), ...marked(cells, block, units), ...entries];
}

function pictured(block, part, units, top) {
  const cells = grid(block), { w, h, places } = cells, levels = part.map((x) => level(x, top));
  const fills = levels.map((n, k) =>
    (units.dead || [])[k] ? paint["dead.fill"] : (units.off || [])[k] ? paint["off.fill"] : fillOf(n));
  const found = rasters(cells, block, fills);
  for (const ink of paint.marks ? Object.values(paint.inks).filter((x, k, all) => all.indexOf(x) === k) : []) {
    found.push(...path(places.map(([x, y], k) => (levels[k] < 0 && paint.inks[fillOf(levels[k])] === ink
      ? `M${x + 0.25 * w} ${y + h / 2}h${w / 2}` : "")).join(""), ink, 1));
  }
  found.push(...path(places.map(([x, y], k) => (levels[k] === WRONG
    ? `M${x + 1.5} ${y + 1.5}l${w - 3} ${h - 3}M${x + 1.5} ${y + h - 1.5}l${w - 3} ${3 - h}` : "")).join(""), paint.background, 1.2));
  return [...found, ...marked(cells, block, units)];
}

function masked(block, part) {
  if (part.some((x) => x !== 0 && x !== 1)) return [];
  return rasters(grid(block), block, part.map((x) => (x ? paint["mask.on"] : paint["mask.off"])));
}

function repaint(block, result, before) {
  const whole = entriesOf(result, block.key), former = entriesOf(before, block.key);
  if (!whole) return [];
  if (!(block.of in page.units) && whole.every((x, k) => Object.is(x, former[k]))) return block.first;
  if (block.kind === "card") {
    return [entry(0, () => ["dots"], false, 28, paint.edge, [[block.x, block.y], block.w, block.h])];
  }
  const count = block.rows * block.columns, units = unitsOf(result, block.of, whole);
  const cut = (d) => d && d.slice(block.k * count, (block.k + 1) * count);
  const part = cut(whole);
  const own = { off: cut(units.off), dead: cut(units.dead), saturated: cut(units.saturated) };
  if (block.kind === "mask") return masked(block, part);
  if (block.kind === "print") return printed(block, whole, part, own);
  return pictured(block, part, own, peak(whole));
}

// -- wires: graded by the size of their gradient -----------------------------------------------

function rms(d) {
  const top = peak(d);
  if (!top || d.some((x) => !Number.isFinite(x))) return d.reduce((a, x) => (x !== x || a !== a ? NaN : Math.max(a, Math.abs(x))), 0);
  return top * Math.sqrt(d.reduce((a, x) => a + (x / top) ** 2, 0) / d.length);
}

function blend(low, high, share) {
  const part = (text, k) => parseInt(text.slice(k, k + 2), 16);
  return "#" + [1, 3, 5].map((k) => {
    const a = part(low, k), b = part(high, k);
    return rounded(a + (b - a) * share + 1e-9).toString(16).padStart(2, "0").toUpperCase();
  }).join("");
}

function scaleOf(result) {
  const sizes = page.graded.map((key) => entriesOf(result, key)).filter(Boolean).map(rms)
    .filter((x) => x > 0 && x < Infinity);
  if (!sizes.length) return null;
  const high = Math.ceil(Math.log10(Math.max(...sizes)));
  const low = Math.max(Math.floor(Math.log10(Math.min(...sizes))), high - paint.decades);
  return { low: low === high ? low - 1 : low, high };
}

function stroke(result, scale, key) {
  const d = entriesOf(result, key);
  if (!d || !scale) return [paint.edge, paint.line];
  const size = rms(d), share = (Math.log10(size) - scale.low) / (scale.high - scale.low);
  const at = size > 0 ? Math.min(1, Math.max(0, share)) : size === 0 ? 0 : 1;
  return [blend(paint.weak, paint.strong, at), paint.thin + (paint.thick - paint.thin) * at];
}

const kept = (element) => ({
  element, first: [...element.childNodes],
  attributes: ["transform", "fill", "stroke", "stroke-width", "display"].map((n) => [n, element.getAttribute(n)]),
});

function put(item) {
  if (item.first.length) item.element.replaceChildren(...item.first);
  for (const [name, value] of item.attributes) {
    if (value === null) item.element.removeAttribute(name);
    else item.element.setAttribute(name, value);
  }
}

const all = (selector) => [...svg.querySelectorAll(selector)];
const blocks = all("[data-b]").map((element) => {
  const { b, kind, x, y, w, h, rows: r, columns, k, of, whole: w_ } = element.dataset;
  const unit = element.closest("g[id]").querySelector(`[data-unit="${b}"]`) !== null;
  const numbers = { x: +x, y: +y, w: +w, h: +h, rows: +r, columns: +columns, k: +k };
  return { ...kept(element), key: b, kind, of, whole: w_ !== undefined, unit, ...numbers };
});
const wires = all("[data-wire]").map((element) => ({ ...kept(element), data: element.dataset }));
const texts = all("[data-unit], [data-share], [data-scale], [data-range]").map((element) => ({ ...kept(element), ...known(element) }));
const firsts = all("[data-first]").map(kept);

function rewire(result, before) {
  const scale = scaleOf(result), former = scaleOf(before);
  for (const { element, data } of wires) {
    const [colour_, width] = stroke(result, scale, data.wire);
    if (data.busy !== undefined) element.setAttribute("stroke-width", +Math.max(paint.busy, width).toFixed(1));
    else if (data.x === undefined) {
      element.setAttribute("stroke", colour_);
      element.setAttribute("stroke-width", +width.toFixed(1));
    } else {
      element.setAttribute("fill", colour_);
      const size = (n) => 1 + (n - paint.line) / 5, [, then] = stroke(before, former, data.wire);
      const grown = Math.max(1, size(width) / size(then)).toFixed(3);
      element.setAttribute("transform", `translate(${data.x} ${data.y}) scale(${grown}) translate(${-data.x} ${-data.y})`);
    }
  }
  return scale;
}

function percent(share) {
  const n = rounded(100 * share);
  if (n === 0 && share > 0) return ["lt", "1"];
  return n === 100 && share < 1 ? ["gt", "9", "9"] : [...String(n)];
}

const exponent = (n) => [..."10", ...[...String(n)].map((c) => "^" + c)];

function spanned(d) {
  if (!d.length) return [];
  const [low, high] = [Math.min(...d), Math.max(...d)].map((x) => spelled(x, page.decimals));
  return low.join() === high.join() ? low : [...low, "dots", ...high];
}

function retext(text, result, scale) {
  const { unit, share, range, scale: end, suffix } = text.data;
  let tokens = [];
  if (end) tokens = scale ? exponent(scale[end]) : [];
  else {
    const d = entriesOf(result, unit || share || range) || [];
    if (range) tokens = spanned(finite(d));
    if (unit && power(d)) tokens = ["times", ...exponent(power(d))];
    const switches = share && d.length && d.every((x) => x === 0 || x === 1);
    if (switches) tokens = [...percent(d.filter(Boolean).length / d.length), suffix];
  }
  if (!tokens.length) {
    text.element.replaceChildren();
    return;
  }
  const [left, right] = set(text.element, tokens), middle = (text.l + text.r) / 2;
  const x = end ? text.x : middle - ((left + right) / 2) * text.scale;
  text.element.setAttribute("transform", place(x, text.y, text.scale));
}

function repaintAll(result, before) {
  for (const block of blocks) block.element.replaceChildren(...repaint(block, result, before));
  const scale = rewire(result, before);
  for (const text of texts) retext(text, result, scale);
  for (const { element } of firsts) element.setAttribute("display", "none");
}

function restoreAll() {
  for (const item of [...blocks, ...wires, ...texts, ...firsts]) put(item);
}
