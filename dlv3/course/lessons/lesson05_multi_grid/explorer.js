// The multi-grid explorer: the samples that a block of three atrous convolutions reads, and two kinds of holes
// (section 3.2.1).

// The arithmetic along one axis; its Python twin is MultiGridExplorer over dlv3.receptive_field, checked case by case.
// The number of paths from each sample of the block's own grid, every base-rate-th of the field, to the output.
function gridPaths(units) {
  let paths = [1];
  for (const unit of units) {
    const wider = new Array(paths.length + 2 * unit).fill(0);
    paths.forEach((count, i) => { for (let tap = 0; tap < 3; tap++) wider[i + tap * unit] += count; });
    paths = wider;
  }
  return paths;
}

function blockFacts({ multi_grid: units, base_rate: base }) {
  const grid = gridPaths(units), size = (grid.length - 1) * base + 1;
  const read = grid.filter((count) => count > 0).length;
  const field = Array.from({ length: size }, (_, i) => (i % base ? 0 : grid[i / base])); // paths at each sample
  return { rates: units.map((unit) => base * unit), grid, field, size, read, holes: grid.length - read,
    skipped: size - grid.length, density: (read / size) ** 2 };
}

const UNIT_MOST = 9;
const UNIT_RATES = [[1, 1, 1], [1, 2, 1], [1, 2, 3], [1, 2, 4], [2, 2, 2], [1, 3, 9], [2, 3, 4], [1, 4, 4]];

// The field in the image: read samples filled, holes of the grid crossed, samples between the grid left empty.
function drawUnion(facts, base) {
  const side = 296, x0 = 4, y0 = 26, cell = side / facts.size, at = (i) => i * base * cell;
  const parts = [text(x0 + side / 2, 14, `one output reads, of ${facts.size} × ${facts.size} samples`, "dx-mid dx-s")];
  parts.push(path(box(x0, y0, side), "dx-map"));
  let seen = "", missed = "";
  facts.grid.forEach((down, r) => facts.grid.forEach((across, c) => {
    const d = box(x0 + at(c), y0 + at(r), cell);
    if (down && across) seen += d; else missed += d;
  }));
  parts.push(path(missed, "dx-hole", { "stroke-width": Math.min(0.8, cell / 8) }), path(seen, cell > 6 ? "dx-seen dx-cell" : "dx-seen"));
  const middle = ((facts.size - 1) / 2) * cell;
  parts.push(path(box(x0 + middle, y0 + middle, cell), "dx-output"), path(box(x0, y0, side), "dx-edge"));
  return parts.join("");
}

function drawKey(base, holes) {
  const rows = [[4, "dx-seen", "read"], [76, "dx-output", "read, the output's own place"], [300, "dx-hole", holes ? "hole: on the block's grid, never read" : "holes in the grid: none"],
    [562, "dx-map", base > 1 ? "between the grid: left to other outputs" : "between the grid: nothing"]];
  return rows.map(([x, cls, words]) => path(box(x, 338, 13), "dx-map") + path(box(x, 338, 13), cls) + path(box(x, 338, 13), "dx-edge") + text(x + 19, 349, words, "dx-s")).join("");
}

