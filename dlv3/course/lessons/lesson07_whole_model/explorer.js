// The price explorer: the parameters, multiply-adds and memory of each part of a DeepLabv3.

// The arithmetic; its Python twin is dlv3.course.kit.costs.price, checked against the same cases.
const priced = (name, convolutions, values = 0) => ({
  name, parameters: total(convolutions, "parameters"), multiply_adds: total(convolutions, "multiply_adds"), values: total(convolutions, "kept") + values,
});

function asppParts(channels, side, pooling) {
  const together = (pooling ? 5 : 4) * 256, branch = convolution(3, channels, 256, side);
  return [
    priced("1×1", [convolution(1, channels, 256, side)]), priced("atrous 3×3", [branch, branch, branch]),
    ...(pooling ? [priced("pooling", [convolution(1, channels, 256, 1)], channels)] : []),
    // The concatenation is a map of its own.
    priced("projection", [convolution(1, together, 256, side)], together * side * side),
  ];
}

function priceParts(state) {
  const stages = backboneStages(state), side = sideAt(state.size, state.output_stride);
  const parts = stages.map((stage) => priced(stage.name, stage.convolutions));
  // Max-pooling's output, which block1 reads.
  parts[1].values += 64 * sideAt(state.size, 4) ** 2;
  if (state.head !== "plain") parts.push(...asppParts(stages.at(-1).channels, side, state.head === "pooling"));
  const channels = state.head === "plain" ? stages.at(-1).channels : 256;
  return [...parts, priced("logits", [convolution(1, channels, state.num_classes, side, 0, true)], state.num_classes * state.size ** 2)];
}

const ASPP_PARTS = ["1×1", "atrous 3×3", "pooling", "projection"];
// What is there is never 0.
const few = (x) => (x > 0 && x < 0.005 ? "under 0.01" : digits(x));
const COLUMNS = [
  { key: "parameters", title: "parameters, millions", cls: "dx-bar", show: (x) => few(x / 1e6) },
  { key: "multiply_adds", title: "multiply-adds, billions", cls: "dx-bar-2", show: (x) => few(x / 1e9) },
  { key: "values", title: "memory to train, MiB", cls: "dx-bar-3", show: mebibytes },
];
const NAMES_WIDE = 92, COLUMN = 250, BAR = 168, ROW = 24, TOP = 34;

const percentOf = (part, all) => part > 0 && part < 0.005 * all ? "under 1%" : `${Math.round((100 * part) / all)}%`;

function drawColumn({ key, title, cls, show }, at, parts, plain) {
  const x = NAMES_WIDE + at * COLUMN, per = BAR / Math.max(...parts.map((p) => p[key]), ...plain.map((p) => p[key])), all = total(parts, key);
  let bars = "", outlines = "";
  const marks = [text(x, 16, title, "dx-bold")];
  parts.forEach((part, i) => {
    const y = TOP + i * ROW, wide = part[key] * per, before = plain[i][key] * per;
    bars += box(x, y, wide, 15);
    outlines += box(x, y, before, 15);
    marks.push(text(x + Math.max(wide, before) + 5, y + 12, `${show(part[key])} · ${percentOf(part[key], all)}`, "dx-s"));
  });
  return [path(bars, cls), cls === "dx-bar-3" ? path(bars, "dx-pad") : "", path(outlines, "dx-bar-base"), path(line(x, TOP - 5, x, TOP + parts.length * ROW - 4), "dx-axis"), ...marks].join("");
}

// The part with the largest share, ASPP's four taken as one.
function dearest(parts, key) {
  const sums = {};
  for (const part of parts) { const name = ASPP_PARTS.includes(part.name) ? "ASPP" : part.name; sums[name] = (sums[name] || 0) + part[key]; }
  const [name, most] = Object.entries(sums).reduce((a, b) => (b[1] > a[1] ? b : a));
  return `${name} (${Math.round((100 * most) / total(parts, key))}%)`;
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
    const times = (key) => `${digits(total(parts, key) / total(plain, key))} × output stride 16's`;
    return [
      { label: "Parameters", value: `${digits(total(parts, "parameters") / 1e6)} M`, formula: "the same at every output stride and size" },
      { label: "Multiply-adds", value: `${digits(total(parts, "multiply_adds") / 1e9)} G`, formula: times("multiply_adds") },
      { label: "Memory to train", value: memory(total(parts, "values")), formula: `one picture, float32; ${times("values")}` },
      { label: "A batch of 16", value: memory(16 * total(parts, "values")), formula: "the paper's batch, before weights and their gradients" },
    ];
  },
  says(state) {
    const parts = priceParts(state);
    return `At output stride ${state.output_stride}, most parameters are in ${dearest(parts, "parameters")}, most multiply-adds in ${dearest(parts, "multiply_adds")}, and most of the memory is kept by ${dearest(parts, "values")}.`;
  },
};
