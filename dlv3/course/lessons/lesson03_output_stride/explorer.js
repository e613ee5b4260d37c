// The output-stride ladder: ResNet's blocks, whose strides turn into rates, and the costs.

// The stem and the blocks with their sums over all convolutions; the Python twin is OutputStrideLadder.rungs.
const ladder = (state) => backboneStages(state).map(({ convolutions, ...rung }) => ({
  ...rung, weights: total(convolutions, "weights"), multiply_adds: total(convolutions, "multiply_adds"), values: total(convolutions, "outputs"),
}));

const giga = (x) => digits(x / 1e9);

// Equal neighbours written once: [1, 2, 2, 2] -> [[1, 1], [2, 3]].
function grouping(rates) {
  const groups = [];
  for (const rate of rates) if (groups.at(-1)?.[0] === rate) groups.at(-1)[1]++; else groups.push([rate, 1]);
  return groups;
}

const SLOT = 92, LEFT = 100;

function drawStairs(rungs, plain) {
  const y = (stride) => 30 + (Math.log2(stride) - 2) * 19, parts = [];
  for (const stride of [4, 8, 16, 32, 64, 128, 256]) {
    parts.push(path(line(LEFT, y(stride), 836, y(stride)), "dx-grid"), text(LEFT - 8, y(stride) + 4, String(stride), "dx-s dx-end dx-q"));
  }
  parts.push(text(0, 34, "stride of", "dx-s"), text(0, 48, "the map", "dx-s"), text(0, 62, "put out", "dx-s"));
  const stairs = (list) => list.map((rung, i) => `${i ? "L" : "M"}${LEFT + i * SLOT} ${y(rung.stride)}H${LEFT + (i + 1) * SLOT}`).join("");
  const gained = rungs.map((rung, i) => (plain[i].stride > rung.stride ? box(LEFT + i * SLOT, y(rung.stride), SLOT, y(plain[i].stride) - y(rung.stride)) : "")).join("");
  parts.push(path(gained, "dx-gained"), path(stairs(plain), "dx-stair-plain"), path(stairs(rungs), "dx-stair"));
  rungs.forEach((rung, i) => parts.push(text(LEFT + (i + 0.5) * SLOT, 16, rung.name, "dx-mid dx-bold")));
  return parts.join("");
}

function drawChips(rungs) {
  const parts = [text(0, 186, "rates of units", "dx-s"), text(0, 208, "map put out", "dx-s"), text(0, 222, "channels", "dx-s dx-q")];
  rungs.forEach((rung, i) => {
    const groups = grouping(rung.rates), wide = groups.length > 2 ? 26 : 38, x0 = LEFT + (i + 0.5) * SLOT - (groups.length * (wide + 2)) / 2;
    groups.forEach(([rate, times], j) => {
      const x = x0 + j * (wide + 2);
      parts.push(svg("rect", { x, y: 172, width: wide, height: 20, rx: 4, class: rate > 1 ? "dx-chip" : "dx-chip-off" }));
      parts.push(text(x + wide / 2, 186, times > 1 ? `${rate} ×${times}` : String(rate), `dx-s dx-mid ${rate > 1 ? "dx-on-chip" : ""}`));
    });
    if (!groups.length) parts.push(text(LEFT + (i + 0.5) * SLOT, 186, "–", "dx-s dx-mid dx-q"));
    parts.push(text(LEFT + (i + 0.5) * SLOT, 208, `${rung.size} × ${rung.size}`, "dx-s dx-mid"), text(LEFT + (i + 0.5) * SLOT, 222, String(rung.channels), "dx-s dx-mid dx-q"));
  });
  return parts.join("");
}

