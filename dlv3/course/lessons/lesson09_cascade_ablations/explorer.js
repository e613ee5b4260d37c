// The interval explorer: a comparison of two rows repeated many times, each time with its 95% interval and verdict.

// The arithmetic; its Python twin is IntervalExplorer, checked against the same cases. Random numbers are a hash of
// their place, so that both languages draw the same ones, and one more seed does not change the others.
const SHOWN = 40, REPEATED = 2000, MOST_SEEDS = 20;
const TAU = 2 * Math.PI;
// The 97.5th percentile of Student's t by degrees of freedom, 1 to 19.
const STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093];

function hashed(place) {
  let x = place >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return ((x ^ (x >>> 15)) >>> 0) / 4294967296;
}

// Four standard normal numbers for a seed of a repetition: each row's own noise, and the noise that a seed brings to all
// its runs, once for this seed and once for another one (Box and Muller).
function normals(draw, repetition, seed) {
  const place = 4 * ((draw * REPEATED + repetition) * MOST_SEEDS + seed), u = [0, 1, 2, 3].map((i) => hashed(place + i + 1));
  const far = (share) => Math.sqrt(-2 * Math.log(1 - share));
  return [far(u[0]) * Math.cos(TAU * u[1]), far(u[0]) * Math.sin(TAU * u[1]), far(u[2]) * Math.cos(TAU * u[3]), far(u[2]) * Math.sin(TAU * u[3])];
}

// One repetition: the differences, better row minus worse row, of as many pairs of runs as there are seeds.
function differencesOf(state, repetition) {
  const own = state.noise * Math.sqrt(1 - state.shared / 100), common = state.noise * Math.sqrt(state.shared / 100);
  return Array.from({ length: state.seeds }, (_, seed) => {
    const [better, worse, brought, other] = normals(state.draw, repetition, seed);
    return state.effect + own * (better - worse) + (state.pairing === "equal" ? 0 : common * (brought - other));
  });
}

// Mean, 95% interval and verdict, by the rule of dlv3.ablations.
function judged(values) {
  const n = values.length, mean = values.reduce((a, b) => a + b, 0) / n;
  const spread = n > 1 ? Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (n - 1)) : 0;
  const half = n > 1 ? (STUDENT[n - 2] * spread) / Math.sqrt(n) : Infinity;
  const low = mean - half, high = mean + half;
  let verdict = values.every((v) => v > 0) ? "same direction" : "within noise";
  if (n >= 3 && low > 0) verdict = "reproduced";
  if (n >= 3 && high < 0) verdict = "opposite";
  return { mean, low, high, half, verdict };
}

// Over all repetitions: the number of intervals that hold the true effect, the verdicts, and the middle half-width.
let counted = { key: "", counts: null };
function intervalCounts(state) {
  const key = JSON.stringify(state);
  if (counted.key === key) return counted.counts;
  const counts = { holds: 0, reproduced: 0, opposite: 0, "same direction": 0, "within noise": 0 }, halves = [];
  for (let repetition = 0; repetition < REPEATED; repetition++) {
    const { low, high, half, verdict } = judged(differencesOf(state, repetition));
    counts.holds += low <= state.effect && state.effect <= high;
    counts[verdict] += 1;
    halves.push(half);
  }
  counts.half = state.seeds > 1 ? halves.sort((a, b) => a - b)[REPEATED / 2] : null;
  counted = { key, counts };
  return counts;
}

const INTERVAL_PLOT = { x: 20, y: 40, w: 640, h: 320, reach: 8 };
const intervalX = (value) => INTERVAL_PLOT.x + (INTERVAL_PLOT.w * (clamp(value, -INTERVAL_PLOT.reach, INTERVAL_PLOT.reach) + INTERVAL_PLOT.reach)) / (2 * INTERVAL_PLOT.reach);
const points = (value) => (value < 0 ? "\u2212" : "+") + Math.abs(value).toFixed(1);
const intervalShare = (count) => `${((100 * count) / REPEATED).toFixed(1)}%`;

function verdictMark(verdict, x, y) {
  if (verdict === "reproduced") return path(box(x - 3.5, y - 3.5, 7), "dx-bar");
  if (verdict === "opposite") return path(line(x - 3.5, y - 3.5, x + 3.5, y + 3.5) + line(x - 3.5, y + 3.5, x + 3.5, y - 3.5), "dx-here");
  return verdict === "same direction" ? svg("circle", { cx: x, cy: y, r: 3.2, class: "dx-edge" }) : path(line(x - 3, y, x + 3, y), "dx-axis");
}

function drawInterval(repeated, y, effect) {
  const { mean, low, high } = repeated, reach = INTERVAL_PLOT.reach, missed = effect < low || effect > high;
  const parts = [path(line(intervalX(low), y, intervalX(high), y), missed ? "dx-here" : "dx-stair")];
  for (const [end, side] of [[low, -1], [high, 1]]) {
    const x = intervalX(end);
    // Past the plot's side: an arrow. An interval that misses ends in bars, so that colour alone says nothing.
    if (Math.abs(end) > reach) parts.push(svg("path", { d: `M${round(x)} ${round(y - 3)}l${4 * side} 3l${-4 * side} 3z`, class: missed ? "dx-here-mark" : "dx-bar" }));
    else if (missed) parts.push(path(line(x, y - 4, x, y + 4), "dx-here"));
  }
  if (Math.abs(mean) <= reach) parts.push(svg("circle", { cx: intervalX(mean), cy: y, r: 2.4, class: missed ? "dx-here-mark" : "dx-seen" }));
  return parts.join("");
}

