// A ResNet's blocks at an output stride: strides, rates, and what the convolutions cost. For explorers that name this
// file in `needs`. Its Python twins are dlv3.resnet and dlv3.course.kit.costs, checked against the same cases.

const BLOCK_UNITS = { resnet50: [3, 4, 6, 3], resnet101: [3, 4, 23, 3] };
const BLOCK_WIDTHS = [64, 128, 256, 512];
const nominalStride = (block) => 4 * 2 ** (block - 1);
const baseRate = (block, outputStride) => Math.max(1, nominalStride(block) / outputStride);
const mapStride = (block, outputStride) => Math.min(nominalStride(block), outputStride);
const sideAt = (size, stride) => Math.ceil(size / stride);

// One convolution, with batch normalization or with a bias; training keeps `kept` maps of its output's size.
function convolution(k, from, to, side, kept = 2, bias = false) {
  const weights = k * k * from * to, outputs = to * side * side;
  return { weights, parameters: weights + (bias ? to : 2 * to), multiply_adds: weights * side * side, outputs, kept: kept * outputs };
}

// The stem and the blocks of a bottleneck ResNet, in order.
function backboneStages({ backbone, size, output_stride: os, blocks, multi_grid: grid = [1, 1, 1], first_unit: rule = "stage" }) {
  const stages = [{ name: "stem", stride: 4, size: sideAt(size, 4), channels: 64, rates: [], convolutions: [convolution(7, 3, 64, sideAt(size, 2))] }];
  let channels = 64;
  for (let block = 1; block <= blocks; block++) {
    const inside = mapStride(block, os), before = block > 1 ? mapStride(block - 1, os) : inside, after = block < blocks ? mapStride(block + 1, os) : inside;
    const index = Math.min(block, 4) - 1, units = BLOCK_UNITS[backbone][index], width = BLOCK_WIDTHS[index], out = 4 * width;
    const rate = baseRate(block, os), entry = rule === "stage" || block === 1 ? rate : baseRate(block - 1, os);
    const convolutions = [], rates = [], stride = (unit) => (rule === "stage" ? (unit === units ? after : inside) : unit === 0 ? before : inside);
    for (let unit = 0; unit < units; unit++) {
      const here = sideAt(size, stride(unit)), there = sideAt(size, stride(unit + 1));
      // The third convolution's second map is the unit's output; no ReLU follows the projection shortcut.
      convolutions.push(convolution(1, channels, width, here), convolution(3, width, width, there), convolution(1, width, out, there));
      if (channels !== out) convolutions.push(convolution(1, channels, out, there, 1));
      channels = out;
      rates.push((unit === 0 ? entry : rate) * (block >= 4 ? grid[unit] : 1));
    }
    stages.push({ name: `block${block}`, stride: stride(units), size: sideAt(size, stride(units)), channels: out, rates, convolutions });
  }
  return stages;
}

const total = (items, key) => items.reduce((sum, item) => sum + item[key], 0);

// An output stride that the blocks do not reach: more blocks, or a smaller output stride.
const largestStride = (blocks) => nominalStride(blocks);
const fewestBlocks = (outputStride) => Math.max(4, Math.log2(outputStride / 4) + 1);
function reachedStride(state, key) {
  const largest = largestStride(state.blocks);
  if (state.output_stride <= largest) return { state, note: "" };
  if (key === "blocks") {
    const blocks = fewestBlocks(state.output_stride);
    return { state: { ...state, blocks }, note: `An output stride of ${state.output_stride} needs ${blocks} blocks: lower it first.` };
  }
  return { state: { ...state, output_stride: largest }, note: `Block ${state.blocks} ends at a stride of ${largest}; more blocks reach further.` };
}
