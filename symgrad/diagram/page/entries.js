// -- entries of matrices: chosen in the picture or in the panel ---------------------------------

const matrices = page.matrices.map(([name, id, shape, data, kind, low, high, step]) => ({
  name, id, shape, kind, low, high, step, first: data, d: [...data],
  steps: shape.map((_, k) => shape.slice(k + 1).reduce((a, b) => a * b, 1)),
}));
const chosen = { matrix: null, at: 0 };
const spots = []; // {element, matrix, at}
const indices = (m, at) => m.shape.map((n, k) => Math.floor(at / m.steps[k]) % n);
const spoken = (m, at) => {
  const words_ = m.shape.length === 2 ? ["row ", "column "] : m.shape.map((_, k) => (m.shape.length === 1 ? "entry " : `index ${k + 1} is `));
  return m.name + indices(m, at).map((n, k) => `, ${words_[k]}${n + 1}`).join("");
};
const said = (m, at) => spelled(m.d[at], page.decimals, true, false).join("").replace(/\^/g, "");

function spotLabel(spot) {
  spot.element.setAttribute("aria-label", `${spoken(spot.matrix, spot.at)}, value ${said(spot.matrix, spot.at)}`);
}

function pointers(m) {
  const layer = drawn("g", { role: "group", "aria-label": `Entries of ${m.name}` });
  for (const block of blocks.filter((b) => b.key === "v" + m.id && b.kind !== "card")) {
    const cells = grid(block), count = block.rows * block.columns;
    cells.places.forEach(([x, y], k) => {
      const at = block.k * count + k;
      const element = drawn("rect", {
        class: "hit", x: x.toFixed(2), y: y.toFixed(2), width: cells.w.toFixed(2), height: cells.h.toFixed(2),
        role: "button", tabindex: at ? "-1" : "0", "aria-pressed": "false",
      });
      const spot = { element, matrix: m, at, columns: block.columns };
      element.onclick = () => choose(m, at, true);
      element.onkeydown = (event) => walked(event, spot);
      spots.push(spot);
      spotLabel(spot);
      layer.append(element);
    });
  }
  if (layer.childNodes.length) svg.append(layer);
}

// Arrows move between the entries of a matrix, which is one stop of the tabulator.
function walked(event, spot) {
  const { key } = event, { matrix: m, at, columns } = spot;
  if (key === "Enter" || key === " ") {
    choose(m, at, true);
    $("fe").focus();
    $("fe").select();
  } else {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
    if (!step) return;
    const next = at + step, row = key === "ArrowLeft" || key === "ArrowRight";
    const inside = next >= 0 && next < m.d.length && (!row || Math.floor(next / columns) === Math.floor(at / columns));
    if (inside) {
      choose(m, next, true);
      spots.find((s) => s.matrix === m && s.at === next).element.focus();
    }
  }
  event.preventDefault();
  event.stopPropagation();
}

function fill(from) {
  const m = chosen.matrix, value = m.d[chosen.at];
  const scale = $("re");
  scale.min = Math.min(m.low, value);
  scale.max = Math.max(m.high, value);
  if (from !== "r") scale.value = value;
  if (from !== "f") $("fe").value = value;
  const label = spoken(m, chosen.at);
  scale.setAttribute("aria-label", label);
  $("fe").setAttribute("aria-label", `${label}, exact`);
}

function choose(m, at, open) {
  chosen.matrix = m;
  chosen.at = at;
  if (open) $("live").open = true;
  $("which").value = String(matrices.indexOf(m));
  indices(m, at).forEach((n, k) => { $("i" + k).value = n + 1; });
  page.axes.forEach((_, k) => {
    $("i" + k).hidden = k >= m.shape.length;
    $("i" + k).max = m.shape[k] || 1;
  });
  for (const spot of spots) {
    spot.element.setAttribute("aria-pressed", String(spot.matrix === m && spot.at === at));
    if (spot.matrix === m) spot.element.setAttribute("tabindex", spot.at === at ? "0" : "-1");
  }
  fill();
}

function changeEntry(value, from) {
  if (!Number.isFinite(value)) return;
  const m = chosen.matrix;
  m.d = [...m.d];
  m.d[chosen.at] = value;
  if (m.kind === "symmetric" && m.shape.length === 2) {
    const [r, c] = indices(m, chosen.at);
    m.d[c * m.shape[1] + r] = value;
  }
  fill(from);
  update();
}

const given = () => Object.fromEntries(matrices.map((m) => [m.name, { s: m.shape, d: m.d }]));
const still = () => matrices.every((m) => m.d.every((x, k) => Object.is(x, m.first[k])));
let before = null;

function entriesFollow(result) {
  if (result) repaintAll(result, before);
  else restoreAll();
  spots.forEach(spotLabel);
  $("first").classList.toggle("due", Boolean(result));
}

function resetEntries() {
  for (const m of matrices) m.d = [...m.first];
  if (chosen.matrix) fill();
}

try {
  before = compute(point());
} catch {
  return; // an input that is not drawn has no numbers here
}
$("first").hidden = !firsts.length && !blocks.some((b) => b.kind === "card");
const movable = matrices.filter((m) => m.step);
movable.forEach(pointers);
if (movable.length) {
  $("re").oninput = () => {
    const { step, low } = chosen.matrix, start_ = low % step || 0;
    const digits = Math.max(0, -Math.floor(Math.log10(step)));
    changeEntry(Number((Math.round((Number($("re").value) - start_) / step) * step + start_).toFixed(digits + 1)), "r");
  };
  $("re").ondblclick = () => changeEntry(chosen.matrix.first[chosen.at]);
  $("fe").oninput = () => { if ($("fe").value !== "") changeEntry(Number($("fe").value), "f"); };
  $("fe").onblur = () => fill();
  $("which").onchange = () => choose(matrices[Number($("which").value)], 0);
  page.axes.forEach((_, k) => {
    $("i" + k).onchange = () => {
      const m = chosen.matrix, old = indices(m, chosen.at);
      const at = old.map((n, j) => (j === k ? Math.min(Math.max(Math.round(Number($("i" + k).value)) || 1, 1), m.shape[j]) - 1 : n));
      choose(m, at.reduce((a, n, j) => a + n * m.steps[j], 0));
    };
  });
  choose(movable.find((m) => m.kind === "param") || movable[0], 0);
}
