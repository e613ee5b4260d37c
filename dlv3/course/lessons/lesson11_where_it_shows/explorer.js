// The world explorer: one object, what a map's sampling leaves of it, and the pixels that see it whole.

// The arithmetic; its Python twin is WorldExplorer, checked against dlv3.ablations.paper.ceiling and dlv3.deeplab.
const WORLD_SIDES = [65, 129, 257, 513], WORLD_REACHES = [15, 31, 47, 95, 191, 241, 251], WORLD_STRIDES = [4, 8, 16, 32];
const WORLD_BLOCKS = [4, 5, 6, 7], WORLD_PLACES = 3;
// The H's bars end at these 36ths of its side.
const H_LEG = 11, H_UPPER = 12, H_LOWER = 24;

const objectSide = (state) => Math.max(6, Math.floor((state.percent * state.side + 50) / 100));
const mapSide = (state) => Math.ceil(state.side / state.output_stride);

// Of each row or column of the object: whether it crosses a leg, and whether it lies in the crossbar.
function bars(side) {
  const middles = Array.from({ length: side }, (_, i) => 18 * (2 * i + 1));
  return { leg: middles.map((m) => m < H_LEG * side || m > (36 - H_LEG) * side), bar: middles.map((m) => m > H_UPPER * side && m < H_LOWER * side) };
}

function placesOf(state) {
  const room = state.side - objectSide(state);
  return Array.from({ length: WORLD_PLACES }, (_, step) => Math.min(room, Math.floor(room / 2) + Math.floor((step * state.output_stride) / WORLD_PLACES)));
}

// Along one axis: for every pixel the lower one of the two samples it lies between, and the share of the upper one.
function between(side, samples) {
  return Array.from({ length: side }, (_, i) => {
    const at = Math.max(0, ((i + 0.5) * samples) / side - 0.5), low = Math.floor(at);
    return { low, high: Math.min(samples - 1, low + 1), share: at - low };
  });
}

// The object at a place: rows of the picture that it or its remains touch, each with what is there and what is left.
function remainsAt(state, top, left) {
  const side = state.side, samples = mapSide(state), own = objectSide(state), { leg, bar } = bars(own);
  const inside = (y, x) => y >= top && y < top + own && x >= left && x < left + own && (bar[y - top] || leg[x - left]);
  const at = Array.from({ length: samples }, (_, i) => Math.floor(((i + 0.5) * side) / samples)), axis = between(side, samples);
  const known = at.map((y) => at.map((x) => (inside(y, x) ? 1 : 0)));
  const from = (start) => Math.max(0, start - state.output_stride), to = (start) => Math.min(side, start + own + state.output_stride);
  const rows = [];
  let both = 0, either = 0;
  for (let y = from(top); y < to(top); y++) {
    const v = axis[y], upper = known[v.low], lower = known[v.high], row = { y, x: from(left), there: [], kept: [] };
    for (let x = from(left); x < to(left); x++) {
      const h = axis[x];
      const value = (1 - v.share) * ((1 - h.share) * upper[h.low] + h.share * upper[h.high]) + v.share * ((1 - h.share) * lower[h.low] + h.share * lower[h.high]);
      const there = inside(y, x), kept = value > 0.5;
      both += there && kept;
      either += there || kept;
      row.there.push(there);
      row.kept.push(kept);
    }
    rows.push(row);
  }
  return { both, either, rows, at, known };
}

const reachOf = (state, block) => (state.reach + 1) * 2 ** (block - WORLD_BLOCKS[0]) - 1;

// The object's pixels, and by block those whose field of view holds all of it.
function seenBy(state) {
  const side = objectSide(state), { leg, bar } = bars(side), away = (i) => Math.max(i, side - 1 - i);
  const reaches = WORLD_BLOCKS.map((block) => reachOf(state, block)), seen = reaches.map(() => 0);
  let pixels = 0;
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      if (!bar[y] && !leg[x]) continue;
      const needed = Math.max(away(y), away(x));
      pixels += 1;
      for (let i = 0; i < reaches.length; i++) seen[i] += needed <= reaches[i];
    }
  }
  return { pixels, seen, reaches };
}

let worldKnown = { key: "", facts: null };
function worldFacts(state) {
  const key = JSON.stringify(state);
  if (worldKnown.key === key) return worldKnown.facts;
  const places = placesOf(state);
  let both = 0, either = 0, shown = null;
  for (const top of places) {
    for (const left of places) {
      const one = remainsAt(state, top, left);
      both += one.both;
      either += one.either;
      shown = shown || one;
    }
  }
  const facts = { both, either, ceiling: both / either, shown, ...seenBy(state), side: objectSide(state), map: mapSide(state) };
  worldKnown = { key, facts };
  return facts;
}

// A share in whole percents; a count where that would round to none or to all.
function wordsOfShare(part, whole) {
  const percent = Math.round((100 * part) / whole);
  if ((percent === 0 && part > 0) || (percent === 100 && part < whole)) return `${grouped(part)} of ${grouped(whole)} pixels`;
  return `${percent}%`;
}

const FRAME = { x: 10, y: 34, side: 360 };

// Runs of marked pixels in a row, as boxes.
function runsOf(row, marked, scale) {
  let d = "", start = -1;
  for (let i = 0; i <= row.there.length; i++) {
    const on = i < row.there.length && marked(row.there[i], row.kept[i]);
    if (on && start < 0) start = i;
    if (!on && start >= 0) {
      d += box(FRAME.x + (row.x + start) * scale, FRAME.y + row.y * scale, (i - start) * scale, scale);
      start = -1;
    }
  }
  return d;
}

