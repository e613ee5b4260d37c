// The model, off the page's main thread: it gets a picture and settings, and answers with labels, probabilities and
// the branches' responses.
import * as ort from "./ort.wasm.min.mjs";

ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = new URL("./", import.meta.url).href;
ort.env.logLevel = "error"; // the graph keeps constants that its changes made useless

const KEPT = 8; // sessions of the latest settings
const sessions = new Map();
let file, about;

async function load() {
  const [model, facts] = await Promise.all(["model.onnx", "about.json"].map((name) => fetch(new URL(name, import.meta.url))));
  if (!model.ok || !facts.ok) throw new Error("the model's files are not on this server");
  file = new Uint8Array(await model.arrayBuffer());
  about = await facts.json();
  // A first answer at each output stride, of nothing: it takes several times as long as those that a reader waits for.
  const size = 129, pixels = new Uint8ClampedArray(4 * size * size);
  const trained = { grid: about.config.multi_grid, rates: about.config.aspp_rates, branches: [true, true, true, true, true] };
  for (const stride of about.output_strides) await run({ pixels, size, settings: { stride, ...trained } });
  return about;
}

// Strides and rates are single bytes of the file, whose places `about.layers` gives.
export function tuned(file, about, { stride, grid, rates }) {
  const copy = file.slice();
  const place = about.output_strides.indexOf(stride);
  const set = (places, value) => places.forEach((at) => { copy[at] = value; });
  for (const layer of about.layers) {
    const unit = layer.unit === null ? 1 : grid[layer.unit];
    // ASPP's rates are stated at output stride 16.
    const rate = layer.branch === null ? layer.rate[place] * unit : (rates[layer.branch] * 16) / stride;
    set(layer.strides, layer.stride[place]);
    set(layer.dilations, rate);
    set(layer.pads, rate);
  }
  return copy;
}

async function session(settings) {
  const key = JSON.stringify([settings.stride, settings.grid, settings.rates]);
  const known = sessions.get(key);
  sessions.delete(key);
  const made = known ?? (await ort.InferenceSession.create(tuned(file, about, settings), { executionProviders: ["wasm"], logSeverityLevel: 3 }));
  sessions.set(key, made);
  if (sessions.size > KEPT) {
    const [oldest, unused] = sessions.entries().next().value;
    sessions.delete(oldest);
    await unused.release();
  }
  return made;
}

function normalised(pixels, size) {
  const count = size * size, values = new Float32Array(3 * count);
  for (let channel = 0; channel < 3; channel++) {
    const mean = about.mean[channel], std = about.std[channel];
    for (let i = 0; i < count; i++) values[channel * count + i] = (pixels[4 * i + channel] / 255 - mean) / std;
  }
  return new ort.Tensor("float32", values, [1, 3, size, size]);
}

// Softmax over the classes; `logits` becomes the probabilities.
function decide(logits, classes, count) {
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    let best = 0;
    for (let c = 1; c < classes; c++) if (logits[c * count + i] > logits[best * count + i]) best = c;
    labels[i] = best;
    const highest = logits[best * count + i];
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += logits[c * count + i] = Math.exp(logits[c * count + i] - highest);
    for (let c = 0; c < classes; c++) logits[c * count + i] /= sum;
  }
  return labels;
}

// The mean over a branch's channels, at each position of the map.
function responses(maps, branches, channels, count) {
  const means = new Float32Array(branches * count);
  for (let b = 0; b < branches; b++) {
    for (let c = 0; c < channels; c++) {
      const start = (b * channels + c) * count;
      for (let i = 0; i < count; i++) means[b * count + i] += maps[start + i] / channels;
    }
  }
  return means;
}

async function run({ pixels, size, settings }) {
  const model = await session(settings);
  const began = performance.now();
  const branches = settings.branches.length, channels = about.config.aspp_channels;
  const mask = new Float32Array(branches * channels);
  settings.branches.forEach((on, b) => mask.fill(on ? 1 : 0, b * channels, (b + 1) * channels));
  const answer = await model.run({
    images: normalised(pixels, size),
    mask: new ort.Tensor("float32", mask, [1, mask.length, 1, 1]),
  });
  const [, , height, width] = answer.branches.dims;
  const response = responses(answer.branches.data, branches, channels, height * width);
  const probabilities = answer.logits.data;
  const labels = decide(probabilities, about.classes.length, size * size);
  return { labels, probabilities, response, height, width, milliseconds: performance.now() - began };
}

self.onmessage = async ({ data }) => {
  try {
    const result = data.kind === "load" ? await load() : await run(data);
    self.postMessage({ id: data.id, result });
  } catch (error) {
    self.postMessage({ id: data.id, error: String(error?.message ?? error) });
  }
};
