// The live page: it draws the picture, asks the worker for the model's answer, and shows it.
(() => {
  const SIZE = 129;
  const at = (id) => document.getElementById(`live-${id}`);
  const picture = at("picture").getContext("2d", { willReadFrequently: true });
  const answer = at("answer").getContext("2d");
  const BRANCHES = [...at("branches").querySelectorAll("label")].map((label) => label.textContent.trim());
  // Cividis, at nine places.
  const RAMP = [[0, 34, 78], [24, 53, 109], [60, 77, 110], [91, 101, 112], [124, 123, 120], [155, 148, 118], [189, 175, 109], [224, 204, 88], [254, 232, 56]];
  const STRIDES = [32, 16, 8, 4];
  const cursor = { x: 64, y: 64 };
  const earlier = []; // pictures before the latest changes
  let worker, about, scenes, truth, latest, scene = -1, drawn = null, wire = null, busy = false, again = false;

  const say = (words) => { at("status").textContent = words; };
  const percent = (share) => `${(100 * share).toFixed(share > 0 && share < 0.0995 ? 1 : 0)}%`;

  // One request at a time; answers come in the order of the questions.
  function ask(message) {
    return new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.result));
      worker.onerror = (event) => reject(new Error(event.message || "the worker did not start"));
      worker.postMessage(message);
    });
  }

  async function load() {
    if (location.protocol === "file:") {
      say("A browser loads no model into a page that was opened from a folder. Serve the book, for example with python -m http.server in its folder, and open this page there.");
      return;
    }
    // Not disabled: it would lose the keyboard's place before there is another one.
    if (at("load").getAttribute("aria-disabled")) return;
    at("load").setAttribute("aria-disabled", "true");
    say("Loading 16 MB…");
    try {
      worker = new Worker("live/worker.mjs", { type: "module" });
      [about, scenes, truth] = await Promise.all([ask({ kind: "load" }), pixelsOf("live/scenes.webp"), pixelsOf("live/labels.png")]);
    } catch (error) {
      worker?.terminate();
      at("load").removeAttribute("aria-disabled");
      say(`The model could not be loaded: ${error.message}. Try again.`);
      return;
    }
    at("all").disabled = false;
    at("picture").tabIndex = 0;
    if (document.activeElement === at("load")) at("picture").focus({ preventScroll: true });
    at("load").disabled = true;
    at("load").textContent = "The model is loaded";
    say("Ready.");
    next();
  }

  async function pixelsOf(address) {
    const reply = await fetch(address);
    if (!reply.ok) throw new Error(`${address} is not on this server`);
    const image = await createImageBitmap(await reply.blob());
    const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d", { willReadFrequently: true });
    canvas.drawImage(image, 0, 0);
    return canvas;
  }

  const chosen = () => at("view").selectedOptions[0].textContent;
  const numbers = (id) => at(id).value.split(",").map(Number);
  const settings = () => ({
    stride: STRIDES[at("stride").value],
    grid: numbers("multi"),
    rates: numbers("rates"),
    branches: BRANCHES.map((_, b) => at(`branch-${b}`).checked),
  });

  async function update() {
    document.getElementById("dlv3-live").dataset.state = "asked";
    if (busy) { again = true; return; }
    busy = true;
    do {
      again = false;
      const asked = settings(), of = drawn;
      const pixels = picture.getImageData(0, 0, SIZE, SIZE).data;
      try {
        const began = performance.now();
        latest = await ask({ kind: "run", pixels, size: SIZE, settings: asked });
        latest.asked = asked;
        latest.truth = of;
        latest.whole = performance.now() - began;
      } catch (error) {
        say(`The model stopped: ${error.message}. Reload the page.`);
        break;
      }
      show();
    } while (again);
    busy = false;
    document.getElementById("dlv3-live").dataset.state = "done";
  }

  function show() {
    if (!latest) return;
    const shown = new ImageData(SIZE, SIZE), view = at("view").value;
    const [kind, place] = view.split("-");
    const words = chosen();
    let scale = "";
    if (kind === "classes") {
      latest.labels.forEach((label, i) => shown.data.set([...about.palette[label], 255], 4 * i));
    } else {
      const { value, highest, bright } = kind === "class" ? probability(Number(place)) : response(Number(place));
      for (let i = 0; i < SIZE * SIZE; i++) shown.data.set(ramp(value(i) / highest), 4 * i);
      scale = ` Bright is ${bright}.`;
    }
    answer.putImageData(shown, 0, 0);
    at("shown").textContent = `${words[0].toUpperCase()}${words.slice(1)}`;
    const shares = about.classes.map(() => 0);
    latest.labels.forEach((label) => { shares[label] += 1 / latest.labels.length; });
    [...at("legend").children].forEach((entry, c) => { entry.lastChild.textContent = `${about.classes[c]} ${percent(shares[c])}`; });
    const found = about.classes.map((name, c) => [name, shares[c]]).filter(([, share]) => share > 0).sort((a, b) => b[1] - a[1]);
    at("answer").setAttribute("aria-label", `Shown: ${words}. Found: ${found.map(([name, share]) => `${name} ${percent(share)}`).join(", ")}.`);
    facts(scale);
    here();
  }

  function probability(c) {
    const start = c * SIZE * SIZE;
    return { value: (i) => latest.probabilities[start + i], highest: 1, bright: "1, dark is 0" };
  }

  function response(b) {
    const { width, height } = latest, start = b * width * height;
    const own = latest.response.subarray(start, start + width * height);
    const value = (i) => {
      const row = Math.floor((Math.floor(i / SIZE) * height) / SIZE), column = Math.floor(((i % SIZE) * width) / SIZE);
      return own[row * width + column];
    };
    const highest = Math.max(...own);
    return { value, highest: highest || 1, bright: `${highest.toFixed(2)}, dark is 0: the mean of the branch's channels` };
  }

  function ramp(share) {
    const along = Math.min(Math.max(share, 0), 1) * (RAMP.length - 1), low = Math.min(Math.floor(along), RAMP.length - 2);
    return [...RAMP[low].map((from, c) => from + (RAMP[low + 1][c] - from) * (along - low)), 255];
  }

  function facts(scale) {
    const { stride, grid, rates } = latest.asked, base = Math.max(1, 32 / stride);
    const joined = (values) => values.join(", ");
    let words = `${latest.width}×${latest.height} map; rates in block4 ${joined(grid.map((rate) => rate * base))}, in ASPP ${joined(rates.map((rate) => (rate * 16) / stride))}. `;
    words += `The answer took ${Math.round(latest.milliseconds)} ms, with the way to the worker and back ${Math.round(latest.whole)} ms.`;
    if (latest.truth) {
      let right = 0;
      latest.labels.forEach((label, i) => { right += label === latest.truth[i]; });
      words += ` ${percent(right / latest.labels.length)} of the pixels are right.`;
    }
    at("facts").textContent = words + scale;
  }

  function here() {
    if (!latest) return;
    const i = cursor.y * SIZE + cursor.x, label = latest.labels[i];
    const sure = latest.probabilities[label * SIZE * SIZE + i];
    at("here").textContent = `At column ${cursor.x}, row ${cursor.y}: ${about.classes[label]}, ${percent(sure)}`;
    at("cursor").style.left = `${((cursor.x + 0.5) * 100) / SIZE}%`;
    at("cursor").style.top = `${((cursor.y + 0.5) * 100) / SIZE}%`;
  }

  // Pictures.

  function changed(labels = null) {
    drawn = labels;
    update();
  }

  function remember() {
    earlier.push([picture.getImageData(0, 0, SIZE, SIZE), drawn]);
    if (earlier.length > 20) earlier.shift();
  }

  function next() {
    remember();
    scene = (scene + 1) % (scenes.canvas.width / SIZE);
    picture.putImageData(scenes.getImageData(scene * SIZE, 0, SIZE, SIZE), 0, 0);
    const labels = truth.getImageData(scene * SIZE, 0, SIZE, SIZE).data;
    changed(Uint8Array.from({ length: SIZE * SIZE }, (_, i) => labels[4 * i]));
  }

  function undo() {
    wire = null;
    if (!earlier.length) return;
    const [pixels, labels] = earlier.pop();
    picture.putImageData(pixels, 0, 0);
    changed(labels);
  }

  // A grating between two colours, as many of the made objects have, where the signed distance is negative.
  function paint(distance, first, second, period = 9) {
    const image = picture.getImageData(0, 0, SIZE, SIZE);
    for (let y = 0; y < SIZE; y++) {
      for (let x = 0; x < SIZE; x++) {
        const cover = Math.min(Math.max(0.5 - distance(x, y), 0), 1);
        if (!cover) continue;
        const mix = 0.5 + 0.5 * Math.sin((2 * Math.PI * (0.8 * x + 0.6 * y)) / period), i = 4 * (y * SIZE + x);
        for (let c = 0; c < 3; c++) {
          const colour = first[c] + (second[c] - first[c]) * mix;
          image.data[i + c] += (colour - image.data[i + c]) * cover;
        }
        image.data[i + 3] = 255;
      }
    }
    picture.putImageData(image, 0, 0);
  }

  const OUTLINES = {
    disc: (x, y, r) => Math.hypot(x, y) - r,
    square: (x, y, r) => Math.max(Math.abs(x), Math.abs(y)) - 0.8 * r,
    triangle: (x, y, r) => Math.max(Math.abs(x) * 0.866 - y / 2, y) - 0.6 * r,
    ring: (x, y, r) => Math.abs(Math.hypot(x, y) - 0.775 * r) - 0.225 * r,
    cross: (x, y, r) => {
      const [a, b, half] = [Math.abs(x), Math.abs(y), 0.3 * r];
      return Math.min(Math.max(a - r, b - half), Math.max(a - half, b - r));
    },
  };

  function colours() {
    const hue = Number(at("colour").value);
    const rgb = (lightness) => [0, 8, 4].map((n) => {
      const k = (n + hue / 30) % 12;
      return 255 * (lightness - 0.9 * Math.min(lightness, 1 - lightness) * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
    });
    return [rgb(0.5), rgb(0.3)];
  }

  function stamp() {
    const { x: left, y: top } = cursor, shape = at("shape").value, radius = Number(at("radius").value);
    if (shape === "wire" && !wire) {
      wire = { ...cursor };
      say("One end is marked. Mark the other one.");
      return;
    }
    remember();
    let distance = (x, y) => OUTLINES[shape](x - left, y - top, radius);
    if (shape === "wire") {
      const from = wire, length2 = (left - from.x) ** 2 + (top - from.y) ** 2 || 1;
      distance = (x, y) => {
        const along = Math.min(Math.max(((x - from.x) * (left - from.x) + (y - from.y) * (top - from.y)) / length2, 0), 1);
        return Math.hypot(x - from.x - along * (left - from.x), y - from.y - along * (top - from.y)) - 2.5;
      };
      wire = null;
      say("Ready.");
    }
    paint(distance, ...colours());
    changed();
  }

  function strip(bright, dark) {
    remember();
    for (let y = 0; y < SIZE; y++) {
      picture.fillStyle = `rgb(${Math.floor(y / 4) % 2 ? dark : bright})`;
      picture.fillRect(0, y, 10, 1);
    }
    changed();
  }

  function blank() {
    remember();
    paint(() => -1, [86, 82, 74], [40, 38, 34], 10);
    changed();
  }

  async function photo(file) {
    if (!file) return;
    let image;
    try {
      image = await createImageBitmap(file);
    } catch {
      say(`${file.name} is not a picture that this browser reads. Choose a JPEG, PNG or WebP.`);
      return;
    }
    remember();
    const side = Math.min(image.width, image.height);
    picture.imageSmoothingQuality = "high";
    picture.fillRect(0, 0, SIZE, SIZE);
    picture.drawImage(image, (image.width - side) / 2, (image.height - side) / 2, side, side, 0, 0, SIZE, SIZE);
    say("The middle of the photo, at 129×129. The model knows made scenes alone.");
    changed();
  }

  // Controls.

  const keep = (value) => Math.min(Math.max(value, 0), SIZE - 1);
  function point(event) {
    const box = event.currentTarget.getBoundingClientRect();
    cursor.x = keep(Math.floor(((event.clientX - box.left) * SIZE) / box.width));
    cursor.y = keep(Math.floor(((event.clientY - box.top) * SIZE) / box.height));
    here();
  }

  at("branches").addEventListener("input", update);
  at("load").addEventListener("click", load);
  at("next").addEventListener("click", next);
  at("blank").addEventListener("click", blank);
  at("undo").addEventListener("click", undo);
  at("orange").addEventListener("click", () => strip([245, 160, 0], [105, 65, 0]));
  at("blue").addEventListener("click", () => strip([0, 130, 215], [0, 50, 95]));
  at("choose").addEventListener("click", () => at("photo").click());
  at("photo").addEventListener("change", (event) => { photo(event.target.files[0]); event.target.value = ""; });
  at("view").addEventListener("input", show);
  at("shape").addEventListener("input", () => { wire = null; });
  for (const id of ["multi", "rates"]) at(id).addEventListener("input", update);
  at("radius").addEventListener("input", (event) => named(event.target, `${event.target.value} px`));
  at("stride").addEventListener("input", (event) => { named(event.target, String(STRIDES[event.target.value])); update(); });
  at("trained").addEventListener("click", () => {
    at("multi").value = "1,2,4";
    at("rates").value = "2,4,6";
    at("stride").value = 1;
    named(at("stride"), "16");
    BRANCHES.forEach((_, b) => { at(`branch-${b}`).checked = true; });
    update();
  });

  function named(slider, words) {
    slider.setAttribute("aria-valuetext", words);
    document.querySelector(`output[for=${slider.id}]`).textContent = words;
  }

  const canvas = at("picture");
  const ready = () => !at("all").disabled;
  canvas.addEventListener("click", (event) => { if (ready()) { point(event); stamp(); } });
  for (const id of ["picture", "answer"]) at(id).addEventListener("pointermove", (event) => {
    // Touch draws; it does not hover.
    if (event.pointerType !== "touch" && ready()) point(event);
  });
  canvas.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? 1 : 5;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (moves[event.key]) {
      cursor.x = keep(cursor.x + moves[event.key][0]);
      cursor.y = keep(cursor.y + moves[event.key][1]);
      here();
    } else if (event.key === "Enter" || event.key === " ") {
      stamp();
    } else return;
    event.preventDefault();
  });
  canvas.addEventListener("dragover", (event) => event.preventDefault());
  canvas.addEventListener("drop", (event) => {
    event.preventDefault();
    if (ready()) photo(event.dataTransfer.files[0]);
  });
})();