function drawObject(state, facts) {
  const { rows, at, known } = facts.shown, scale = FRAME.side / state.side;
  let right = "", lost = "", added = "", hits = "", misses = "";
  for (const row of rows) {
    right += runsOf(row, (there, kept) => there && kept, scale);
    lost += runsOf(row, (there, kept) => there && !kept, scale);
    added += runsOf(row, (there, kept) => !there && kept, scale);
  }
  const dot = Math.min(4, Math.max(1.2, (state.output_stride * scale) / 5));
  at.forEach((y, r) => at.forEach((x, c) => {
    const mark = box(FRAME.x + (x + 0.5) * scale - dot / 2, FRAME.y + (y + 0.5) * scale - dot / 2, dot);
    if (known[r][c]) hits += mark; else misses += mark;
  }));
  return [text(FRAME.x, 22, `a picture of ${state.side} × ${state.side} pixels, ${facts.map} × ${facts.map} samples`, "dx-s dx-bold"),
    path(box(FRAME.x, FRAME.y, FRAME.side), "dx-map"), path(right, "dx-valid-6"), path(lost, "dx-seen"), path(added, "dx-bar-2"),
    facts.map <= 65 ? path(misses, "dx-sample-key", { "stroke-width": 0.4 }) + path(hits, "dx-output", { "stroke-width": 0.4 }) : "",
    path(box(FRAME.x, FRAME.y, FRAME.side), "dx-edge")].join("");
}

function drawBars(state, facts) {
  const x = 400, wide = 250, parts = [];
  const bar = (y, share, cls, words, after) => parts.push(text(x, y - 7, words, "dx-s"), path(box(x, y, wide, 14), "dx-bar-base"), path(box(x, y, Math.max(share > 0 ? 1 : 0, wide * share), 14), cls), text(x + wide + 10, y + 11, after, "dx-s dx-bold"));
  parts.push(text(x, 22, "what sampling leaves", "dx-s dx-bold"));
  bar(50, facts.ceiling, "dx-bar-2", "true labels on the map, upsampled again: IOU of the object", wordsOfShare(facts.both, facts.either).replace(/ of .*/, " px"));
  parts.push(text(x, 100, "pixels of the object that see it whole", "dx-s dx-bold"));
  WORLD_BLOCKS.forEach((block, i) => {
    bar(128 + 42 * i, facts.seen[i] / facts.pixels, "dx-bar", `block${block} sees ${grouped(facts.reaches[i])} pixels to each side`, wordsOfShare(facts.seen[i], facts.pixels).replace(/ of .*/, " px"));
  });
  const legend = [["dx-valid-6", "the object, kept"], ["dx-seen", "lost between the samples"], ["dx-bar-2", "added between the samples"]];
  legend.forEach(([cls, words], i) => parts.push(path(box(x, 312 + 22 * i, 12), cls), text(x + 20, 322 + 22 * i, words, "dx-s")));
  parts.push(path(box(x + 222, 314, 8), "dx-output", { "stroke-width": 0.6 }), text(x + 238, 322, "sample on the object", "dx-s"), path(box(x + 222, 336, 8), "dx-sample-key", { "stroke-width": 0.6 }), text(x + 238, 344, "sample beside it", "dx-s"));
  return parts.join("");
}

const world = {
  title: "What is there to gain?",
  about: "One object on one picture. Left: what is left of its true labels when a map samples them. Right: which share of its pixels sees all of it, for networks of four to seven blocks.",
  figure: "An H on a picture with the map's samples, what the map keeps of it, and five bars: what sampling leaves, and the pixels that see it whole.",
  width: 840, height: 404,
  state: ["output_stride", "percent", "reach", "side"],
  controls() {
    const one = (key, label, values, unit) => ({ key, label, min: 0, max: values.length - 1, show: (i) => `${values[i]}${unit}`, get: (s) => values.indexOf(s[key]), set: (_, i) => ({ [key]: values[i] }) });
    return [
      one("side", "Side of the picture", WORLD_SIDES, " px"),
      { key: "percent", label: "Object, of the picture's side", min: 10, max: 90, step: 5, show: (value) => `${value}%`, get: (s) => s.percent, set: (_, value) => ({ percent: value }) },
      one("output_stride", "Output stride", WORLD_STRIDES, ""),
      one("reach", "block4 sees to each side", WORLD_REACHES, " px"),
    ];
  },
  repair: (state) => ({ state, note: "" }),
  draw(state) {
    const facts = worldFacts(state);
    return drawObject(state, facts) + drawBars(state, facts);
  },
  tiles(state) {
    const facts = worldFacts(state);
    return [
      { label: "Last map", value: `${facts.map} × ${facts.map}`, formula: `⌈${state.side} / ${state.output_stride}⌉ samples a side` },
      { label: "Object", value: `${facts.side} px`, formula: `${(facts.side / state.output_stride).toFixed(1)} samples a side` },
      { label: "What sampling leaves", value: wordsOfShare(facts.both, facts.either), formula: "IOU of the object, nine places" },
      { label: "See it whole, block4 and block7", value: `${Math.round((100 * facts.seen[0]) / facts.pixels)}% and ${Math.round((100 * facts.seen[3]) / facts.pixels)}%`, formula: "of the object's pixels" },
    ];
  },
  says(state) {
    const facts = worldFacts(state);
    const seen = WORLD_BLOCKS.map((block, i) => `block${block} ${wordsOfShare(facts.seen[i], facts.pixels)}`).join(", ");
    return `An object of ${facts.side} pixels on a map of ${facts.map} × ${facts.map} samples: its true labels, upsampled again, have an IOU of ${wordsOfShare(facts.both, facts.either)}. Of its pixels, these see all of it: ${seen}.`;
  },
};
