// The price explorer: what each part of a DeepLabv3 costs in parameters, multiply-adds and memory.

// The arithmetic; its Python twin is dlv3.course.kit.price, checked against the same cases.
const PRICE_UNITS = { resnet50: [3, 4, 6, 3], resnet101: [3, 4, 23, 3] };
const PRICE_WIDTHS = [64, 128, 256, 512];
const sampled = (size, stride) => Math.ceil(size / stride);
const strideIn = (block, outputStride) => Math.min(4 * 2 ** (block - 1), outputStride);
const newPart = (name, values = 0) => ({ name, parameters: 0, multiply_adds: 0, values });

// One convolution with batch normalization, or with a bias; `kept` maps of its output's size are kept for training.
function addConv(part, k, from, to, side, kept = 2, bias = false) {
  const weights = k * k * from * to;
  part.parameters += weights + (bias ? to : 2 * to);
  part.multiply_adds += weights * side * side;
  part.values += kept * to * side * side;
  return part;
}

function blockPart(block, state, channels) {
  const part = newPart(`block${block}`), index = Math.min(block, 4) - 1, width = PRICE_WIDTHS[index], out = 4 * width;
  const units = PRICE_UNITS[state.backbone][index], inside = strideIn(block, state.output_stride);
  const after = block === state.blocks ? inside : strideIn(block + 1, state.output_stride);
  for (let unit = 0; unit < units; unit++) {
    const here = sampled(state.size, inside), there = sampled(state.size, unit === units - 1 ? after : inside);
    addConv(part, 1, channels, width, here); addConv(part, 3, width, width, there); addConv(part, 1, width, out, there);
    if (channels !== out) addConv(part, 1, channels, out, there, 1);
    channels = out;
  }
  return part;
}

function asppParts(channels, side, pooling) {
  const atrous = newPart("atrous 3×3"), together = (pooling ? 5 : 4) * 256;
  for (let branch = 0; branch < 3; branch++) addConv(atrous, 3, channels, 256, side);
  const pool = pooling ? [addConv(newPart("pooling", channels), 1, channels, 256, 1)] : [];
  return [addConv(newPart("1×1"), 1, channels, 256, side), atrous, ...pool, addConv(newPart("projection", together * side * side), 1, together, 256, side)];
}

function priceParts(state) {
  const parts = [addConv(newPart("stem"), 7, 3, 64, sampled(state.size, 2))], side = sampled(state.size, state.output_stride);
  let channels = 64;
  for (let block = 1; block <= state.blocks; block++) {
    parts.push(blockPart(block, state, channels));
    channels = 4 * PRICE_WIDTHS[Math.min(block, 4) - 1];
  }
  parts[1].values += 64 * sampled(state.size, 4) ** 2; // what max-pooling hands to block1
  if (state.head !== "plain") { parts.push(...asppParts(channels, side, state.head === "pooling")); channels = 256; }
  const logits = addConv(newPart("logits"), 1, channels, state.num_classes, side, 0, true);
  logits.values = state.num_classes * state.size * state.size;
  return [...parts, logits];
}

const ASPP_PARTS = ["1×1", "atrous 3×3", "pooling", "projection"];
const summed = (parts, key) => parts.reduce((sum, part) => sum + part[key], 0);
const digits = (x) => (x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toFixed(2));
const memory = (values) => ((4 * values) / 2 ** 30 >= 1 ? `${digits((4 * values) / 2 ** 30)} GiB` : `${digits((4 * values) / 2 ** 20)} MiB`);
const COLUMNS = [
  { key: "parameters", title: "parameters, millions", cls: "dx-bar", show: (x) => digits(x / 1e6) },
  { key: "multiply_adds", title: "multiply-adds, billions", cls: "dx-bar-2", show: (x) => digits(x / 1e9) },
  { key: "values", title: "memory to train, MiB", cls: "dx-bar-3", show: (x) => digits((4 * x) / 2 ** 20) },
];
const NAMES_WIDE = 92, COLUMN = 250, BAR = 168, ROW = 24, TOP = 34;

function drawColumn({ key, title, cls, show }, at, parts, plain) {
  const x = NAMES_WIDE + at * COLUMN, per = BAR / Math.max(...parts.map((p) => p[key]), ...plain.map((p) => p[key])), all = summed(parts, key);
  let bars = "", outlines = "";
  const marks = [text(x, 16, title, "dx-bold")];
  parts.forEach((part, i) => {
    const y = TOP + i * ROW, wide = part[key] * per, before = plain[i][key] * per;
    bars += box(x, y, wide, 15);
    outlines += box(x, y, before, 15);
    marks.push(text(x + Math.max(wide, before) + 5, y + 12, `${show(part[key])} · ${Math.round((100 * part[key]) / all)}%`, "dx-s"));
  });
  return [path(bars, cls), cls === "dx-bar-3" ? path(bars, "dx-pad") : "", path(outlines, "dx-bar-base"), path(line(x, TOP - 5, x, TOP + parts.length * ROW - 4), "dx-axis"), ...marks].join("");
}

