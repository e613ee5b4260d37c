// The cascade explorer: block4 to block7 at an output stride, and the places of a scene that one output reads.

// The arithmetic; its Python twin is CascadeExplorer, checked against dlv3.resnet and dlv3.receptive_field.
const PICTURE = 513;
const samplesAside = (os) => sideAt(PICTURE, os);
const nearest = (pixel, os) => Math.min(samplesAside(os) - 1, Math.floor(pixel / os + 0.5));
// ResNet-50: conv1 and pool1 see 11 pixels, and each 3×3 of a block adds two taps' spacing, rate times map stride.
const fieldSide = (blocks) => [3, 4, 6, 3, 3, 3, 3].slice(0, blocks).reduce((size, units, i) => size + units * 2 * nominalStride(i + 1), 11);
const LAYERS = 3; // 3×3 convolutions in each block from block4 on

function cascadeFacts({ blocks, output_stride: os, traced, x, y }) {
  const deepest = blocks - Math.floor((traced - 1) / LAYERS), spacing = nominalStride(deepest);
  let reach = 0;
  for (let layer = 0; layer < traced; layer++) reach += nominalStride(blocks - Math.floor(layer / LAYERS));
  // Every multiple of the spacing up to the reach is read: three layers fill 7 places, more than the 2 between their
  // copies in the next block.
  const offsets = Array.from({ length: (2 * reach) / spacing + 1 }, (_, i) => i * spacing - reach);
  const row = nearest(y, os), column = nearest(x, os);
  const inside = (centre) => offsets.filter((d) => centre + d >= 0 && centre + d < PICTURE).length;
  return { deepest, spacing, reach, offsets, row, column, side: samplesAside(os), grid: mapStride(deepest, os), places: offsets.length ** 2,
    valid: inside(row * os) * inside(column * os), rate: baseRate(blocks, os), field: fieldSide(blocks) };
}

function cascadeRepair(state, key) {
  const reached = reachedStride(state, key), { blocks, traced } = reached.state, most = LAYERS * (blocks - 3);
  if (traced <= most) return reached;
  const note = key === "traced" ? `From block4 to block${blocks} there are ${most} 3×3 layers.` : reached.note;
  return { state: { ...reached.state, traced: most }, note };
}

// The scene's outlines, from back to front, in 1/64 px of the 129-pixel picture: scene 10 of the validation split.
const SCENE = {
  wires: [[11750, 18626, 14911, 376], [20381, -5605, 20273, 316]], // centre, radius, width of an arc
  shapes: [["cross", 3027, 4455, 2141, -24], ["disc", 7039, 5903, 1895, -34], ["ring", 3920, 1578, 1014, -4], ["cross", 5975, 1767, 998, 10],
    ["ring", 6189, 3526, 570, 29], ["cross", 2914, 7007, 500, -49], ["disc", 3828, 6796, 389, -21], ["triangle", 2505, 1485, 359, 11]], // centre, radius, tilt
};
const VIEW = { side: 400, top: 14, from: -256, pixels: 1025 }; // the picture and half of it around
const SCALE = VIEW.side / VIEW.pixels;
const onView = (pixel) => (pixel - VIEW.from) * SCALE;

function outline([kind, x, y, r, tilt]) {
  if (kind === "disc") return svg("circle", { cx: x, cy: y, r, class: "dx-scene-1" });
  if (kind === "ring") return svg("circle", { cx: x, cy: y, r: r * 0.775, class: "dx-scene-2", "stroke-width": r * 0.45 });
  const turn = { transform: `rotate(${round((tilt * 360) / 1024)} ${x} ${y})` };
  if (kind === "triangle") return path(`M${x} ${y - 1.2 * r}L${x + 1.0392 * r} ${y + 0.6 * r}H${x - 1.0392 * r}z`, "dx-scene-3", turn);
  return path(box(x - r, y - 0.3 * r, 2 * r, 0.6 * r) + box(x - 0.3 * r, y - r, 0.6 * r, 2 * r), "dx-scene-4", turn);
}

function drawScene() {
  const unit = (PICTURE * SCALE) / (129 * 64), side = 129 * 64;
  const wires = SCENE.wires.map(([cx, cy, r, width]) => svg("circle", { cx, cy, r, class: "dx-scene-5", "stroke-width": width }));
  const clip = `<clipPath id="dx-scene-clip"><rect width="${side}" height="${side}"/></clipPath>`;
  const inner = path(box(0, 0, side), "dx-scene-0") + wires.join("") + SCENE.shapes.map(outline).join("");
  return clip + svg("g", { transform: `translate(${round(onView(0))} ${round(onView(0))}) scale(${unit.toFixed(6)})`, "clip-path": "url(#dx-scene-clip)" }, inner);
}

