// The atrous explorer: the input samples that one output of a convolution reads (eq. 1 of the paper).

// The arithmetic; its Python twin is dlv3.atrous, checked against the same cases.
const effectiveKernel = (k, rate) => k + (k - 1) * (rate - 1);
const outputSize = (n, k, rate, stride, padding) => Math.floor((n + 2 * padding - effectiveKernel(k, rate)) / stride) + 1;
// Input positions that output i reads along one axis; below 0 or from n on they lie on the padding.
const tapsOf = (i, k, rate, stride, padding) => Array.from({ length: k }, (_, j) => i * stride - padding + j * rate);

const ATROUS_RANGES = { kernel_size: [1, 7], rate: [1, 12], stride: [1, 4], padding: [0, 12], size: [3, 100] };

// The range of each value while the others stay: the effective kernel must fit into the padded input.
function atrousLimits({ kernel_size: k, rate, padding, size }) {
  const room = size + 2 * padding, span = effectiveKernel(k, rate);
  const within = (name, low, high) => [Math.max(ATROUS_RANGES[name][0], low), Math.min(ATROUS_RANGES[name][1], high)];
  return {
    kernel_size: within("kernel_size", 1, Math.floor((room - 1) / rate) + 1),
    rate: within("rate", 1, k > 1 ? Math.floor((room - 1) / (k - 1)) : Infinity),
    stride: within("stride", 1, Infinity),
    padding: within("padding", Math.ceil((span - size) / 2), Infinity),
    size: within("size", span - 2 * padding, Infinity),
  };
}

function atrousRepair(state, key) {
  let note = "";
  const mended = { ...state };
  if (key in ATROUS_RANGES) {
    const [low, high] = atrousLimits(state)[key];
    mended[key] = clamp(state[key], low, high);
    const words = { kernel_size: "Kernel size", rate: "Rate", padding: "Padding", size: "Input size" }[key];
    const span = effectiveKernel(state.kernel_size, state.rate), room = state.size + 2 * state.padding;
    if (mended[key] !== state[key]) note = `${words} stops at ${mended[key]}: past it, the kernel spans ${span} samples and the padded input has ${room}.`;
  }
  const m = outputSize(mended.size, mended.kernel_size, mended.rate, mended.stride, mended.padding);
  mended.column = clamp(mended.column, 0, m - 1);
  mended.row = mended.dims === 1 ? 0 : clamp(mended.row, 0, m - 1);
  return { state: mended, note };
}

// Everything the drawing needs to know.
function atrousFacts(state) {
  const { kernel_size: k, rate, stride, padding, size, dims } = state;
  const columns = tapsOf(state.column, k, rate, stride, padding);
  const rows = dims === 1 ? [0] : tapsOf(state.row, k, rate, stride, padding);
  const onMap = (taps) => taps.filter((t) => t >= 0 && t < size).length;
  return {
    span: effectiveKernel(k, rate), outputs: outputSize(size, k, rate, stride, padding), weights: dims === 1 ? k : k * k,
    columns, rows, valid: onMap(columns) * (dims === 1 ? 1 : onMap(rows)),
  };
}

function atrousPlan(state) {
  const room = state.size + 2 * state.padding;
  const cell = Math.min(286 / room, 24);
  const outputs = outputSize(state.size, state.kernel_size, state.rate, state.stride, state.padding);
  const middle = 174;
  return { cell, outputs, inX: 195 - (cell * room) / 2 + state.padding * cell, inY: middle - (cell * state.size) / 2,
    outX: 645 - (cell * outputs) / 2, outY: middle - (cell * outputs) / 2 };
}

function gridLines(x, y, n, cell, rows = n) {
  if (cell < 4) return "";
  let d = "";
  for (let i = 1; i < n; i++) d += line(x + i * cell, y, x + i * cell, y + rows * cell);
  for (let i = 1; i < rows; i++) d += line(x, y + i * cell, x + n * cell, y + i * cell);
  return path(d, "dx-grid");
}

