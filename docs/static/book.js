// Makes the book's pages answer: explorers on plain values, predictions kept in the browser, the exam, and explorers
// of pictures. Everything stands on the page without it; it is loaded first, so that nothing moves later.
(() => {
  const store = {
    // A browser may keep nothing for a page that was opened from a folder.
    get(key) { try { return localStorage.getItem(`dlv3:${key}`); } catch { return null; } },
    set(key, value) { try { localStorage.setItem(`dlv3:${key}`, value); } catch { /* it lasts as long as the page */ } },
    drop(key) { try { localStorage.removeItem(`dlv3:${key}`); } catch { /* as above */ } },
  };
  const picks = new Map();
  const kept = (key) => picks.get(key) ?? store.get(key);
  const keep = (key, value) => { picks.set(key, value); store.set(key, value); };
  const facts = (element) => JSON.parse(element.dataset.facts);
  const short = (value) => (Number.isInteger(value) && Math.abs(value) >= 1000 ? value.toLocaleString("en-US") : String(Number(value.toPrecision(6))));
  const withUnit = (value, unit) => short(value) + (unit ? (["%", "×"].includes(unit) ? unit : ` ${unit}`) : "");

  function element(parent, name, attributes = {}, words = "") {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (words) node.textContent = words;
    parent.appendChild(node);
    return node;
  }

  // Browser-drawn explorers: the values that JupyterLab's kernel would hold.
  class Model {
    constructor(values) { this.values = values; this.listeners = {}; }
    get(name) { return this.values[name]; }
    set(name, value) { this.values[name] = value; for (const call of this.listeners[`change:${name}`] || []) call(); }
    on(event, call) { (this.listeners[event] ||= []).push(call); }
    off(event, call) { this.listeners[event] = (this.listeners[event] || []).filter((other) => other !== call); }
    save_changes() {}
  }

  function explorer(name, mount) {
    for (const place of document.querySelectorAll(`[data-explorer-mount="${name}"]:not([data-mounted])`)) {
      place.dataset.mounted = "";
      mount(new Model(JSON.parse(place.dataset.state)), place);
    }
  }

  // Predictions. A question is a form; what belongs to its answer is a <details> that opens once all of its questions
  // are answered. The mark and the words are those of the lesson's own comparison.
  const form = (key) => document.getElementById(`ask-${key}`);

  function judged(fact, value) {
    if (fact.options) {
      const picked = fact.options[Number(value)];
      return picked === fact.outcome ? [true, `As you predicted: ${fact.outcome}`] : [false, `${picked}${fact.outcome}`.includes(" ") ? `You predicted “${picked}”. The answer: “${fact.outcome}”` : `You predicted ${picked}; it is ${fact.outcome}`];
    }
    const typed = dlv3ReadNumber(value), predicted = fact.unit === "%" ? dlv3AsPercent(value, typed, fact.number) : typed;
    const off = Math.abs(predicted - fact.number), right = off <= fact.within + 1e-9 * Math.max(1, Math.abs(fact.number));
    const close = off < 1e-9 ? " (exactly)" : ` (off by ${withUnit(off, fact.unit)})`;
    return [right, `You predicted ${withUnit(predicted, fact.unit)}; it is ${fact.outcome}${right ? close : ""}`];
  }

  function showVerdict(place) {
    const asked = form(place.dataset.ask), value = kept(place.dataset.ask);
    if (!asked || value === null) return;
    const fact = facts(asked), [right, words] = judged(fact, value);
    place.className = `dlv3-verdict dlv3-${right ? "right" : "wrong"}`;
    place.replaceChildren();
    element(place, "strong", {}, `${right ? "✓" : "✗"} ${words}.`);
    if (fact.why) element(place, "span").innerHTML = ` ${fact.why}`;
  }

  const gates = [];
  function gate(details) {
    const keys = details.dataset.asks.split(" "), summary = details.querySelector("summary");
    details.id = `came-${keys[0]}`;
    const open = () => keys.every((key) => kept(key) !== null);
    summary.addEventListener("click", (event) => {
      if (open()) return;
      event.preventDefault();
      const next = form(keys.find((key) => kept(key) === null));
      next?.scrollIntoView({ block: "center" });
      next?.querySelector("input")?.focus({ preventScroll: true });
    });
    const update = () => {
      if (open() && details.classList.contains("dlv3-closed")) details.open = true;
      details.classList.toggle("dlv3-closed", !open());
      summary.textContent = open() ? "What came out" : "What came out: make your prediction first";
      if (open()) details.querySelectorAll(".dlv3-verdict").forEach(showVerdict);
    };
    details.classList.add("dlv3-closed");
    gates.push({ keys, update, details });
    update();
  }

  function ask(asked) {
    const { key, options } = facts(asked), inputs = [...asked.querySelectorAll("input")], note = asked.querySelector(".dlv3-kept");
    const say = () => {
      note.replaceChildren();
      const place = gates.find((each) => each.keys.includes(key));
      if (kept(key) === null || !place) return;
      note.append("Your prediction is kept in this browser. ");
      element(note, "a", { href: `#${place.details.id}` }, "See what came out");
    };
    const answer = (value) => {
      keep(key, value);
      for (const each of gates) if (each.keys.includes(key)) each.update();
      say();
    };
    const before = kept(key);
    if (before !== null) for (const input of inputs) { if (options) input.checked = input.value === before; else input.value = before; }
    asked.addEventListener("change", (event) => { if (options) answer(event.target.value); });
    asked.addEventListener("submit", (event) => {
      event.preventDefault();
      if (options) return;
      if (Number.isNaN(dlv3ReadNumber(inputs[0].value))) { note.textContent = "Please write one number, such as 483, 5.3, 414,872, 18.4% or 3/8."; inputs[0].focus(); return; }
      answer(inputs[0].value);
    });
    say();
  }

  // The exam: a point for each right answer, and the place to go back to for each wrong one.
  function exam(sheet) {
    const asked = [...sheet.querySelectorAll("fieldset")].map((field) => ({ field, ...facts(field), inputs: [...field.querySelectorAll("input")] }));
    const result = sheet.querySelector(".dlv3-result");
    const given = ({ inputs, number }) => (number === undefined ? inputs.find((input) => input.checked)?.value : inputs[0].value.trim() || undefined);
    for (const each of asked) {
      const before = kept(each.key);
      if (before !== null) for (const input of each.inputs) { if (each.number === undefined) input.checked = input.value === before; else input.value = before; }
    }
    const judge = (each) => {
      const value = given(each);
      if (value === undefined) return "open";
      if (each.number === undefined) return Number(value) === each.right ? "right" : "wrong";
      const typed = dlv3ReadNumber(value), number = each.unit === "%" ? dlv3AsPercent(value, typed, each.number) : typed;
      if (Number.isNaN(number)) return "open";
      return Math.abs(number - each.number) <= each.within + 1e-9 * Math.max(1, Math.abs(each.number)) ? "right" : "wrong";
    };
    sheet.addEventListener("change", (event) => { keep(event.target.name, event.target.value); });
    sheet.addEventListener("submit", (event) => {
      event.preventDefault();
      const kinds = asked.map(judge);
      asked.forEach((each, place) => {
        const mark = each.field.querySelector(".dlv3-mark");
        mark.replaceChildren();
        mark.className = `dlv3-mark dlv3-${kinds[place]}`;
        if (kinds[place] === "right") mark.innerHTML = `✓ Right. ${each.why}`;
        else if (kinds[place] === "open") mark.textContent = "… Not answered.";
        else {
          mark.append("✗ Not right. Go back to ");
          element(mark, "a", { href: `${each.lesson}.html` }, `lesson ${each.lesson.slice(0, 2)}, ${each.place}`);
          mark.append(", then answer again.");
        }
      });
      const points = kinds.filter((kind) => kind === "right").length, open = kinds.filter((kind) => kind === "open").length;
      result.textContent = points === asked.length ? `${points} of ${asked.length} right. You have understood this paper.`
        : `${points} of ${asked.length} right${open ? `, ${open} not answered` : ""}.`;
    });
    sheet.addEventListener("reset", () => {
      for (const each of asked) { store.drop(each.key); picks.delete(each.key); each.field.querySelector(".dlv3-mark").replaceChildren(); }
      result.replaceChildren();
    });
  }

  // Explorers of pictures that were made beforehand: a frame and a sentence for every position of the sliders.
  function pictures(root) {
    const { controls, frames, play } = facts(root), image = root.querySelector("img"), says = root.querySelector(".dlv3-read-out");
    const places = controls.map((control) => control.start), box = element(root, "div", { class: "dlv3-controls" });
    root.insertBefore(box, root.querySelector("figure"));
    const show = () => {
      const [address, words] = frames[places.join("-")];
      image.src = address;
      image.alt = words;
      says.textContent = words;
    };
    const rows = controls.map((control, place) => {
      const label = element(box, "label"), last = control.values.length - 1;
      element(label, "span", {}, control.label);
      const value = control.pick ? null : element(label, "output");
      const input = element(label, control.pick ? "select" : "input", control.pick ? {} : { type: "range", min: 0, max: last, step: 1 });
      if (control.pick) control.values.forEach((words, i) => element(input, "option", { value: i }, words));
      const move = (to) => {
        places[place] = to;
        input.value = to;
        if (!value) return;
        value.textContent = control.values[to];
        input.setAttribute("aria-valuetext", control.values[to]);
      };
      move(control.start);
      input.addEventListener("input", () => { move(Number(input.value)); show(); });
      return { input, move, last };
    });
    if (play) playing(root, box, rows[0], () => places[0], show);
  }

  // Moves the first slider on by itself until the reader stops it or takes it over.
  function playing(root, box, { input, move, last }, place, show) {
    const button = element(box, "button", { type: "button", class: "dlv3-play" });
    let timer = null;
    const set = (run) => {
      clearInterval(timer);
      timer = run ? setInterval(() => { if (!document.hidden) { move(place() === last ? 0 : place() + 1); show(); } }, 1800) : null;
      button.textContent = run ? "Pause" : "Play";
      root.querySelector(".dlv3-read-out").setAttribute("aria-live", run ? "off" : "polite");
    };
    button.addEventListener("click", () => set(timer === null));
    input.addEventListener("pointerdown", () => set(false));
    input.addEventListener("keydown", () => set(false));
    set(!matchMedia("(prefers-reduced-motion: reduce)").matches);
  }

  // What scrolls sideways can be reached by keyboard, and fades where it goes on; what folds a part of the menu has a name.
  function reachable() {
    for (const toggle of document.querySelectorAll("nav summary")) {
      toggle.setAttribute("aria-label", `Pages under ${toggle.closest("li").querySelector("a").textContent.trim()}`);
    }
    const wide = "div.highlight pre, .pst-scrollable-table-container, .dlv3-formula, .dlv3-plot, .output_area, .cell_output pre, .dx-figure";
    for (const node of document.querySelectorAll(wide)) {
      const more = () => { node.classList.toggle("dlv3-more", node.scrollLeft + node.clientWidth < node.scrollWidth - 2); };
      more();
      node.onscroll = more;
      if (node.scrollWidth > node.clientWidth && !node.hasAttribute("tabindex")) node.tabIndex = 0;
    }
  }

  // Paper is white: a page that is shown light on dark is printed dark on light.
  let onScreen = null;
  addEventListener("beforeprint", () => { onScreen = document.documentElement.dataset.theme; document.documentElement.dataset.theme = "light"; });
  addEventListener("afterprint", () => { if (onScreen !== null) document.documentElement.dataset.theme = onScreen; });

  window.dlv3 = { explorer, gate, exam, pictures };
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".dlv3-ask").forEach(ask);
    reachable();
    addEventListener("resize", reachable);
    // What was folded has its width now.
    addEventListener("toggle", reachable, true);
  });
})();
