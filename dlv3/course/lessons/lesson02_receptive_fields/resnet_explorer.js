// A ResNet on one screen: its blocks, the units of the block that is open, the convolutions of the unit that is open.

// The arithmetic; its Python twin, ResNetExplorer, reads the same figures from the library's network.
const RESNET_SIDE = 513; // pixels of the square picture
const conv = (name, k, from, to, stride, rate, apart) => ({ name, kernel_size: k, channels_in: from, channels_out: to, stride, rate, side: sideAt(RESNET_SIDE, apart) });
const unitsOf = ({ backbone, block }) => (block ? BLOCK_UNITS[backbone][block - 1] : 0);
const blockName = (block) => (block ? `block${block}` : "stem");
const layerName = (block) => (block ? `layer${block}` : "conv1, maxpool");

// The convolutions that are open, in order, the shortcut's last. `apart`: pixels between neighbouring samples of a map.
function openConvolutions({ backbone, block, unit, output_stride: os, first_unit: rule }) {
  if (!block) return [conv("conv1", 7, 3, 64, 2, 1, 2), conv("maxpool", 3, 64, 64, 2, 1, 4)];
  const units = unitsOf({ backbone, block }), width = BLOCK_WIDTHS[block - 1], first = unit === 1, last = unit === units;
  const inside = mapStride(block, os), before = block > 1 ? mapStride(block - 1, os) : inside, after = block < 4 ? mapStride(block + 1, os) : inside;
  const own = rule === "previous" && first; // the unit whose own 3×3 has, or had, the block's stride
  const reads = own ? before : inside, puts = rule === "stage" && last ? after : inside, stride = puts / reads;
  const rate = own && block > 1 ? baseRate(block - 1, os) : baseRate(block, os);
  const from = first ? (block > 1 ? 2 * width : 64) : 4 * width, name = `layer${block}.${unit - 1}`;
  const found = [conv(`${name}.conv1`, 1, from, width, 1, 1, reads), conv(`${name}.conv2`, 3, width, width, stride, rate, puts), conv(`${name}.conv3`, 1, width, 4 * width, 1, 1, puts)];
  if (first) found.push(conv(`${name}.downsample.0`, 1, from, 4 * width, stride, 1, puts));
  return found;
}

// Pixels between neighbouring samples of the map that is read, and of the map that is put out.
function openStrides(state) {
  if (!state.block) return { reads: 1, puts: 4 };
  const inside = mapStride(state.block, state.output_stride), first = state.unit === 1, last = state.unit === unitsOf(state);
  return {
    reads: state.first_unit === "previous" && first && state.block > 1 ? mapStride(state.block - 1, state.output_stride) : inside,
    puts: state.first_unit === "stage" && last && state.block < 4 ? mapStride(state.block + 1, state.output_stride) : inside,
  };
}

const convolutionWeights = (list) => list.filter((each) => each.name !== "maxpool").reduce((sum, c) => sum + c.kernel_size ** 2 * c.channels_in * c.channels_out, 0);
function networkWeights(state) {
  let sum = 0;
  for (let block = 0; block <= 4; block++) for (let unit = 1; unit <= Math.max(1, unitsOf({ ...state, block })); unit++) sum += convolutionWeights(openConvolutions({ ...state, block, unit }));
  return sum;
}
const shortcutKind = (list) => (list.length === 4 ? "projection" : list[1].stride > 1 ? "every 2nd sample" : "identity");
const square = (side) => `${side} × ${side}`;
const millions = (n) => (n >= 1e6 ? `${(n / 1e6).toFixed(1)} M` : grouped(n));

const NET = { left: 90, wide: 136, apart: 152, top: 4, high: 98 };
const blockX = (block) => NET.left + block * NET.apart;
const unitX = (units, i) => NET.left + (i * (4 * NET.apart + NET.wide)) / units;
const ROW = { units: 130, high: 44, unit: 200 };
const arrow = (x1, y, x2) => path(`${line(x1, y, x2 - 5, y)}`, "dx-axis") + path(`M${x2} ${y}l-7 -4v8z`, "dx-arrow");