function drawIntervals(state) {
  const { x, y, w, h, reach } = INTERVAL_PLOT, step = h / SHOWN, marks = x + w + 40, parts = [];
  let grid = "";
  for (let tick = -reach; tick <= reach; tick += 2) {
    grid += line(intervalX(tick), y, intervalX(tick), y + h);
    parts.push(text(intervalX(tick), y + h + 16, tick ? points(tick).replace(".0", "") : "0", "dx-s dx-mid"));
  }
  parts.push(text(x + w / 2, y + h + 34, "difference, better row minus worse row, in points", "dx-s dx-q dx-mid"));
  parts.push(path(grid, "dx-grid"), path(line(intervalX(0), y, intervalX(0), y + h), "dx-axis"));
  for (let repetition = 0; repetition < SHOWN; repetition++) {
    const repeated = judged(differencesOf(state, repetition)), at = y + step * (repetition + 0.5);
    parts.push(drawInterval(repeated, at, state.effect), verdictMark(repeated.verdict, marks, at));
  }
  parts.push(path(line(intervalX(state.effect), y - 8, intervalX(state.effect), y + h), "dx-window"));
  parts.push(text(intervalX(state.effect), y - 13, `true effect ${state.effect ? points(state.effect) : "0"}`, "dx-s dx-mid dx-bold"), text(marks, y - 13, "verdict", "dx-s dx-mid dx-bold"));
  const key = marks + 30;
  parts.push(text(key - 6, 66, "verdict", "dx-s dx-bold"));
  ["reproduced", "same direction", "within noise", "opposite"].forEach((verdict, i) => parts.push(verdictMark(verdict, key, 84 + 22 * i), text(key + 12, 88 + 22 * i, verdict, "dx-s")));
  parts.push(text(key - 6, 196, "interval", "dx-s dx-bold"));
  parts.push(path(line(key - 6, 213, key + 14, 213), "dx-stair"), text(key + 22, 217, "holds", "dx-s"));
  parts.push(path(line(key - 6, 235, key + 14, 235) + line(key - 6, 231, key - 6, 239) + line(key + 14, 231, key + 14, 239), "dx-here"), text(key + 22, 239, "misses the", "dx-s"), text(key + 22, 253, "true effect", "dx-s"));
  return parts.join("");
}

const interval = {
  title: "The same comparison, repeated",
  about: "Two rows of a table, trained with a few seeds each, and all of it repeated by an imaginary you. Every line is one repetition's 95% interval of the difference. You know the truth here: the dashed line.",
  figure: "Forty intervals, one below the other, with the true difference as a dashed line and a mark for each verdict.",
  width: 840, height: 402,
  state: ["draw", "effect", "noise", "pairing", "seeds", "shared"],
  controls() {
    return [
      { key: "seeds", label: "Seeds", min: 1, max: MOST_SEEDS, get: (s) => s.seeds, set: (_, value) => ({ seeds: value }) },
      tenths("effect", "True effect", 0, 50, " points"),
      tenths("noise", "Noise of one run", 5, 40, " points"),
      { key: "pairing", label: "The two rows run with", options: [["equal", "equal seeds, paired"], ["other", "other seeds each"]], get: (s) => s.pairing, set: (_, value) => ({ pairing: value }) },
      { key: "shared", label: "Noise from the seed", min: 0, max: 90, step: 10, show: (value) => `${value}%`, get: (s) => s.shared, set: (_, value) => ({ shared: value }) },
      { key: "draw", label: "Draw again", min: 1, max: 20, show: (value) => `no. ${value}`, get: (s) => s.draw, set: (_, value) => ({ draw: value }) },
    ];
  },
  repair: (state) => ({ state, note: "" }),
  draw: drawIntervals,
  tiles(state) {
    const counts = intervalCounts(state);
    return [
      { label: "Intervals that hold the truth", value: intervalShare(counts.holds), formula: `of ${grouped(REPEATED)} repetitions` },
      { label: "Called reproduced", value: intervalShare(counts.reproduced), formula: state.effect ? "right, each of them" : "false, each of them" },
      { label: "Called opposite", value: intervalShare(counts.opposite), formula: "false, each of them" },
      { label: "Half-width, the middle one", value: counts.half === null ? "endless" : `\u00b1${counts.half.toFixed(1)}`, formula: "t \u00b7 s / \u221an, in points" },
    ];
  },
  says(state) {
    const counts = intervalCounts(state), seeds = `${state.seeds} seed${state.seeds > 1 ? "s" : ""}`;
    const truth = state.effect ? `a true effect of ${state.effect.toFixed(1)}` : "no true effect";
    const pairs = state.pairing === "equal" ? "the same for both rows" : "others for each row";
    return `Draw ${state.draw}: ${seeds}, ${pairs}; ${truth}, noise ${state.noise.toFixed(1)}, ${state.shared}% of its variance from the seed. ${intervalShare(counts.holds)} of the intervals hold the truth, ${intervalShare(counts.reproduced)} say reproduced.`;
  },
};