function drawReading(state, facts) {
  const os = state.output_stride, grid = facts.grid * SCALE, at = onView(0), width = PICTURE * SCALE;
  const dots = `<pattern id="dx-samples-${facts.grid}" x="${round(at - grid / 2, 3)}" y="${round(at - grid / 2, 3)}" width="${round(grid, 4)}" height="${round(grid, 4)}" patternUnits="userSpaceOnUse">` +
    svg("circle", { cx: round(grid / 2, 3), cy: round(grid / 2, 3), r: clamp(grid / 5, 0.35, 1.6), class: "dx-sample" }) + "</pattern>";
  const cx = onView(facts.column * os), cy = onView(facts.row * os), size = clamp(facts.spacing * SCALE * 0.3, 4.5, 9);
  let inside = "", outside = "", links = "";
  const shown = (centre, d) => centre + d >= VIEW.from && centre + d < VIEW.from + VIEW.pixels;
  const lies = (p) => p >= 0 && p < PICTURE;
  const x0 = facts.column * os, y0 = facts.row * os;
  for (const dy of facts.offsets) for (const dx of facts.offsets) {
    if (!shown(x0, dx) || !shown(y0, dy)) continue;
    const mark = box(onView(x0 + dx) - size / 2, onView(y0 + dy) - size / 2, size);
    if (lies(x0 + dx) && lies(y0 + dy)) inside += mark; else outside += mark;
    if (facts.offsets.length <= 3) links += line(cx, cy, onView(x0 + dx), onView(y0 + dy));
  }
  const half = (facts.field / 2) * SCALE;
  const parts = [`<clipPath id="dx-view-clip"><rect width="${VIEW.side}" height="${VIEW.side}"/></clipPath>`, dots,
    path(box(0, 0, VIEW.side), "dx-pad-back"), path(box(0, 0, VIEW.side), "dx-pad"), drawScene(),
    svg("rect", { x: at - grid / 2, y: at - grid / 2, width: width + grid / 2, height: width + grid / 2, fill: `url(#dx-samples-${facts.grid})` }),
    path(links, "dx-ray dx-ray-tap"), path(outside, "dx-tap-off"), path(inside, "dx-tap"),
    path(box(cx - half, cy - half, 2 * half), "dx-window"), svg("circle", { cx, cy, r: 5, class: "dx-output" })];
  return svg("g", { transform: `translate(0 ${VIEW.top})` }, svg("g", { "clip-path": "url(#dx-view-clip)" }, parts.join("")));
}

const COLUMN = { name: 424, stride: 480, rates: 540, apart: 666, field: 720, bar: 756 };

function drawTable(state, facts) {
  const os = state.output_stride, parts = [], scale = 82 / fieldSide(7);
  const heads = [[COLUMN.stride, "samples", "px apart"], [COLUMN.rates, "rates of the", "3×3 layers"], [COLUMN.apart, "taps", "px apart"], [COLUMN.field, "field", "px"]];
  for (const [x, first, second] of heads) parts.push(text(x, 26, first, "dx-s dx-q"), text(x, 40, second, "dx-s dx-q"));
  for (let block = 3; block <= 7; block++) {
    const y = 48 + (block - 3) * 50, here = block <= state.blocks;
    parts.push(text(COLUMN.name, y + 22, `block${block}`, here ? "dx-bold" : "dx-q"));
    if (!here) { parts.push(text(COLUMN.stride, y + 22, "not there", "dx-s dx-q")); continue; }
    parts.push(text(COLUMN.stride, y + 22, String(mapStride(block, os))));
    const rate = baseRate(block, os), units = block === 3 ? ["6 ×"] : [1, 2, 3];
    units.forEach((unit, i) => {
      const isRead = block > 3 && (state.blocks - block) * LAYERS + (LAYERS - i) <= state.traced, x = COLUMN.rates + i * 40;
      parts.push(svg("rect", { x, y: y + 7, width: block === 3 ? 56 : 36, height: 22, rx: 4, class: isRead ? "dx-chip" : "dx-chip-off" }));
      parts.push(text(x + (block === 3 ? 28 : 18), y + 22, block === 3 ? `6 × ${rate}` : String(rate), `dx-s dx-mid ${isRead ? "dx-on-chip" : ""}`));
    });
    parts.push(text(COLUMN.apart, y + 22, String(nominalStride(block))));
    parts.push(text(COLUMN.field, y + 22, String(fieldSide(block))), path(box(COLUMN.bar, y + 12, fieldSide(block) * scale, 11), "dx-bar"));
  }
  const side = COLUMN.bar + PICTURE * scale;
  parts.push(path(line(side, 50, side, 292), "dx-stair-plain"), text(838, 304, "dashed: the picture's side", "dx-s dx-q dx-end"));
  const legend = [["dx-output", "the output sample; arrow keys or the pointer move it"], ["dx-tap", "read through the 3×3 layers marked above"],
    ["dx-tap-off", "read too, but padding"], ["dx-sample-key", `samples of the map that block${facts.deepest} reads, ${facts.grid} px apart`]];
  legend.forEach(([cls, words], i) => {
    const y = 328 + i * 22;
    const mark = cls === "dx-output" || cls === "dx-sample-key" ? svg("circle", { cx: 431, cy: y - 4, r: cls === "dx-output" ? 5 : 2.5, class: cls }) : path(box(426.5, y - 8.5, 9), cls);
    parts.push(mark, text(446, y, words, "dx-s"));
  });
  parts.push(path(box(424, 406, 14, 10), "dx-window"), text(446, 416, "the field of the output, where it ends inside the frame", "dx-s"));
  return parts.join("");
}