function drawAtrous2d(state) {
  const facts = atrousFacts(state), { cell, inX, inY, outX, outY, outputs } = atrousPlan(state), { size, padding } = state;
  const parts = [
    text(195, 16, `input ${size} × ${size}${padding ? `, padded by ${padding}` : ""}`, "dx-mid"),
    text(645, 16, `output ${outputs} × ${outputs}`, "dx-mid"),
  ];
  if (padding) {
    const p = padding * cell;
    parts.push(path(box(inX - p, inY - p, size * cell + 2 * p), "dx-pad-back"), path(box(inX - p, inY - p, size * cell + 2 * p), "dx-pad"));
  }
  parts.push(path(box(inX, inY, size * cell), "dx-map"), gridLines(inX, inY, size, cell), path(box(inX, inY, size * cell), "dx-edge"));
  parts.push(path(box(outX, outY, outputs * cell), "dx-out-map"), gridLines(outX, outY, outputs, cell), path(box(outX, outY, outputs * cell), "dx-edge"));

  const wx = inX + facts.columns[0] * cell, wy = inY + facts.rows[0] * cell, w = facts.span * cell;
  const ox = outX + state.column * cell, oy = outY + state.row * cell;
  parts.push(path(`M${round(wx + w)} ${round(wy)}L${round(ox)} ${round(oy)}V${round(oy + cell)}L${round(wx + w)} ${round(wy + w)}z`, "dx-beam"));
  parts.push(path(line(wx + w, wy, ox, oy) + line(wx + w, wy + w, ox, oy + cell), "dx-ray"));
  parts.push(path(box(wx, wy, w), "dx-window"));
  parts.push(drawTaps(facts, state, (c, r) => [inX + c * cell, inY + r * cell], cell));
  parts.push(path(box(ox, oy, cell), "dx-output"));
  return parts.join("");
}

// Taps on the map: filled, with a dot. Taps on the padding: hollow, with a cross.
function drawTaps(facts, state, place, cell) {
  let on = "", off = "", crosses = "", dots = "";
  const inside = (t) => t >= 0 && t < state.size;
  for (const r of facts.rows) for (const c of facts.columns) {
    const [x, y] = place(c, r);
    if (inside(c) && (state.dims === 1 || inside(r))) {
      on += box(x, y, cell);
      dots += svg("circle", { cx: x + cell / 2, cy: y + cell / 2, r: Math.max(0.6, cell / 7), class: "dx-dot" });
    } else {
      off += box(x + 0.5, y + 0.5, cell - 1);
      if (cell > 9) crosses += line(x + cell * 0.28, y + cell * 0.28, x + cell * 0.72, y + cell * 0.72) + line(x + cell * 0.72, y + cell * 0.28, x + cell * 0.28, y + cell * 0.72);
    }
  }
  return path(on, "dx-tap") + dots + path(off, "dx-tap-off", { "stroke-width": Math.min(1.5, cell / 7) }) + path(crosses, "dx-tap-cross");
}

function drawAtrous1d(state) {
  const facts = atrousFacts(state), { size, padding, stride } = state, room = size + 2 * padding;
  const cell = Math.min(800 / room, 40), inX = 420 - (cell * room) / 2 + padding * cell, inY = 214, outY = 70;
  // Output i stands over the middle of its taps, so a stride shows as a gap.
  const reach = ((facts.span - 1) / 2 - padding) * cell;
  const outX = (i) => inX + reach + i * stride * cell;
  const side = Math.min(cell, 40);
  const parts = [text(20, outY - 18, `output, ${facts.outputs} samples`), text(20, inY + side + 26, `input, ${size} samples${padding ? `, padded by ${padding}` : ""}`)];
  if (padding) for (const x of [inX - padding * cell, inX + size * cell]) parts.push(path(box(x, inY, padding * cell, side), "dx-pad"));
  parts.push(path(box(inX, inY, size * cell, side), "dx-map"), gridLines(inX, inY, size, cell, 1), path(box(inX, inY, size * cell, side), "dx-edge"));
  let outs = "";
  for (let i = 0; i < facts.outputs; i++) outs += box(outX(i), outY, cell, side);
  parts.push(path(outs, "dx-out-cell"));
  const at = outX(state.column);
  parts.push(path(facts.columns.map((c) => line(at + cell / 2, outY + side, inX + (c + 0.5) * cell, inY)).join(""), "dx-ray dx-ray-tap"));
  parts.push(path(box(inX + facts.columns[0] * cell, inY, facts.span * cell, side), "dx-window"));
  parts.push(drawTaps(facts, state, (c) => [inX + c * cell, inY + (side - cell) / 2], cell));
  parts.push(path(box(at, outY, cell, side), "dx-output"));
  parts.push(text(420, 312, equationOf(state, facts), "dx-mid dx-math"));
  return parts.join("");
}

