// The schedule explorer: the learning rate over a training, poly beside step.

// The arithmetic; its Python twin is dlv3.training.schedule, checked against the same cases. The training is the
// paper's: 30,000 iterations from 0.007.
const ITERATIONS = 30000, FIRST_RATE = 0.007;
const polyFactor = (iteration, iterations, power) => (1 - iteration / iterations) ** power;
const stepFactor = (iteration, every, factor) => factor ** Math.floor(iteration / every);
const warmupFactor = (iteration, length) => (length ? Math.min(1, (iteration + 1) / length) : 1);

const stepEvery = (state) => ITERATIONS / (state.drops + 1);
const warmupLength = (state) => (state.warmup * ITERATIONS) / 100;
const atIteration = (state) => (state.at * ITERATIONS) / 100;
const SCHEDULES = {
  poly: (state, iteration) => polyFactor(iteration, ITERATIONS, state.power) * warmupFactor(iteration, warmupLength(state)),
  step: (state, iteration) => stepFactor(iteration, stepEvery(state), state.factor) * warmupFactor(iteration, warmupLength(state)),
};

// The mean factor over all iterations, and the number of those with less than a hundredth of the first rate.
function scheduleFacts(state, name) {
  let sum = 0, low = 0;
  for (let i = 0; i < ITERATIONS; i++) {
    const factor = SCHEDULES[name](state, i);
    sum += factor;
    if (factor < 0.01 && i >= warmupLength(state)) low += 1;
  }
  return { mean: sum / ITERATIONS, low };
}

const PLOT = { x: 62, y: 24, w: 740, h: 250 };
const plotX = (iteration) => PLOT.x + (PLOT.w * iteration) / ITERATIONS;
const plotY = (factor) => PLOT.y + PLOT.h * (1 - factor);
const percent = (share) => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)}%`;

// Points close enough for the curve, and on both sides of every drop.
function scheduleTrace(state, name) {
  const at = new Set(Array.from({ length: 301 }, (_, i) => (i * ITERATIONS) / 300));
  for (let drop = 1; drop <= state.drops; drop++) for (const beside of [-1, 0]) at.add(Math.round(drop * stepEvery(state)) + beside);
  at.add(Math.round(warmupLength(state)));
  return [...at].sort((a, b) => a - b).map((i) => [plotX(i), plotY(SCHEDULES[name](state, Math.min(i, ITERATIONS - (name === "step" ? 1 : 0))))]);
}
const joined = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${round(x)} ${round(y)}`).join("");

function drawScheduleAxes() {
  const parts = [];
  let grid = "";
  for (const factor of [0, 0.25, 0.5, 0.75, 1]) {
    grid += line(PLOT.x, plotY(factor), PLOT.x + PLOT.w, plotY(factor));
    parts.push(text(PLOT.x - 8, plotY(factor) + 4, (FIRST_RATE * factor).toFixed(5).replace(/0+$/, "").replace(/\.$/, ""), "dx-s dx-end"));
  }
  for (let i = 0; i <= ITERATIONS; i += 5000) parts.push(text(plotX(i), PLOT.y + PLOT.h + 18, grouped(i), "dx-s dx-mid"));
  parts.push(text(PLOT.x + PLOT.w / 2, PLOT.y + PLOT.h + 36, "iteration", "dx-s dx-q dx-mid"), text(0, 12, "learning rate", "dx-s dx-q"));
  return path(grid, "dx-grid") + path(line(PLOT.x, plotY(0), PLOT.x + PLOT.w, plotY(0)), "dx-axis") + parts.join("");
}

const schedule = {
  title: "The learning rate over the paper's training",
  about: "Two policies over 30,000 iterations from 0.007. Solid blue with a filled ground is poly, dashed is step. Move the reading line, and see how much of each training is spent at which rate.",
  figure: "Two curves of the learning rate against the iteration, poly and step, and a line to read them at.",
  width: 840, height: 318,
  state: ["at", "drops", "factor", "power", "warmup"],
  controls() {
    return [
      tenths("power", "Power of poly", 1, 30),
      { key: "drops", label: "Drops of step", min: 1, max: 5, get: (s) => s.drops, set: (_, value) => ({ drops: value }) },
      { key: "factor", label: "Each drop multiplies by", options: [[0.1, "0.1"], [0.2, "0.2"], [0.5, "0.5"]], get: (s) => s.factor, set: (_, value) => ({ factor: value }) },
      { key: "at", label: "Read at", min: 0, max: 100, show: (value) => `iteration ${grouped((value * ITERATIONS) / 100)}`, get: (s) => s.at, set: (_, value) => ({ at: value }) },
      { key: "warmup", label: "Warm-up of both", min: 0, max: 20, show: (value) => (value ? `${grouped((value * ITERATIONS) / 100)} iterations` : "none"), get: (s) => s.warmup, set: (_, value) => ({ warmup: value }) },
    ];
  },
  repair: (state) => ({ state, note: "" }),
  draw(state) {
    const poly = scheduleTrace(state, "poly"), step = scheduleTrace(state, "step"), x = plotX(atIteration(state));
    const ground = `${joined(poly)}L${PLOT.x + PLOT.w} ${plotY(0)}L${PLOT.x} ${plotY(0)}z`;
    const marks = ["poly", "step"].map((name) => {
      const y = plotY(SCHEDULES[name](state, Math.min(atIteration(state), ITERATIONS - (name === "step" ? 1 : 0))));
      return name === "poly" ? svg("circle", { cx: x, cy: y, r: 5, class: "dx-bar" }) : path(box(x - 4.5, y - 4.5, 9), "dx-tap");
    });
    const key = path(line(640, 12, 668, 12), "dx-stair") + text(674, 16, `poly ${state.power.toFixed(1)}`, "dx-s") + path(line(740, 12, 768, 12), "dx-stair-plain") + text(774, 16, "step", "dx-s");
    return drawScheduleAxes() + path(ground, "dx-beam") + path(joined(step), "dx-stair-plain") + path(joined(poly), "dx-stair") + path(line(x, PLOT.y, x, PLOT.y + PLOT.h), "dx-here") + marks.join("") + key;
  },
  tiles(state) {
    const tile = (name) => { const share = SCHEDULES[name](state, Math.min(atIteration(state), ITERATIONS - (name === "step" ? 1 : 0))); return { value: (FIRST_RATE * share).toPrecision(3), formula: `${percent(share)} of the first rate, 0.007` }; };
    const mean = (name) => ({ value: `${(100 * scheduleFacts(state, name).mean).toFixed(1)}%` });
    return [
      { label: "poly where you read", ...tile("poly") },
      { label: "step where you read", ...tile("step") },
      { label: "poly, mean of the training", ...mean("poly"), formula: `without warm-up near 1 / (power + 1) = ${(100 / (state.power + 1)).toFixed(1)}%` },
      { label: "step, mean of the training", ...mean("step"), formula: `${state.drops + 1} levels, each as long as the other${state.drops > 1 ? "s" : ""}` },
    ];
  },
  says(state) {
    const poly = scheduleFacts(state, "poly").low, step = scheduleFacts(state, "step").low;
    const low = (count) => (count > 1 ? `its last ${grouped(count)} iterations` : count ? "its last iteration" : "no iteration");
    const drops = `${state.drops} drop${state.drops > 1 ? "s" : ""}`;
    return `Poly ${state.power.toFixed(1)} trains ${low(poly)} with less than a hundredth of the first rate; step with ${drops} of × ${state.factor}, ${low(step)}.`;
  },
};
