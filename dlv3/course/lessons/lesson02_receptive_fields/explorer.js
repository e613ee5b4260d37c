// The receptive-field explorer: the pixels that one output of a stack of atrous convolutions sees or misses.

// The arithmetic along one axis; its Python twin is dlv3.receptive_field, checked against the same cases.
const fieldSize = (k, rates) => rates.reduce((size, rate) => size + (k - 1) * rate, 1);

// By layer, last first: the number of paths from each position to the output. paths[0] is the output itself, the last
// entry is the input; positions run from the first one seen to the last.
function pathCounts(k, rates) {
  const layers = [[1]];
  for (const rate of [...rates].reverse()) {
    const above = layers.at(-1), below = new Array(above.length + (k - 1) * rate).fill(0);
    above.forEach((count, i) => { if (count) for (let j = 0; j < k; j++) below[i + j * rate] += count; });
    layers.push(below);
  }
  return layers;
}

function fieldFacts({ kernel_size: k, rates }) {
  const layers = pathCounts(k, rates), input = layers.at(-1);
  const seen = input.filter((count) => count > 0).length;
  return { layers, input, size: input.length, seen, holes: input.length - seen };
}

// [start, length] of each unbroken run of positions for which the test holds.
function runs(counts, test) {
  const found = [];
  counts.forEach((count, i) => {
    if (!test(count)) return;
    const last = found.at(-1);
    if (last && last[0] + last[1] === i) last[1] += 1; else found.push([i, 1]);
  });
  return found;
}

const FIELD_MAX = { layers: 5, rate: 8 };
const STACKS = [[1, 1, 1], [2, 2, 2], [1, 2, 3], [1, 2, 4], [1, 2, 5], [4, 4, 4], [1, 2, 4, 8], [2, 4, 8]];

function drawPyramid(facts) {
  const { layers, size } = facts, rows = layers.length;
  const cell = Math.min(466 / size, 26), centre = 345, top = 26, gap = 212 / (rows - 1), side = Math.min(cell, 18);
  const x = (layer, i) => centre + (i - (layers[layer].length - 1) / 2) * cell;
  const y = (layer) => top + layer * gap;
  const parts = [];
  const rates = facts.rates;
  for (let l = 1; l < rows; l++) {
    const rate = rates[rates.length - l];
    let d = "";
    layers[l - 1].forEach((count, i) => {
      if (count) for (let j = 0; j < facts.k; j++) d += line(x(l - 1, i), y(l - 1) + side / 2, x(l, i + j * rate), y(l) - side / 2);
    });
    parts.push(path(d, "dx-link"));
  }
  for (let l = 0; l < rows; l++) {
    let seen = "", missed = "";
    layers[l].forEach((count, i) => { const d = box(x(l, i) - cell / 2, y(l) - side / 2, cell, side); if (count) seen += d; else missed += d; });
    const input = l === rows - 1;
    parts.push(path(missed, input ? "dx-hole" : "dx-unit"), path(seen, l === 0 ? "dx-output" : "dx-seen dx-cell"));
    const words = l === 0 ? "one output" : input ? "input" : `after layer ${rows - 1 - l}`;
    parts.push(text(0, y(l) + 4, words, "dx-s"));
    if (!input) parts.push(text(0, y(l) + gap / 2 + 4, `layer ${rows - 1 - l}: rate ${rates[rates.length - 1 - l]}`, "dx-s dx-q"));
  }
  const base = 330, most = Math.max(...facts.input);
  let bars = "";
  facts.input.forEach((count, i) => { if (count) { const h = Math.max(1.5, (58 * count) / most); bars += box(x(rows - 1, i) - cell * 0.36, base - h, cell * 0.72, h); } });
  parts.push(path(bars, "dx-bar-2"), path(line(centre - (size * cell) / 2, base, centre + (size * cell) / 2, base), "dx-axis"));
  parts.push(text(0, base - 8, `paths, up to ${grouped(most)}`, "dx-s"));
  return parts.join("");
}

