// The valid-weights explorer: the weights of a 3×3 filter that meet the map and not its padding (Fig. 4).

// The arithmetic; its Python twin is dlv3.atrous.valid_weight_shares, checked against the same cases.
// Positions along one axis with three taps on the map, with two, and with the centre one alone.
function axisCounts(n, r) {
  const three = Math.max(0, n - 2 * r), one = Math.min(n, Math.max(0, 2 * r - n));
  return { three, one, two: n - three - one };
}

const VALID_WEIGHTS = [9, 6, 4, 2, 1];
function validShares(n, r) {
  const { three, two, one } = axisCounts(n, r);
  return [three * three, 2 * three * two, two * two, 2 * two * one, one * one].map((count) => count / n ** 2);
}

// Along an axis the centre tap is always on the map, each outer one at n - r positions.
const meetingPadding = (n, r) => 1 - ((n + 2 * Math.max(0, n - r)) / (3 * n)) ** 2;

const tapsAround = (i, r) => [i - r, i, i + r];
const validAlong = (i, n, r) => tapsAround(i, r).filter((t) => t >= 0 && t < n).length;

// Runs of positions along an axis with equally many valid taps: [start, length, taps].
function axisRuns(n, r) {
  const ends = [0, Math.min(r, n - r), Math.max(r, n - r), n].map((end) => clamp(end, 0, n));
  return [0, 1, 2].map((i) => [ends[i], ends[i + 1] - ends[i]]).filter(([, length]) => length > 0)
    .map(([start, length]) => [start, length, validAlong(start, n, r)]);
}

const VALID_MAPS = [[65, "65: 513 pixels at output stride 8, Fig. 4"], [33, "33: 513 pixels at output stride 16"], [17, "17: 129 pixels at output stride 8"], [9, "9: 129 pixels at output stride 16"]];
const VALID_MOST = { size: 65, rate: 80 };
// Rates on offer: a little past the side, from which on nothing changes any more.
const mostRate = (n) => Math.min(VALID_MOST.rate, Math.floor(1.25 * n));

function validRepair(state, key) {
  const { size, rate } = state, most = mostRate(size), mended = { ...state, rate: Math.min(rate, most) };
  for (const name of ["row", "column"]) mended[name] = clamp(state[name], 0, size - 1);
  const note = rate > most ? `The rate stops at ${most}: from rate ${size} on, a map of ${size} × ${size} leaves only the centre weight.` : "";
  return { state: mended, note: key === "point" || key === "key" ? "" : note };
}

function validPlan({ size, rate }) {
  const cell = 290 / (size + 2 * rate), side = size * cell;
  return { cell, side, x: 180 - side / 2, y: 174 - side / 2 };
}

function drawValidMap(state) {
  const { size, rate, row, column } = state, { cell, side, x, y } = validPlan(state), pad = rate * cell;
  const parts = [
    text(180, 16, `map ${size} × ${size}, padded by ${rate} on each side`, "dx-mid"),
    path(box(x - pad, y - pad, side + 2 * pad), "dx-pad-back"), path(box(x - pad, y - pad, side + 2 * pad), "dx-pad"), path(box(x, y, side), "dx-map"),
  ];
  const runsOfAxis = axisRuns(size, rate);
  for (const [r, h, down] of runsOfAxis) for (const [c, w, across] of runsOfAxis) {
    parts.push(path(box(x + c * cell, y + r * cell, w * cell, h * cell), `dx-cell dx-valid-${down * across}`));
    if (Math.min(w, h) * cell > 17) parts.push(text(x + (c + w / 2) * cell, y + (r + h / 2) * cell + 4, String(down * across), "dx-mid dx-bold"));
  }
  parts.push(path(box(x, y, side), "dx-edge"));
  const centre = (i, start) => start + (i + 0.5) * cell;
  parts.push(path(box(centre(column - rate, x) - cell / 2, centre(row - rate, y) - cell / 2, (2 * rate + 1) * cell), "dx-window"));
  const s = clamp(cell, 7, 15), inside = (t) => t >= 0 && t < size;
  for (const r of tapsAround(row, rate)) for (const c of tapsAround(column, rate)) {
    const px = centre(c, x), py = centre(r, y), here = r === row && c === column;
    if (inside(r) && inside(c)) parts.push(path(box(px - s / 2, py - s / 2, s), here ? "dx-output" : "dx-tap"), svg("circle", { cx: px, cy: py, r: s / 7, class: "dx-dot" }));
    else parts.push(path(box(px - s / 2, py - s / 2, s), "dx-tap-off"), path(line(px - s / 4, py - s / 4, px + s / 4, py + s / 4) + line(px + s / 4, py - s / 4, px - s / 4, py + s / 4), "dx-tap-cross"));
  }
  return parts.join("");
}