function equationOf(state, facts) {
  const terms = facts.columns.map((c, j) => `${c >= 0 && c < state.size ? `x[${c}]` : "0"} w[${j}]`);
  return `y[${state.column}] = ${terms.join(" + ")}`;
}

const slider = (key, label, range, limit, show) => ({ key, label, min: range[0], max: range[1], low: limit?.[0], high: limit?.[1], show,
  get: (state) => state[key], set: (_, value) => ({ [key]: value }) });

const atrous = {
  title: "Atrous convolution: what one output reads",
  about: "Point at the output, or focus the figure and press the arrow keys: the input samples that the output reads light up.",
  figure: "Input map and output map. Arrow keys move the chosen output.",
  width: 840, height: 330,
  state: ["dims", "kernel_size", "rate", "stride", "padding", "size", "row", "column"],
  controls(state) {
    const limits = atrousLimits(state), labels = { kernel_size: "Kernel size k", rate: "Rate r", stride: "Stride s", padding: "Padding p", size: "Input size n" };
    return [
      { key: "dims", label: "Dimensions", options: [[2, "2-D, an image"], [1, "1-D, a signal"]], get: (s) => s.dims, set: (_, value) => ({ dims: value }) },
      ...Object.entries(labels).map(([key, label]) => slider(key, label, ATROUS_RANGES[key], limits[key])),
    ];
  },
  repair: atrousRepair,
  draw: (state) => (state.dims === 1 ? drawAtrous1d(state) : drawAtrous2d(state)),
  tiles(state) {
    const { kernel_size: k, rate, stride, padding, size, dims } = state, facts = atrousFacts(state), each = dims === 1 ? "" : " × " + facts.outputs;
    return [
      { label: "Effective kernel kₑ", value: `${facts.span}${dims === 1 ? "" : ` × ${facts.span}`}`, formula: `k + (k − 1)(r − 1) = ${k} + ${k - 1}·${rate - 1}` },
      { label: "Output size", value: `${facts.outputs}${each}`, formula: `⌊(n + 2p − kₑ) / s⌋ + 1 = ⌊${size + 2 * padding - facts.span} / ${stride}⌋ + 1` },
      { label: "Weights", value: String(facts.weights), formula: `${dims === 1 ? "k" : "k²"}, whatever the rate` },
      { label: "Taps on the map", value: `${facts.valid} of ${facts.weights}`, formula: facts.valid < facts.weights ? "the others meet the zero padding" : "none meets padding" },
    ];
  },
  says(state) {
    const facts = atrousFacts(state), list = (name, values) => `${name}${values.length === 1 ? "" : "s"} ${values.join(", ").replaceAll("-", "−")}`;
    const read = state.dims === 1 ? `Output ${state.column} of ${facts.outputs} reads input ${list("sample", facts.columns)}`
      : `Output (${state.row}, ${state.column}) of ${facts.outputs} × ${facts.outputs} reads ${list("row", facts.rows)} and ${list("column", facts.columns)} of the input`;
    return `${read}: ${facts.valid} of ${facts.weights} ${facts.weights === 1 ? "tap" : "taps"} on the map, in a window ${facts.span} wide.`;
  },
  point(x, y, state) {
    if (state.dims === 1) {
      const facts = atrousFacts(state), cell = Math.min(800 / (state.size + 2 * state.padding), 40);
      const first = 420 - (cell * (state.size + 2 * state.padding)) / 2 + ((facts.span - 1) / 2) * cell;
      const column = Math.round((x - first - cell / 2) / (cell * state.stride));
      return y < 150 && column >= 0 && column < facts.outputs ? { column } : null;
    }
    const { cell, outX, outY, outputs } = atrousPlan(state);
    const column = Math.floor((x - outX) / cell), row = Math.floor((y - outY) / cell);
    return column >= 0 && row >= 0 && column < outputs && row < outputs ? { column, row } : null;
  },
  key(name, state) {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[name];
    if (step) return { row: state.row + step[0], column: state.column + step[1] };
    return { Home: { row: 0, column: 0 }, End: { row: 1e6, column: 1e6 } }[name] || null;
  },
};