const cascade = {
  title: "The cascade: what one output reads",
  about: "ResNet-50 on 513 × 513 pixels: choose depth and output stride, move the output sample, trace back what it reads.",
  figure: "A scene with the samples that one output reads, and the cascade's blocks with strides, rates and fields.",
  width: 840, height: 424,
  state: ["blocks", "output_stride", "traced", "x", "y"],
  controls(state) {
    const os = state.output_stride, side = samplesAside(os), most = LAYERS * (state.blocks - 3);
    const place = (key, label) => ({ key, label, min: 0, max: side - 1, get: (s) => nearest(s[key], s.output_stride), set: (s, value) => ({ [key]: value * s.output_stride }) });
    return [
      { key: "blocks", label: "Blocks, the cascade's depth", min: 4, max: 7, low: fewestBlocks(os), get: (s) => s.blocks, set: (_, value) => ({ blocks: value }) },
      { key: "output_stride", label: "Output stride", min: 2, max: 8, high: Math.log2(largestStride(state.blocks)), show: (value) => String(2 ** value),
        get: (s) => Math.log2(s.output_stride), set: (_, value) => ({ output_stride: 2 ** value }) },
      { key: "traced", label: "3×3 layers traced back", min: 1, max: 12, high: most, get: (s) => s.traced, set: (_, value) => ({ traced: value }) },
      place("x", "Output sample: column"), place("y", "Output sample: row"),
    ];
  },
  repair: cascadeRepair,
  draw(state) {
    const facts = cascadeFacts(state);
    return drawReading(state, facts) + drawTable(state, facts);
  },
  tiles(state) {
    const facts = cascadeFacts(state), os = state.output_stride;
    return [
      { label: "Last feature map", value: `${facts.side} × ${facts.side}`, formula: `⌈${PICTURE} / ${os}⌉ samples a side` },
      { label: `Rate of block${state.blocks}`, value: String(facts.rate), formula: `${nominalStride(state.blocks)} / ${os}, and at least 1` },
      { label: "Places read, on the picture", value: `${grouped(facts.valid)} of ${grouped(facts.places)}`, formula: `${facts.offsets.length} × ${facts.offsets.length}, ${facts.spacing} px apart` },
      { label: "Receptive field", value: `${grouped(facts.field)} px`, formula: `${(facts.field / PICTURE).toFixed(1)} × the picture's side, at every output stride` },
    ];
  },
  says(state) {
    const facts = cascadeFacts(state), layers = state.traced === 1 ? "its last 3×3 layer" : `its last ${state.traced} layers of 3×3`;
    return `${state.blocks} blocks at output stride ${state.output_stride} give ${facts.side} × ${facts.side} samples, and block${state.blocks} the rate ${facts.rate}. ` +
      `Through ${layers}, the output in row ${facts.row}, column ${facts.column} reads ${grouped(facts.places)} places ${facts.spacing} px apart; ${grouped(facts.valid)} of them ${facts.valid === 1 ? "lies" : "lie"} on the picture.`;
  },
  point(x, y, state) {
    const pixel = (value) => Math.round(value / SCALE + VIEW.from), os = state.output_stride;
    const [px, py] = [pixel(x), pixel(y - VIEW.top)];
    if (px < 0 || py < 0 || px >= PICTURE || py >= PICTURE) return null;
    return { x: nearest(px, os) * os, y: nearest(py, os) * os };
  },
  key(name, state) {
    const os = state.output_stride, last = (samplesAside(os) - 1) * os, { row, column } = cascadeFacts(state);
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (name === "Home") return { x: 0, y: 0 };
    if (name === "End") return { x: last, y: last };
    if (!moves[name]) return null;
    return { x: clamp((column + moves[name][0]) * os, 0, last), y: clamp((row + moves[name][1]) * os, 0, last) };
  },
};
