(() => {
"use strict";
const page = /* facts */ {};
const { compute, gates } = /* arithmetic */ {};
const $ = (id) => document.getElementById(id);
const svg = document.querySelector("#stage > svg");
const last = page.frames.length;
document.body.classList.add("scripted");

// -- frames ------------------------------------------------------------------------------------

const inside = (ranges, k) => ranges.split(" ").some((range) => {
  const [a, b] = range.split("-").map(Number);
  return a <= k && k <= b;
});

function showIn(root, k) {
  for (const element of root.querySelectorAll("[data-s]")) {
    if (inside(element.dataset.s, k)) element.removeAttribute("display");
    else element.setAttribute("display", "none");
  }
}

let now = 0, timer = 0, moved = false;

function words(k) {
  const [title, notes] = page.frames[k - 1];
  const head = document.createElement("b");
  head.textContent = title;
  // The notes were written for the first numbers.
  const sentences = notes.split(/(?<=\.)\s+/).filter((s) => !moved || !/\d\.\d|\u221e/.test(s));
  $("said").replaceChildren(head, " " + sentences.join(" "));
}

function show(k, keep) {
  k = Math.min(Math.max(Math.round(k) || 1, 1), last);
  if (k === now) return;
  now = k;
  showIn(svg, k);
  $("frame").value = k;
  $("frame").setAttribute("aria-valuetext", page.frames[k - 1][0]);
  $("count").textContent = `${k} / ${last}`;
  $("back").disabled = k === 1;
  $("next").disabled = k === last;
  words(k);
  if (!keep) {
    try { history.replaceState(null, "", `#${k}`); } catch { /* a page inside a page may not */ }
  }
  follow();
}

// On a small screen the picture is wider than the window: bring the gate at work into view.
function follow() {
  const stage = $("stage");
  if (stage.scrollWidth <= stage.clientWidth) return;
  const halo = [...svg.querySelectorAll(".halo")].find((h) => h.getBoundingClientRect().width);
  if (!halo) return;
  const box = halo.getBoundingClientRect(), frame = stage.getBoundingClientRect();
  const left = stage.scrollLeft + box.left + box.width / 2 - frame.left - frame.width / 2;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  stage.scrollTo({ left, behavior: calm ? "auto" : "smooth" });
}

function linked() {
  const found = /^#(?:frame=)?(\d+)$/.exec(location.hash);
  return found ? Number(found[1]) : 0;
}

function play(on) {
  clearInterval(timer);
  timer = 0;
  if (on) {
    if (now === last) show(1);
    timer = setInterval(() => (now < last ? show(now + 1) : play(false)), 1800);
  }
  $("play").setAttribute("aria-label", timer ? "Pause" : "Play");
  $("play").title = timer ? "Pause" : "Play";
  $("play").querySelector("path").setAttribute("d", timer ? "M8 5v14M16 5v14" : "M8 5v14l11-7z");
}

const STEPS = {
  ArrowRight: 1, ArrowDown: 1, PageDown: 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1,
  Home: -Infinity, End: Infinity,
};

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const at = event.target, own = at.id === "frame";
  const field = /^(INPUT|SELECT)$/.test(at.tagName) && !own;
  const clicker = event.key === "PageDown" || event.key === "PageUp";
  if (field && !clicker) return;
  let step = STEPS[event.key];
  if (event.key === " " && !/^(BUTTON|SUMMARY|A)$/.test(at.tagName)) step = event.shiftKey ? -1 : 1;
  if (!step) return;
  event.preventDefault();
  play(false);
  show(step === -Infinity ? 1 : step === Infinity ? last : now + step);
}

if (last) {
  $("bar").hidden = false;
  $("back").onclick = () => { play(false); show(now - 1); };
  $("next").onclick = () => { play(false); show(now + 1); };
  $("play").onclick = () => play(!timer);
  $("frame").oninput = () => { play(false); show(Number($("frame").value)); };
  addEventListener("keydown", pressed);
  addEventListener("hashchange", () => show(linked() || now, true));
  show(linked() || 1, true);
}

// -- print: one frame a page -------------------------------------------------------------------

addEventListener("beforeprint", () => {
  if (!last) return;
  const sheets = page.frames.map((_, k) => {
    const sheet = document.createElement("div"), copy = svg.cloneNode(true);
    for (const element of [copy, ...copy.querySelectorAll("[id]")]) element.removeAttribute("id");
    showIn(copy, k + 1);
    sheet.className = "sheet";
    sheet.append(copy);
    return sheet;
  });
  $("sheets").replaceChildren(...sheets);
  document.body.classList.add("sheets");
});
addEventListener("afterprint", () => {
  $("sheets").replaceChildren();
  document.body.classList.remove("sheets");
});

if (!compute || !page.inputs) return;

// -- numbers as the figure prints them ---------------------------------------------------------

// Round half to even, as Python does; toFixed and toExponential round half up.
function even(text, exact) {
  const tail = exact.slice(text.length);
  if (!/^50*$/.test(tail) || exact.slice(0, text.length) === text) return text;
  const digit = Number(/(\d)$/.exec(text)[1]);
  return digit % 2 ? exact.slice(0, text.length) : text;
}

function fixed(x, digits) {
  const text = x.toFixed(digits);
  const exact = x.toFixed(Math.min(100, digits + 60));
  const cut = digits ? exact : exact.replace(".", "");
  return even(text, cut);
}

function scientific(x, digits) {
  const [mantissa, power] = x.toExponential(digits).split("e");
  const [exact, same] = x.toExponential(60).split("e");
  const cut = digits ? exact : exact.replace(".", "");
  return [power === same ? even(mantissa, cut) : mantissa, Number(power)];
}

// The signs of a number: digits, "-", "e" for times ten, "^7" for a raised digit.
function spelled(x, digits, tiny = true, powers = page.scientific) {
  if (Number.isNaN(x)) return ["n"];
  const sign = x < 0 ? ["-"] : [], size = Math.abs(x);
  if (size === Infinity) return [...sign, "i"];
  const text = size < 1e21 ? fixed(size, digits) : "";
  const vanishes = size !== 0 && Number(text) === 0 && text !== "";
  if (!(powers && size) && !(vanishes && tiny) && size < 1e6) return [...(vanishes ? [] : sign), ...text];
  const [mantissa, power] = scientific(size, vanishes && !powers ? 0 : 1);
  return [...sign, ...mantissa, "e", ...[...String(power)].map((c) => "^" + c)];
}

function plain(x) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
  if (Object.is(x, -0)) return "-0.0";
  const size = Math.abs(x);
  const text = size >= 1e16 || (size && size < 1e-4) ? x.toExponential() : String(x);
  if (/^-?\d+$/.test(text)) return text + ".0";
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

function read(tokens) {
  const text = tokens.map((t) => t.replace("^", "")).join("");
  return text.includes("i") || text.includes("n") ? NaN : Number(text);
}

// -- drawing them ------------------------------------------------------------------------------

const BEARING = 30;
const NS = "http://www.w3.org/2000/svg";

function set(element, tokens) {
  let pen = 0, left = Infinity, right = -Infinity;
  const uses = [];
  for (const token of tokens) {
    const [advance, from, to, parts] = page.signs[token];
    if (token === ")") pen = right + BEARING;
    for (const [glyph, x, y] of parts) {
      const use = document.createElementNS(NS, "use");
      use.setAttribute("href", "#" + glyph);
      use.setAttribute("x", x + pen);
      use.setAttribute("y", y);
      uses.push(use);
    }
    left = Math.min(left, pen + from);
    right = Math.max(right, pen + to);
    pen += advance;
  }
  element.replaceChildren(...uses);
  return [left, right];
}

const place = (x, y, scale) => `translate(${x.toFixed(2)} ${y.toFixed(2)}) scale(${+scale.toFixed(6)})`;

function known(element) {
  const [, x, y, scale] = /translate\((\S+) (\S+)\) scale\((\S+)\)/.exec(element.getAttribute("transform"));
  const { l, r, m } = element.dataset;
  return {
    element, x: +x, y: +y, scale: +scale, l: +l, r: +r, most: +m || Infinity,
    colour: element.getAttribute("fill"), data: element.dataset, first: [...element.childNodes],
    home: element.getAttribute("transform"),
  };
}

function colour(item, value) {
  const shade = Number.isFinite(value) ? item.colour : page.warning;
  item.element.setAttribute("fill", shade);
  item.element.setAttribute("stroke", shade);
}

const whole = new Set(page.whole);
const looked = (result, key) => {
  const id = key.slice(1), upstream = key in page.targets ? result.g[page.targets[key]] : 0;
  const value = upstream ? result.c[id] / upstream : result[key[0]][id];
  return value === undefined ? NaN : value;
};

const signsOf = (key, value, digits) => (whole.has(key) ? [...String(value)] : shortest(value, digits));

// A number on a stub stays in its middle, smaller if it does not fit; its chip goes with it.
function stub(item, result) {
  const value = looked(result, item.data.n);
  const tokens = signsOf(item.data.n, value, page.decimals);
  const [left, right] = set(item.element, item.data.w ? ["<", ...tokens] : tokens);
  const scale = Math.min(item.scale, item.most / (right - left));
  const half = ((right - left) * scale) / 2;
  const middle = item.data.t ? item.l + half : (item.l + item.r) / 2; // behind a sign of equality
  const lift = ((item.scale - scale) * 330);
  item.element.setAttribute("transform", place(middle - half - left * scale, item.y - lift, scale));
  colour(item, value);
  return [middle - half, middle + half];
}

function chips(box, ends) {
  for (const chip of box) {
    chip.element.setAttribute("x", (ends[0] - chip.pad).toFixed(2));
    chip.element.setAttribute("width", (ends[1] - ends[0] + 2 * chip.pad).toFixed(2));
  }
}

// -- captions ----------------------------------------------------------------------------------

const signOf = (term) => (/^[vgcl]/.test(term) ? null : Number(term));

function valueOf(terms, numbers) {
  let total = 0, product = NaN, sign = 1;
  terms.forEach((term, k) => {
    if (k % 2) return;
    const literal = signOf(term), value = literal === null ? numbers[term] : literal;
    const before = k ? terms[k - 1] : "+";
    if (before === "*") product *= value;
    else if (before === "/") product /= value;
    else {
      if (k) total += sign * product;
      product = value;
      sign = before === "-" ? -1 : 1;
    }
  });
  return total + sign * product;
}

// A number that the figure prints exactly keeps its decimals.
function shortest(value, digits) {
  const tokens = spelled(value, page.decimals);
  return Math.abs(read(tokens) - value) <= 1e-12 * Math.abs(value) ? tokens : spelled(value, digits);
}

// Take more decimals where the printed arithmetic does not close, or else another sign.
function closing(sign, keys, result) {
  const { eq, to } = sign.data, gate = gates[to.slice(1)];
  if (eq === "gate" && !gate) return [page.decimals, "="];
  for (let digits = page.decimals; digits <= page.decimals + 2; digits++) {
    const printed = {};
    for (const key of keys) printed[key] = read(shortest(looked(result, key), digits));
    const total = printed[to];
    const numbers = Object.fromEntries(keys.map((key) => [key.slice(1), printed[key]]));
    const reached = eq === "gate" ? gate(numbers) : valueOf(eq.split(" "), printed);
    if (spelled(reached, digits).join("") === spelled(total, digits).join("")) return [digits, "="];
  }
  return [page.decimals, "~"];
}

function line(row, result) {
  const digits = {}, glyph = {};
  for (const piece of row.pieces) {
    const { eq, q } = piece.data;
    if (!eq) continue;
    const keys = row.pieces.filter((p) => p.data.n && p.data.q === q).map((p) => p.data.n);
    [digits[q], glyph[q]] = closing(piece, keys, result);
  }
  let shift = 0;
  const moves = [];
  for (const piece of row.pieces) {
    if (!piece.data.n && !piece.data.eq) {
      moves.push((dx) => piece.element.setAttribute("transform", `translate(${dx.toFixed(2)} 0)`));
      moves[moves.length - 1].by = shift;
      continue;
    }
    let tokens;
    if (piece.data.eq) tokens = [glyph[piece.data.q]];
    else {
      const value = looked(result, piece.data.n);
      tokens = signsOf(piece.data.n, value, digits[piece.data.q] || page.decimals);
      if (piece.data.b && tokens[0] === "-") tokens = ["(", ...tokens, ")"];
      colour(piece, value);
    }
    const [left, right] = set(piece.element, tokens);
    const x = piece.l - left * piece.scale;
    moves.push((dx) => piece.element.setAttribute("transform", place(x + dx, piece.y, piece.scale)));
    moves[moves.length - 1].by = shift;
    shift += (right - left) * piece.scale - (piece.r - piece.l);
  }
  for (const move of moves) move(move.by - shift / 2);
  const width = row.r - row.l + shift, most = svg.viewBox.baseVal.width - 16;
  const middle = (row.l + row.r) / 2, small = Math.min(1, most / width);
  if (small < 1) {
    const x = svg.viewBox.baseVal.width / 2 - middle * small;
    row.element.setAttribute("transform", `translate(${x.toFixed(2)} ${(row.y * (1 - small)).toFixed(2)}) scale(${small.toFixed(4)})`);
  } else row.element.removeAttribute("transform");
}

// -- what is on the page -----------------------------------------------------------------------

const stubs = [], rows = [];
for (const element of svg.querySelectorAll("[data-n]")) {
  if (element.closest("[data-row]")) continue;
  const item = known(element), group = element.closest("g[id]");
  item.chips = [...group.querySelectorAll("[data-chip]")]
    .filter((c) => c.dataset.chip === item.data.n)
    .map((c) => ({ element: c, pad: item.l - Number(c.getAttribute("x")), width: c.getAttribute("width"), x: c.getAttribute("x") }));
  stubs.push(item);
}
for (const element of svg.querySelectorAll("[data-row]")) {
  const pieces = [...element.children].map((c) =>
    c.dataset.n || c.dataset.eq ? known(c) : { element: c, data: c.dataset });
  const changing = pieces.filter((p) => p.data.n || p.data.eq);
  if (!changing.length) continue;
  const l = Number(element.dataset.l), r = Number(element.dataset.r);
  rows.push({ element, pieces, l, r, y: changing[0].y });
}
const groups = [...svg.querySelectorAll("g[data-value], g[data-grad]")].map((element) => {
  const { node, from, output } = element.dataset;
  const id = element.id.slice(page.prefix.length + 2);
  return {
    element, kept: element.getAttribute("aria-label"),
    value: "v" + page.nodes[node || from || output],
    grad: (from ? "c" : "g") + id, first: { ...element.dataset },
  };
});

/* cells */
// -- inputs ------------------------------------------------------------------------------------

const start = page.inputs.map(([, value]) => value);
const state = [...start];

const MOST = 1024; // entries that an attribute spells out

function nested(s, d, write) {
  if (!s.length) return write(d[0]);
  const step = d.length / s[0];
  const parts = Array.from({ length: s[0] }, (_, k) => d.slice(k * step, (k + 1) * step));
  return `[${parts.map((part) => nested(s.slice(1), part, write)).join(", ")}]`;
}

function exactly(result, key) {
  const found = (result[key[0]] || {})[key.slice(1)];
  const truth = page.truth.includes(key), many = found && found.d;
  const write = truth ? (x) => String(Boolean(x)) : whole.has(key) ? String : plain;
  if (many) return found.d.length > MOST ? "" : nested(found.s, found.d, write);
  const text = write(looked(result, key));
  return truth ? text[0].toUpperCase() + text.slice(1) : text;
}

function exact(group, result) {
  const { element, first } = group;
  let label = group.kept;
  for (const [word, name, key] of [["value", "value", group.value], ["gradient", "grad", group.grad]]) {
    if (first[name] === undefined) continue;
    const text = exactly(result, key), said = `, ${word} ${first[name]}`;
    element.dataset[name] = text;
    if (label.includes(said)) label = label.replace(said, () => (text.length < 40 ? `, ${word} ${text}` : ""));
  }
  element.setAttribute("aria-label", label);
}

function restore() {
  for (const item of [...stubs, ...rows.flatMap((row) => row.pieces)]) {
    if (!item.home) {
      item.element.removeAttribute("transform");
      continue;
    }
    item.element.replaceChildren(...item.first);
    item.element.setAttribute("transform", item.home);
    item.element.setAttribute("fill", item.colour);
    item.element.setAttribute("stroke", item.colour);
    for (const chip of item.chips || []) {
      chip.element.setAttribute("x", chip.x);
      chip.element.setAttribute("width", chip.width);
    }
  }
  for (const row of rows) row.element.removeAttribute("transform");
  for (const { element, first, kept: label } of groups) {
    element.setAttribute("aria-label", label);
    for (const name of ["value", "grad"]) if (first[name] !== undefined) element.dataset[name] = first[name];
  }
}

const point = () => ({ ...Object.fromEntries(page.inputs.map(([name], k) => [name, state[k]])), ...given() });

function update() {
  moved = state.some((value, k) => value !== start[k]) || !still();
  $("reset").disabled = !moved;
  const result = moved ? compute(point()) : null;
  entriesFollow(result);
  if (moved) {
    for (const item of stubs) chips(item.chips, stub(item, result));
    for (const row of rows) line(row, result);
    for (const group of groups) exact(group, result);
  } else restore();
  if (last) words(now);
}

function change(k, value, from) {
  if (!Number.isFinite(value)) return;
  state[k] = value;
  if (from !== "r") $("r" + k).value = value;
  if (from !== "f") $("f" + k).value = value;
  update();
}

page.inputs.forEach(([, value, step], k) => {
  const slider = $("r" + k), field = $("f" + k);
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  slider.oninput = () => {
    const grid = Number(slider.min) % step || 0;
    change(k, Number((Math.round((Number(slider.value) - grid) / step) * step + grid).toFixed(digits + 1)), "r");
  };
  slider.ondblclick = () => change(k, value);
  field.oninput = () => { if (field.value !== "") change(k, Number(field.value), "f"); };
  field.onblur = () => { if (field.value === "") change(k, state[k]); };
});
/* entries */
$("reset").onclick = () => {
  resetEntries();
  start.forEach((value, k) => change(k, value));
  update();
};
$("live").hidden = false;
if (innerWidth < 761) $("live").open = document.documentElement.scrollHeight <= innerHeight;
})();