// Fig. 4 for this map: the shares at each rate, one on top of the other.
function drawValidChart({ size, rate }) {
  const x0 = 440, y0 = 264, w = 370, h = 226, most = mostRate(size);
  const x = (r) => x0 + (w * (r - 1)) / (most - 1), y = (share) => y0 - h * share;
  const below = Array.from({ length: most }, () => 0), parts = [text(x0 + w / 2, 16, `share of positions on ${size} × ${size}, by rate`, "dx-mid")];
  VALID_WEIGHTS.forEach((weights, i) => {
    const lower = below.map((share, j) => [x(j + 1), y(share)]);
    const shares = below.map((_, j) => validShares(size, j + 1)[i]);
    shares.forEach((share, j) => { below[j] += share; });
    const upper = below.map((share, j) => [x(j + 1), y(share)]).reverse();
    parts.push(path(`M${[...lower, ...upper].map(([a, b]) => `${round(a)} ${round(b)}`).join("L")}z`, `dx-cell dx-valid-${weights}`));
    const widest = shares.indexOf(Math.max(...shares)), middle = below[widest] - shares[widest] / 2;
    if (shares[widest] > 0.09) parts.push(text(clamp(x(widest + 1), x0 + 9, x0 + w - 9), y(middle) + 4, String(weights), "dx-mid dx-bold"));
    const lx = x0 + i * 74;
    parts.push(path(box(lx, 302, 13), `dx-edge dx-valid-${weights}`), text(lx + 19, 313, `${weights} valid`, "dx-s"));
  });
  for (const share of [0, 0.5, 1]) parts.push(path(line(x0 - 5, y(share), x0, y(share)), "dx-axis"), text(x0 - 8, y(share) + 4, `${100 * share}%`, "dx-s dx-end"));
  const step = [1, 2, 5, 10, 20].find((s) => most / s <= 6);
  for (let r = step; r <= most; r += step) parts.push(path(line(x(r), y0, x(r), y0 + 5), "dx-axis"), text(x(r), y0 + 18, String(r), "dx-s dx-mid"));
  parts.push(path(line(x0, y0, x0 + w, y0), "dx-axis"), path(line(x(rate), y0 - h - 8, x(rate), y0), "dx-here"));
  parts.push(path(`M${round(x(rate) - 5)} ${y0 - h - 13}h10l-5 8z`, "dx-here-mark"));
  return parts.join("");
}

// One position in 65 × 65 is 0.02%, and not none.
const wholeShare = (n, r) => shareOf(Math.max(0, n - 2 * r) ** 2, n ** 2, "positions");
const percent = (share) => share > 0 && share < 0.0005 ? "under 0.1%" : `${(100 * share).toFixed(1)}%`;

const validWeights = {
  title: "Valid weights: what is left of a 3×3 filter at a large rate",
  about: "Point at the map, or focus the figure and press the arrow keys, to move the filter. Crossed taps meet the zero padding.",
  figure: "The map with a 3×3 filter on it, and the share of positions by valid weights. Arrow keys move the filter.",
  width: 840, height: 330,
  state: ["size", "rate", "row", "column"],
  controls: (state) => [
    { key: "map", label: "Maps to try", options: [["own", "your own"], ...VALID_MAPS], set: (s, value) => ({ size: value === "own" ? s.size : value }),
      get: (s) => (VALID_MAPS.some(([size]) => size === s.size) ? s.size : "own") },
    { key: "size", label: "Side of the map n", min: 3, max: VALID_MOST.size, get: (s) => s.size, set: (_, value) => ({ size: value }) },
    { key: "rate", label: "Rate r", min: 1, max: mostRate(state.size), get: (s) => s.rate, set: (_, value) => ({ rate: value }) },
  ],
  repair: validRepair,
  draw: (state) => drawValidMap(state) + drawValidChart(state),
  tiles({ size: n, rate: r, row, column }) {
    const shares = validShares(n, r), down = validAlong(row, n, r), across = validAlong(column, n, r);
    return [
      { label: "At this position", value: `${down * across} of 9 weights`, formula: `${down} of 3 rows × ${across} of 3 columns` },
      { label: "All nine weights valid", value: wholeShare(n, r).replace(/ (of the )?positions/, ""), formula: `max(0, n − 2r)² / n² = ${Math.max(0, n - 2 * r)}² / ${n}²` },
      { label: "Only the centre valid", value: percent(shares[4]), formula: r >= n ? "r ≥ n: a 1×1 filter" : `max(0, 2r − n)² / n² = ${Math.max(0, 2 * r - n)}² / ${n}²` },
      { label: "Products with padding", value: percent(meetingPadding(n, r)), formula: "multiplications that a zero of the padding enters" },
    ];
  },
  says({ size: n, rate: r, row, column }) {
    const here = validAlong(row, n, r) * validAlong(column, n, r);
    const whole = r >= n ? "every position has only its centre weight: the filter is a 1×1 filter" : `${wholeShare(n, r)} have all nine weights on the map`;
    return `On a ${n} × ${n} map at rate ${r}, ${whole}; ${percent(meetingPadding(n, r))} of the multiplications meet padding. At row ${row}, column ${column}: ${here} of 9.`;
  },
  point(px, py, state) {
    const { cell, x, y } = validPlan(state), column = Math.floor((px - x) / cell), row = Math.floor((py - y) / cell);
    return column >= 0 && row >= 0 && column < state.size && row < state.size ? { row, column } : null;
  },
  key(name, state) {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[name];
    if (step) return { row: state.row + step[0], column: state.column + step[1] };
    return { Home: { row: 0, column: 0 }, End: { row: 1e6, column: 1e6 } }[name] || null;
  },
};