// The same in two dimensions: seen where both axes are seen.
function drawPattern(facts) {
  const side = 236, x0 = 600, y0 = 44, cell = side / facts.size;
  const seen = runs(facts.input, (count) => count > 0);
  let d = "";
  for (const [r, h] of seen) for (const [c, w] of seen) d += box(x0 + c * cell, y0 + r * cell, w * cell, h * cell);
  const parts = [text(x0 + side / 2, 26, `in an image: ${facts.size} × ${facts.size} pixels`, "dx-mid")];
  parts.push(path(box(x0, y0, side), facts.holes ? "dx-hole" : "dx-map"), path(d, "dx-seen"));
  if (cell > 6) {
    let grid = "";
    for (let i = 1; i < facts.size; i++) grid += line(x0 + i * cell, y0, x0 + i * cell, y0 + side) + line(x0, y0 + i * cell, x0 + side, y0 + i * cell);
    parts.push(path(grid, "dx-grid dx-grid-light"));
  }
  parts.push(path(box(x0, y0, side), "dx-edge"));
  parts.push(path(box(x0, 298, 14), "dx-seen"), text(x0 + 20, 309, "seen", "dx-s"));
  parts.push(path(box(x0 + 76, 298, 14), "dx-hole"), text(x0 + 96, 309, "a hole: never read", "dx-s"));
  return parts.join("");
}

const receptiveField = {
  title: "Receptive field: what one output of a stack sees",
  about: "Choose how many layers there are and the rate of each. Blue pixels are read by some path; crossed ones are holes (gridding).",
  figure: "Pyramid from one output down to the input, and the pattern of pixels it sees.",
  width: 840, height: 340,
  state: ["kernel_size", "rates"],
  controls(state) {
    const own = STACKS.some((rates) => inBrackets(rates) === inBrackets(state.rates));
    return [
      { key: "stack", label: "Rates to try", options: [["own", "your own"], ...STACKS.map((rates) => [inBrackets(rates), inBrackets(rates)])],
        get: () => (own ? inBrackets(state.rates) : "own"), set: (now, value) => ({ rates: STACKS.find((rates) => inBrackets(rates) === value) || now.rates }) },
      { key: "kernel_size", label: "Kernel size k", min: 2, max: 5, get: (s) => s.kernel_size, set: (_, value) => ({ kernel_size: value }) },
      { key: "depth", label: "Layers", min: 1, max: FIELD_MAX.layers, get: (s) => s.rates.length,
        set: (s, value) => ({ rates: Array.from({ length: value }, (_, i) => s.rates[i] ?? 1) }) },
      ...Array.from({ length: FIELD_MAX.layers }, (_, i) => ({ key: `rate${i + 1}`, label: `Rate of layer ${i + 1}`, min: 1, max: FIELD_MAX.rate,
        disabled: i >= state.rates.length, show: (value) => (i < state.rates.length ? String(value) : "none"), get: (s) => s.rates[i] ?? 1,
        set: (s, value) => ({ rates: s.rates.map((rate, j) => (j === i ? value : rate)) }) })),
    ];
  },
  repair: (state) => ({ state, note: "" }),
  draw(state) {
    const facts = { ...fieldFacts(state), rates: state.rates, k: state.kernel_size };
    return drawPyramid(facts) + drawPattern(facts);
  },
  tiles(state) {
    const { kernel_size: k, rates } = state, facts = fieldFacts(state), share = (100 * facts.seen ** 2) / facts.size ** 2;
    return [
      { label: "Receptive field", value: `${facts.size} × ${facts.size}`, formula: `1 + (k − 1)·Σr = 1 + ${k - 1}·${rates.length > 1 ? `(${rates.join(" + ")})` : rates[0]}` },
      { label: "Holes along one axis", value: `${facts.holes} of ${facts.size}`, formula: facts.holes ? "pixels that no path reaches" : "every pixel is reached" },
      { label: "Pixels seen in an image", value: `${share.toFixed(share === 100 ? 0 : 1)}%`, formula: `${facts.seen}² of ${facts.size}² pixels` },
      { label: "Weights of the stack", value: `${rates.length * k * k}`, formula: `${rates.length} · k², per channel pair, whatever the rates` },
    ];
  },
  says(state) {
    const facts = fieldFacts(state), missed = facts.size ** 2 - facts.seen ** 2;
    const found = facts.holes ? `reads ${facts.seen} of them and leaves ${facts.holes} ${facts.holes === 1 ? "hole" : "holes"}; in an image ${grouped(missed)} of ${grouped(facts.size ** 2)} pixels go unread.` : "reads every one of them: no holes.";
    const rates = state.rates.length === 1 ? `rate ${state.rates[0]}` : `rates ${inBrackets(state.rates)}`;
    return `With ${rates} one output spans ${facts.size} pixels along an axis and ${found}`;
  },
};
