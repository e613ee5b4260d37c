// Shared by all browser-drawn explorers: lays out the card, connects the controls to the model, and redraws.
//
// An explorer is one object of pure functions of its state (a plain object of the widget's values):
//   title, about              words above the figure
//   width, height             of the figure's SVG, in its own units
//   controls(state)           [{key, label, min, max, step, get, set, show}] native sliders, or {options} to pick from;
//                             always the same ones in the same order, so that nothing on the page moves
//   repair(state, key)        {state, note}: the nearest valid state after `key` changed, and why it is nearer
//   draw(state)               the figure, as SVG markup
//   tiles(state)              [{label, formula, value}] the numbers under the figure
//   says(state)               the figure in one or two sentences
//   point(x, y, state)        the changes that a pointer at (x, y) makes, or null
//   clicks                    true: only a press counts, not the pointer's way there
//   key(name, state)          the changes that a key pressed on the figure makes, or null
// The same functions draw the still picture in Python. The files have no imports and no exports: Python joins them.

const esc = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
const round = (x, digits = 2) => Number(x.toFixed(digits));
const clamp = (x, low, high) => Math.max(low, Math.min(high, x));
const inBrackets = (values) => `(${values.join(", ")})`;
const digits = (x) => (x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toFixed(2));
const mebibytes = (values) => digits((4 * values) / 2 ** 20); // of float32
const memory = (values) => ((4 * values) / 2 ** 30 >= 1 ? `${digits((4 * values) / 2 ** 30)} GiB` : `${mebibytes(values)} MiB`);
const grouped = (n) => String(n).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
// A share in percent; a count where that would round to none or to all.
function shareOf(part, whole, nouns, decimals = 1) {
  const percent = Number(((100 * part) / whole).toFixed(decimals));
  const hides = (percent === 0 && part > 0) || (percent === 100 && part < whole);
  return hides ? `${grouped(part)} of ${grouped(whole)} ${nouns}` : `${percent.toFixed(decimals)}% of the ${nouns}`;
}

// SVG markup: svg("rect", {x: 1}) and text(x, y, "words", "class").
function svg(name, attributes, inner = "") {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${typeof value === "number" ? round(value) : esc(value)}"`);
  return `<${name}${written.join("")}>${inner}</${name}>`;
}
const text = (x, y, words, cls = "", attributes = {}) => svg("text", { x, y, class: `dx-t ${cls}`, ...attributes }, esc(words));
const line = (x1, y1, x2, y2) => `M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}`;
const box = (x, y, w, h = w) => `M${round(x)} ${round(y)}h${round(w)}v${round(h)}h${round(-w)}z`;
const path = (d, cls, attributes = {}) => svg("path", { d, class: cls, ...attributes });

const PATTERNS =
  '<defs><pattern id="dx-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">' +
  '<path d="M0 0V6" class="dx-hatch-line"/></pattern>' +
  '<pattern id="dx-cross" width="7" height="7" patternUnits="userSpaceOnUse">' +
  '<path d="M0 0L7 7M7 0L0 7" class="dx-hole-line"/></pattern></defs>';

function element(parent, name, attributes = {}, words = "") {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (words) node.textContent = words;
  parent.appendChild(node);
  return node;
}

const setText = (node, words) => { if (node.textContent !== words) node.textContent = words; };

function mount(explorer, model, el) {
  const names = explorer.state;
  const read = () => Object.fromEntries(names.map((name) => [name, model.get(name)]));
  // Counted over the whole page: each widget on it is a module of its own.
  globalThis.dlv3Mounted = (globalThis.dlv3Mounted || 0) + 1;
  const id = `dx${globalThis.dlv3Mounted}`;
  const root = element(el, "div", { class: "dx", role: "group", "aria-labelledby": `${id}-title`, "data-lm-suppress-shortcuts": "true" });
  element(root, "p", { id: `${id}-title`, class: "dx-title" }, explorer.title);
  element(root, "p", { id: `${id}-about`, class: "dx-about" }, explorer.about);
  const figure = element(root, "div", {
    class: "dx-figure", role: "group", "aria-label": explorer.figure, "aria-describedby": `${id}-about ${id}-says`,
    ...(explorer.key ? { tabindex: "0" } : {}),
  });
  const canvas = element(figure, "div", { class: "dx-canvas", style: `aspect-ratio:${explorer.width}/${explorer.height}` });
  element(root, "p", { class: "dx-cue", "aria-hidden": "true" }, "⇆ The figure goes on to the right: push it sideways.");
  const says = element(root, "p", { id: `${id}-says`, class: "dx-says", role: "status", "aria-live": "polite" });
  const controls = element(root, "div", { class: "dx-controls" });
  const tiles = element(root, "div", { class: "dx-tiles" });
  const note = element(root, "p", { class: "dx-note", role: "status", "aria-live": "polite" });

  let state = read();
  let local = false;

  // Apply a change, repair what it made impossible, tell the model, and redraw at once.
  function change(changes, key) {
    const repaired = explorer.repair({ ...state, ...changes }, key);
    local = true;
    for (const name of names) if (JSON.stringify(repaired.state[name]) !== JSON.stringify(state[name])) model.set(name, repaired.state[name]);
    local = false;
    state = repaired.state;
    redraw(repaired.note);
    // At once, not later: Jupyter's model merges changes that are still on their way, and drops the kernel's echo of older
    // values only if it knows the newer ones.
    model.save_changes();
  }

  const rows = explorer.controls(state).map((control) => makeControl(controls, control, id, (value) => {
    change(control.set(state, value), control.key);
  }));
  const boxes = explorer.tiles(state).map(() => {
    const tile = element(tiles, "div", { class: "dx-tile" });
    return { label: element(tile, "div", { class: "dx-tile-label" }), value: element(tile, "div", { class: "dx-tile-value" }),
      formula: element(tile, "div", { class: "dx-tile-formula" }) };
  });

  function redraw(words = "") {
    canvas.innerHTML = `<svg viewBox="0 0 ${explorer.width} ${explorer.height}" aria-hidden="true">${PATTERNS}${explorer.draw(state)}</svg>`;
    explorer.controls(state).forEach((control, i) => rows[i](control, state));
    explorer.tiles(state).forEach((tile, i) => { for (const part of ["label", "value", "formula"]) setText(boxes[i][part], tile[part]); });
    setText(says, explorer.says(state));
    setText(note, words);
  }

  if (explorer.point) {
    const at = (event) => {
      const frame = canvas.getBoundingClientRect();
      const scale = explorer.width / frame.width;
      const changes = explorer.point((event.clientX - frame.left) * scale, (event.clientY - frame.top) * scale, state);
      if (changes && Object.entries(changes).some(([name, value]) => state[name] !== value)) change(changes, "point");
    };
    if (!explorer.clicks) figure.addEventListener("pointermove", at);
    figure.addEventListener("pointerdown", at);
  }
  if (explorer.key) {
    figure.addEventListener("keydown", (event) => {
      const changes = event.ctrlKey || event.metaKey || event.altKey ? null : explorer.key(event.key, state);
      if (!changes) return;
      event.preventDefault();
      event.stopPropagation();
      change(changes, "key");
    });
  }
  // A change from elsewhere; the kernel's echo of our own change is not one.
  const outside = () => {
    if (local || JSON.stringify(read()) === JSON.stringify(state)) return;
    state = read();
    redraw();
  };
  for (const name of names) model.on(`change:${name}`, outside);
  redraw();
  return () => { for (const name of names) model.off(`change:${name}`, outside); };
}