function drawNetwork(state) {
  const middle = NET.top + NET.high / 2;
  const parts = [path(box(0.5, NET.top + 23, 66, NET.high - 46), "dx-map"), path(box(0.5, NET.top + 23, 66, NET.high - 46), "dx-edge"),
    text(33, middle, "picture", "dx-mid dx-bold"), text(33, middle + 16, square(RESNET_SIDE), "dx-s dx-mid")];
  for (let block = 0; block <= 4; block++) {
    const x = blockX(block), c = x + NET.wide / 2, units = unitsOf({ ...state, block }), open = block === state.block;
    const last = openConvolutions({ ...state, block, unit: Math.max(1, units) })[block ? 2 : 1];
    parts.push(arrow(block ? x - 16 : 67, middle, x), svg("rect", { x, y: NET.top, width: NET.wide, height: NET.high, rx: 6, class: open ? "dx-out-map" : "dx-map" }),
      svg("rect", { x, y: NET.top, width: NET.wide, height: NET.high, rx: 6, class: open ? "dx-open" : "dx-edge" }),
      text(c, NET.top + 19, blockName(block), "dx-mid dx-bold"), text(c, NET.top + 35, layerName(block), "dx-s dx-mid dx-q dx-code"));
    let ticks = "";
    for (let i = 0; i < units; i++) ticks += box(c + (i - units / 2) * (units > 6 ? 5 : 14) + 1, NET.top + 43, units > 6 ? 3 : 10, 12);
    parts.push(block ? path(ticks, "dx-bar") : text(c, NET.top + 53, "no units", "dx-s dx-mid dx-q"));
    parts.push(text(c, NET.top + 73, square(last.side), "dx-s dx-mid"), text(c, NET.top + 89, `${last.channels_out} channels`, "dx-s dx-mid"));
  }
  return parts.join("");
}

function drawUnits(state) {
  const units = unitsOf(state), top = NET.top + NET.high, x = blockX(state.block), right = unitX(1, 1);
  const parts = [];
  if (!units) return text(NET.left, ROW.units + 26, "The stem has no units: one convolution, then max-pooling.", "dx-q");
  parts.push(path(line(x, top, NET.left, ROW.units) + line(x + NET.wide, top, right, ROW.units), "dx-ray"));
  parts.push(text(0, ROW.units + 18, "units of", "dx-s"), text(0, ROW.units + 33, `block${state.block}`, "dx-s dx-bold"));
  for (let i = 0; i < units; i++) {
    const from = unitX(units, i), wide = unitX(units, i + 1) - from - 4, c = from + wide / 2, open = i + 1 === state.unit, narrow = units > 6;
    parts.push(svg("rect", { x: from, y: ROW.units, width: wide, height: ROW.high, rx: 5, class: open ? "dx-out-map" : "dx-map" }), svg("rect", { x: from, y: ROW.units, width: wide, height: ROW.high, rx: 5, class: open ? "dx-open" : "dx-edge" }));
    parts.push(text(c, ROW.units + 19, narrow ? String(i + 1) : `unit ${i + 1}`, `dx-mid ${open ? "dx-bold" : ""}`), text(c, ROW.units + 36, narrow ? `.${i}` : `layer${state.block}.${i}`, "dx-s dx-mid dx-q dx-code"));
  }
  const from = unitX(units, state.unit - 1), to = unitX(units, state.unit) - 4;
  parts.push(path(line(from, ROW.units + ROW.high, 0, ROW.unit) + line(to, ROW.units + ROW.high, 840, ROW.unit), "dx-ray"));
  return parts.join("");
}

// A convolution as a box: what it is, what it does to the map, and its name in torchvision.
function drawConvolution(each, x, y, wide, high, title) {
  const c = x + wide / 2, parts = [svg("rect", { x, y, width: wide, height: high, rx: 6, class: "dx-map" }), svg("rect", { x, y, width: wide, height: high, rx: 6, class: "dx-edge" })];
  parts.push(text(c, y + 21, title || `${each.kernel_size} × ${each.kernel_size}`, "dx-mid dx-heading"), text(c, y + 40, `${each.channels_in} → ${each.channels_out} channels`, "dx-s dx-mid"));
  const chips = [[`stride ${each.stride}`, each.stride > 1], [`rate ${each.rate}`, each.rate > 1]].slice(0, each.name === "maxpool" ? 1 : 2);
  chips.forEach(([words, on], i) => {
    const w = 58, left = c - (chips.length * (w + 4) - 4) / 2 + i * (w + 4);
    parts.push(svg("rect", { x: left, y: y + 49, width: w, height: 20, rx: 4, class: on ? "dx-chip" : "dx-chip-off" }), text(left + w / 2, y + 63, words, `dx-s dx-mid ${on ? "dx-on-chip" : ""}`));
  });
  parts.push(text(c, y + 86, `puts out ${square(each.side)}`, "dx-s dx-mid"), text(c, y + high - 8, each.name, "dx-s dx-mid dx-q dx-code"));
  return parts.join("");
}