// The part with the largest share, ASPP's four taken as one.
function dearest(parts, key) {
  const sums = {};
  for (const part of parts) { const name = ASPP_PARTS.includes(part.name) ? "ASPP" : part.name; sums[name] = (sums[name] || 0) + part[key]; }
  const [name, most] = Object.entries(sums).reduce((a, b) => (b[1] > a[1] ? b : a));
  return `${name} (${Math.round((100 * most) / summed(parts, key))}%)`;
}

const price = {
  title: "The price of each part",
  about: "Choose a model: how much of it each part is, what each part computes for one picture, and what training keeps of it. Dashed: the same model at output stride 16.",
  figure: "Three columns of bars, one bar per part of the model: parameters, multiply-adds, and memory to train.",
  width: 840, height: TOP + 13 * ROW,
  state: ["backbone", "blocks", "head", "num_classes", "output_stride", "size"],
  controls() {
    return [
      { key: "output_stride", label: "Output stride", min: 2, max: 5, show: (value) => String(2 ** value), get: (s) => Math.log2(s.output_stride), set: (_, value) => ({ output_stride: 2 ** value }) },
      { key: "blocks", label: "Blocks, the cascade's depth", min: 4, max: 7, get: (s) => s.blocks, set: (_, value) => ({ blocks: value }) },
      { key: "size", label: "Picture's side, pixels", min: 129, max: 1025, step: 64, get: (s) => s.size, set: (_, value) => ({ size: value }) },
      { key: "head", label: "Behind the backbone", options: [["pooling", "ASPP with image pooling"], ["aspp", "ASPP without pooling"], ["plain", "plain classifier (cascade)"]], get: (s) => s.head, set: (_, value) => ({ head: value }) },
      { key: "backbone", label: "Backbone", options: [["resnet50", "ResNet-50"], ["resnet101", "ResNet-101"]], get: (s) => s.backbone, set: (_, value) => ({ backbone: value }) },
      { key: "num_classes", label: "Classes", options: [[2, "2"], [19, "19 (Cityscapes)"], [21, "21 (PASCAL VOC)"], [150, "150"]], get: (s) => s.num_classes, set: (_, value) => ({ num_classes: value }) },
    ];
  },
  repair: (state) => ({ state, note: "" }),
  draw(state) {
    const parts = priceParts(state), plain = priceParts({ ...state, output_stride: 16 }), first = parts.findIndex((part) => part.name === "1×1");
    const names = parts.map((part, i) => text(NAMES_WIDE - 8, TOP + i * ROW + 12, part.name, "dx-s dx-end"));
    const last = first < 0 ? first : parts.length - 2;
    const aspp = first < 0 ? "" : path(line(15, TOP + first * ROW, 15, TOP + last * ROW + 16), "dx-edge") + text(0, 0, "ASPP", "dx-s dx-q dx-mid", { transform: `translate(11 ${TOP + ((first + last) / 2) * ROW + 8}) rotate(-90)` });
    return names.join("") + aspp + COLUMNS.map((column, at) => drawColumn(column, at, parts, plain)).join("");
  },
  tiles(state) {
    const parts = priceParts(state), plain = priceParts({ ...state, output_stride: 16 });
    const times = (key) => `${digits(summed(parts, key) / summed(plain, key))} × output stride 16's`;
    return [
      { label: "Parameters", value: `${digits(summed(parts, "parameters") / 1e6)} M`, formula: "the same at every output stride and size" },
      { label: "Multiply-adds", value: `${digits(summed(parts, "multiply_adds") / 1e9)} G`, formula: times("multiply_adds") },
      { label: "Memory to train", value: memory(summed(parts, "values")), formula: `one picture, float32; ${times("values")}` },
      { label: "A batch of 16", value: memory(16 * summed(parts, "values")), formula: "the paper's batch, before weights and their gradients" },
    ];
  },
  says(state) {
    const parts = priceParts(state);
    return `At output stride ${state.output_stride}, most parameters are in ${dearest(parts, "parameters")}, most multiply-adds in ${dearest(parts, "multiply_adds")}, and most of the memory is kept by ${dearest(parts, "values")}.`;
  },
};