function drawPrice(rungs, plain) {
  const base = 322, tall = 62, parts = [];
  const scale = (name) => tall / Math.max(...rungs.map((rung) => rung[name]), ...plain.map((rung) => rung[name]));
  const perAdd = scale("multiply_adds"), perValue = scale("values");
  let adds = "", values = "", before = "";
  rungs.forEach((rung, i) => {
    const x = LEFT + i * SLOT, h = rung.multiply_adds * perAdd, v = rung.values * perValue;
    adds += box(x + 12, base - h, 30, h);
    values += box(x + 50, base - v, 30, v);
    before += box(x + 12, base - plain[i].multiply_adds * perAdd, 30, plain[i].multiply_adds * perAdd) + box(x + 50, base - plain[i].values * perValue, 30, plain[i].values * perValue);
    parts.push(text(x + 27, base - Math.max(h, plain[i].multiply_adds * perAdd) - 4, giga(rung.multiply_adds), "dx-s dx-mid"));
    parts.push(text(x + 65, base - Math.max(v, plain[i].values * perValue) - 4, mebibytes(rung.values), "dx-s dx-mid"));
  });
  parts.push(path(adds, "dx-bar"), path(values, "dx-bar-2"), path(values, "dx-pad"), path(before, "dx-bar-base"), path(line(LEFT, base, LEFT + 8 * SLOT, base), "dx-axis"));
  parts.push(path(box(0, 258, 12), "dx-bar"), text(18, 268, "10⁹ mult-adds", "dx-s"), path(box(0, 278, 12), "dx-bar-2"), path(box(0, 278, 12), "dx-pad"), text(18, 288, "memory, MiB", "dx-s"));
  parts.push(path(box(0, 298, 12), "dx-bar-base"), text(18, 308, "without atrous", "dx-s"));
  return parts.join("");
}

const GRIDS = [[1, 1, 1], [1, 2, 1], [1, 2, 3], [1, 2, 4], [2, 2, 2]];

const outputStride = {
  title: "The output-stride ladder: strides turn into rates",
  about: "Lower the output stride: the stairs stop falling, the blocks behind take rates instead, and the maps stay large, at a price.",
  figure: "Stairs of strides, rates, map sizes and costs of the network's blocks.",
  width: 840, height: 330,
  state: ["backbone", "blocks", "first_unit", "multi_grid", "output_stride", "size"],
  controls(state) {
    return [
      { key: "output_stride", label: "Output stride", min: 2, max: 8, high: Math.log2(largestStride(state.blocks)), show: (value) => String(2 ** value),
        get: (s) => Math.log2(s.output_stride), set: (_, value) => ({ output_stride: 2 ** value }) },
      { key: "blocks", label: "Blocks, the cascade's depth", min: 4, max: 7, low: fewestBlocks(state.output_stride), get: (s) => s.blocks, set: (_, value) => ({ blocks: value }) },
      { key: "size", label: "Picture's side, pixels", min: 65, max: 1025, step: 32, get: (s) => s.size, set: (_, value) => ({ size: value }) },
      { key: "multi_grid", label: "Multi-grid, from block 4 on", options: GRIDS.map((grid) => [String(grid), inBrackets(grid)]), get: (s) => String(s.multi_grid),
        set: (_, value) => ({ multi_grid: value.split(",").map(Number) }) },
      { key: "first_unit", label: "A block's first unit takes", options: [["stage", "its block's rate (the paper)"], ["previous", "the block before's (torchvision)"]],
        get: (s) => s.first_unit, set: (_, value) => ({ first_unit: value }) },
      { key: "backbone", label: "Backbone", options: [["resnet50", "ResNet-50"], ["resnet101", "ResNet-101"]], get: (s) => s.backbone, set: (_, value) => ({ backbone: value }) },
    ];
  },
  repair: reachedStride,
  draw(state) {
    const rungs = ladder(state), plain = ladder({ ...state, output_stride: largestStride(state.blocks) });
    return drawStairs(rungs, plain) + drawChips(rungs) + drawPrice(rungs, plain);
  },
  tiles(state) {
    const rungs = ladder(state), plain = ladder({ ...state, output_stride: largestStride(state.blocks) }), last = rungs.at(-1);
    const times = (name) => `${digits(total(rungs, name) / total(plain, name))} × the price at output stride ${largestStride(state.blocks)}`;
    return [
      { label: "Last feature map", value: `${last.size} × ${last.size}`, formula: `⌈${state.size} / ${state.output_stride}⌉ samples along an axis` },
      { label: "Multiply-adds", value: `${giga(total(rungs, "multiply_adds"))} G`, formula: times("multiply_adds") },
      { label: "Memory of the maps", value: memory(total(rungs, "values")), formula: times("values") },
      { label: "Convolution weights", value: `${(total(rungs, "weights") / 1e6).toFixed(1)} M`, formula: "the same at every output stride" },
    ];
  },
  says(state) {
    const rungs = ladder(state), last = rungs.at(-1), first = rungs.find((rung) => Math.max(0, ...rung.rates) > 1);
    const rates = first ? `Rates start in ${first.name}; ${last.name}'s units have rates ${last.rates.join(", ")}.` : "No stride was given up, so every rate is 1.";
    return `At output stride ${state.output_stride} a picture of ${state.size} × ${state.size} pixels ends as a map of ${last.size} × ${last.size}. ${rates}`;
  },
};