function drawUnit(state) {
  const list = openConvolutions(state), { reads, puts } = openStrides(state), main = state.block ? list.slice(0, 3) : list, y = 312, high = 112, mid = y + high / 2, wide = 158;
  const side = (apart) => square(sideAt(RESNET_SIDE, apart)), gap = 26, x0 = 116, ends = x0 + main.length * (wide + gap), plus = ends + 18, top = 240;
  const parts = [path(box(0.5, ROW.unit, 839, 246), "dx-frame")];
  parts.push(text(12, mid - 6, "reads", "dx-s dx-q"), text(12, mid + 10, side(reads), "dx-bold"), text(12, mid + 26, `${list[0].channels_in} channels`, "dx-s"));
  parts.push(arrow(92, mid, x0));
  main.forEach((each, i) => {
    const x = x0 + i * (wide + gap);
    parts.push(drawConvolution(each, x, y, wide, high, each.name === "maxpool" ? "3 × 3 maximum" : ""));
    parts.push(arrow(x + wide, mid, state.block && i === 2 ? plus - 13 : x + wide + gap));
  });
  const out = state.block ? plus + 20 : ends + 6, exit = state.block ? arrow(plus + 13, mid, plus + 38) : "";
  parts.push(exit, text(out + (state.block ? 24 : 0), mid - 6, "puts out", "dx-s dx-q"), text(out + (state.block ? 24 : 0), mid + 10, side(puts), "dx-bold"), text(out + (state.block ? 24 : 0), mid + 26, `${main.at(-1).channels_out} channels`, "dx-s"));
  if (state.block) {
    const kind = shortcutKind(list), from = 102;
    parts.push(path(`M${from} ${mid}V${top}H${plus}V${mid - 13}`, "dx-shortcut"), path(`M${plus} ${mid - 13}l-4 -7h8z`, "dx-arrow"));
    parts.push(svg("circle", { cx: plus, cy: mid, r: 12, class: "dx-output" }), path(line(plus - 6, mid, plus + 6, mid) + line(plus, mid - 6, plus, mid + 6), "dx-plus"));
    const c = (from + plus) / 2;
    if (kind === "projection") {
      const p = list[3], w = 380;
      parts.push(svg("rect", { x: c - w / 2, y: top - 30, width: w, height: 58, rx: 6, class: "dx-map" }), svg("rect", { x: c - w / 2, y: top - 30, width: w, height: 58, rx: 6, class: "dx-edge" }));
      parts.push(text(c, top - 11, `shortcut: a projection, 1 × 1, ${p.channels_in} → ${p.channels_out} channels`, "dx-mid dx-s dx-bold"));
      parts.push(text(c, top + 5, `stride ${p.stride}, puts out ${square(p.side)}`, "dx-mid dx-s"), text(c, top + 21, p.name, "dx-mid dx-s dx-q dx-code"));
    } else {
      const words = kind === "identity" ? "shortcut: the map that was read, as it is" : "shortcut: every 2nd sample of every 2nd row";
      parts.push(text(c, top - 10, words, "dx-mid dx-s dx-bold"));
    }
  }
  const foot = state.block ? "Batch normalization follows every convolution, and ReLU the first, the second and the sum." : "Batch normalization and ReLU follow the convolution.";
  parts.push(text(12, ROW.unit + 240, foot, "dx-s dx-q"));
  return parts.join("");
}

// The place under a point: a block, or a unit of the open block.
function opened(x, y, state) {
  if (x < NET.left) return null;
  if (y >= NET.top && y <= NET.top + NET.high) {
    const block = Math.floor((x - NET.left) / NET.apart);
    return block <= 4 && x - blockX(block) <= NET.wide ? { block } : null;
  }
  if (y >= ROW.units && y <= ROW.units + ROW.high && state.block) {
    const units = unitsOf(state);
    return { unit: clamp(1 + Math.floor(((x - NET.left) * units) / (unitX(1, 1) - NET.left)), 1, units) };
  }
  return null;
}