// A slider that sets `key` in tenths.
const tenths = (key, label, min, max, unit = "") => ({
  key, label, min, max, show: (value) => `${(value / 10).toFixed(1)}${unit}`, get: (s) => Math.round(10 * s[key]), set: (_, value) => ({ [key]: value / 10 }),
});

// One labelled native control; returns the function that shows a state on it.
function makeControl(parent, control, id, changed) {
  const row = element(parent, "div", { class: "dx-control" });
  const name = `${id}-${control.key}`;
  const label = element(row, "label", { for: name, class: "dx-label" }, control.label);
  if (control.options) {
    const select = element(row, "select", { id: name, class: "dx-select", "data-key": control.key });
    for (const [value, words] of control.options) element(select, "option", { value: String(value) }, words);
    select.addEventListener("change", () => changed(control.options.find(([value]) => String(value) === select.value)[0]));
    return (now, state) => { select.value = String(now.get(state)); setText(label, now.label); };
  }
  const value = element(row, "output", { for: name, class: "dx-value" });
  const input = element(row, "input", { id: name, type: "range", min: control.min, max: control.max, step: control.step || 1, "data-key": control.key });
  const track = element(row, "div", { class: "dx-track", "aria-hidden": "true" });
  const closed = [element(track, "i"), element(track, "i")];
  input.addEventListener("input", () => changed(Number(input.value)));
  input.addEventListener("keydown", (event) => event.stopPropagation());
  return (now, state) => {
    const current = now.get(state);
    const words = (now.show || String)(current);
    const part = (x) => `${clamp(100 * (x - now.min) / (now.max - now.min), 0, 100)}%`;
    input.min = now.min;
    input.max = now.max;
    input.value = current;
    input.disabled = Boolean(now.disabled);
    row.classList.toggle("dx-off", Boolean(now.disabled));
    input.setAttribute("aria-valuetext", words);
    setText(value, words);
    setText(label, now.label);
    closed[0].style.width = part(now.low ?? now.min);
    closed[1].style.left = part(now.high ?? now.max);
  };
}

// The explorer as one still SVG, for pages without scripts: title, figure, numbers, sentence.
function still(explorer, state, style) {
  const W = explorer.width + 40, top = 44, tiles = explorer.tiles(state), wide = explorer.width / tiles.length;
  const words = wrapped(explorer.says(state), 118);
  const base = top + explorer.height, H = base + 18 + 18 * words.length + 78;
  const inner = [
    svg("title", {}, esc(explorer.title)), svg("desc", {}, esc(`${explorer.about} ${explorer.says(state)}`)), svg("style", {}, style),
    svg("rect", { width: W, height: H, rx: 10, class: "dx-card" }), text(20, 30, explorer.title, "dx-heading"),
    svg("g", { transform: `translate(20 ${top})` }, PATTERNS + explorer.draw(state)),
    ...words.map((row, i) => text(20, base + 16 + 18 * i, row)),
    ...tiles.map((tile, i) => svg("g", { transform: `translate(${round(i * wide + 20)} ${base + 18 + 18 * words.length})` },
      text(0, 14, tile.label, "dx-s dx-q") + text(0, 34, tile.value, "dx-heading") + wrapped(tile.formula, 32).map((row, j) => text(0, 50 + 14 * j, row, "dx-s dx-q")).join(""))),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${W} ${H}" width="${W}" height="${H}" role="img">${inner.join("")}</svg>`;
}

function wrapped(words, width) {
  const rows = [""];
  for (const word of words.split(" ")) {
    if ((rows.at(-1) + word).length > width) rows.push("");
    rows[rows.length - 1] += `${word} `;
  }
  return rows.map((row) => row.trim());
}