// One axis: the three convolutions' taps, then their union with the number of paths.
function drawAxis(facts, units, base) {
  const left = 424, wide = 406, cell = wide / facts.size, centre = left + wide / 2, parts = [];
  const x = (offset) => centre + offset * cell, mark = clamp(cell * 0.8, 3, 13);
  parts.push(text(centre, 14, "along one axis", "dx-mid dx-s"));
  facts.rates.forEach((rate, i) => {
    const y = 44 + i * 44;
    parts.push(text(330, y - 2, `conv ${i + 1}: rate`, "dx-s dx-q"), text(330, y + 14, `${base} · ${units[i]} = ${rate}`, "dx-s dx-bold"));
    parts.push(path(line(left, y + 4, left + wide, y + 4), "dx-grid"));
    parts.push(path(line(x(-rate), y + 4, x(rate), y + 4), "dx-ray-tap dx-ray"));
    parts.push(path([-rate, 0, rate].map((tap) => box(x(tap) - mark / 2, y + 4 - mark / 2, mark)).join(""), "dx-tap"));
  });
  const base0 = 258, top = 66, most = Math.max(...facts.grid), row = 264, deep = 22;
  let bars = "", seen = "", holes = "";
  facts.field.forEach((count, i) => {
    const at = left + i * cell, d = box(at, row, cell, deep);
    if (count) { const h = Math.max(2, (top * count) / most); bars += box(at + cell * 0.12, base0 - h, cell * 0.76, h); seen += d; } else if (i % base === 0) holes += d;
  });
  parts.push(path(bars, "dx-bar-2"), path(line(left, base0, left + wide, base0), "dx-axis"));
  parts.push(path(box(left, row, wide, deep), "dx-map"), path(holes, "dx-hole", { "stroke-width": Math.min(0.8, cell / 8) }), path(seen, cell > 4 ? "dx-seen dx-cell" : "dx-seen"), path(box(left, row, wide, deep), "dx-edge"));
  parts.push(text(330, base0 - 22, "paths to", "dx-s dx-q"), text(330, base0 - 7, `the output, ≤ ${most}`, "dx-s dx-q"), text(330, row + 15, "read or not", "dx-s dx-q"));
  const half = (facts.size - 1) / 2;
  for (const [offset, words] of [[-half, `−${half}`], [0, "0"], [half, `+${half}`]]) parts.push(text(x(offset), row + deep + 16, words, "dx-s dx-mid"));
  parts.push(text(centre, row + deep + 32, "samples of the map from the output", "dx-s dx-mid dx-q"));
  return parts.join("");
}

const multiGrid = {
  title: "Multi-grid: base rate times unit rates",
  about: "Choose the three unit rates and the block's base rate. Which samples of its map does one output read, and which can it never read?",
  figure: "The samples that one output reads, in the image and along one axis, with the three convolutions' taps.",
  width: 840, height: 356,
  state: ["base_rate", "multi_grid"],
  controls(state) {
    const own = !UNIT_RATES.some((units) => inBrackets(units) === inBrackets(state.multi_grid));
    return [
      { key: "stack", label: "Unit rates to try", options: [["own", "your own"], ...UNIT_RATES.map((units) => [inBrackets(units), inBrackets(units)])],
        get: () => (own ? "own" : inBrackets(state.multi_grid)), set: (now, value) => ({ multi_grid: UNIT_RATES.find((units) => inBrackets(units) === value) || now.multi_grid }) },
      { key: "base_rate", label: "Base rate of the block", min: 0, max: 2, show: (value) => String(2 ** value), get: (s) => Math.log2(s.base_rate), set: (_, value) => ({ base_rate: 2 ** value }) },
      ...[0, 1, 2].map((i) => ({ key: `unit${i + 1}`, label: `Unit rate of convolution ${i + 1}`, min: 1, max: UNIT_MOST, get: (s) => s.multi_grid[i],
        set: (s, value) => ({ multi_grid: s.multi_grid.map((unit, j) => (j === i ? value : unit)) }) })),
    ];
  },
  repair: (state) => ({ state, note: "" }),
  draw(state) {
    const facts = blockFacts(state);
    return drawUnion(facts, state.base_rate) + drawAxis(facts, state.multi_grid, state.base_rate) + drawKey(state.base_rate, facts.holes);
  },
  tiles(state) {
    const { multi_grid: units, base_rate: base } = state, facts = blockFacts(state);
    return [
      { label: "Rates of the block", value: inBrackets(facts.rates), formula: `base · unit = ${base}·${inBrackets(units)}` },
      { label: "Field on the map", value: `${facts.size} × ${facts.size}`, formula: `1 + 2 · ${base} · (${units.join(" + ")})` },
      { label: "Density: samples read", value: `${(100 * facts.density).toFixed(1)}%`, formula: `${facts.read}² = ${grouped(facts.read ** 2)} of ${grouped(facts.size ** 2)}` },
      { label: "Holes in the grid", value: `${facts.holes} of ${facts.grid.length}`, formula: `along an axis; between it ${facts.skipped || "none"}` },
    ];
  },
  says(state) {
    const facts = blockFacts(state), missed = facts.grid.length ** 2 - facts.read ** 2;
    const found = missed ? `${grouped(missed)} samples of the block's own grid are holes.` : "the block's own grid has no holes.";
    return `Base rate ${state.base_rate} and unit rates ${inBrackets(state.multi_grid)} make the rates ${inBrackets(facts.rates)}. One output spans ${facts.size} × ${facts.size} samples and reads ${grouped(facts.read ** 2)} of them; ${found}`;
  },
};