const resnetScreen = {
  title: "A ResNet on one screen",
  about: "Open a block, then one of its units: press on it, use the sliders, or select the figure and use the arrow keys: left and right for units, up and down for blocks.",
  figure: "The blocks of a ResNet, the units of the open block, and the convolutions of the open unit.",
  width: 840, height: 450,
  clicks: true,
  state: ["backbone", "block", "first_unit", "output_stride", "unit"],
  controls(state) {
    const units = unitsOf(state);
    return [
      { key: "block", label: "Open block", min: 0, max: 4, show: (value) => blockName(value), get: (s) => s.block, set: (_, value) => ({ block: value }) },
      { key: "unit", label: "Open unit", min: 1, max: Math.max(2, units), disabled: !units, show: (value) => (units ? `${value} of ${units}` : "none"), get: (s) => s.unit, set: (_, value) => ({ unit: value }) },
      { key: "output_stride", label: "Output stride (lesson 03)", min: 2, max: 5, show: (value) => String(2 ** value), get: (s) => Math.log2(s.output_stride), set: (_, value) => ({ output_stride: 2 ** value }) },
      { key: "backbone", label: "Backbone", options: [["resnet50", "ResNet-50"], ["resnet101", "ResNet-101"]], get: (s) => s.backbone, set: (_, value) => ({ backbone: value }) },
      { key: "first_unit", label: "Where the stride of 2 is", options: [["stage", "before the block (paper)"], ["previous", "in its first unit (torchvision)"]],
        get: (s) => s.first_unit, set: (_, value) => ({ first_unit: value }) },
    ];
  },
  repair: (state) => ({ state: { ...state, unit: clamp(state.unit, 1, Math.max(1, unitsOf(state))) }, note: "" }),
  draw: (state) => drawNetwork(state) + drawUnits(state) + drawUnit(state),
  tiles(state) {
    const list = openConvolutions(state), { puts } = openStrides(state), units = unitsOf(state), last = list[state.block ? 2 : 1], kind = shortcutKind(list);
    const weights = convolutionWeights(list);
    return [
      { label: "torchvision's name", value: state.block ? `layer${state.block}.${state.unit - 1}` : "conv1", formula: state.block ? `unit ${state.unit} of ${units} of block${state.block}` : "the stem, with maxpool" },
      { label: "The map it puts out", value: square(last.side), formula: `${last.channels_out} channels, a sample every ${puts} pixels` },
      { label: "Shortcut", value: state.block ? kind : "none", formula: !state.block ? "only units have one" : kind === "projection" ? `${list[3].channels_in} → ${list[3].channels_out} channels` : kind === "identity" ? "same map, same channels" : "same channels, half the map" },
      { label: state.block ? "Weights of the unit" : "Weights of the stem", value: millions(weights), formula: `of ${millions(networkWeights(state))} in all convolutions` },
    ];
  },
  says(state) {
    const list = openConvolutions(state), [a, b, c] = list, at = `At output stride ${state.output_stride}`;
    if (!state.block) return `${at}, as at any other, a 7×7 with stride 2 puts out ${square(a.side)} samples of 64 channels, and max-pooling with stride 2 leaves ${square(b.side)}.`;
    const shortcut = { projection: "a projection", identity: "the map as it was read", "every 2nd sample": "every second sample" }[shortcutKind(list)];
    return `${at}, unit ${state.unit} of block${state.block} turns ${square(a.side)} × ${a.channels_in} into ${square(c.side)} × ${c.channels_out}: 1×1 to ${a.channels_out} channels, 3×3 with stride ${b.stride} and rate ${b.rate}, 1×1 to ${c.channels_out}. Shortcut: ${shortcut}.`;
  },
  point: (x, y, state) => opened(x, y, state),
  key(name, state) {
    const { block, unit } = state, units = unitsOf(state);
    if (name === "ArrowDown" || name === "ArrowUp") return { block: clamp(block + (name === "ArrowDown" ? 1 : -1), 0, 4) };
    if (name === "Home") return { block: 0, unit: 1 };
    if (name === "End") return { block: 4, unit: unitsOf({ ...state, block: 4 }) };
    if (name === "ArrowRight") return unit < units ? { unit: unit + 1 } : block < 4 ? { block: block + 1, unit: 1 } : null;
    if (name === "ArrowLeft") return units && unit > 1 ? { unit: unit - 1 } : block > 0 ? { block: block - 1, unit: Math.max(1, unitsOf({ ...state, block: block - 1 })) } : null;
    return null;
  },
};
