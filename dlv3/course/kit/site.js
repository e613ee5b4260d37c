// Makes a page of the course work without a kernel: mounts explorers on a model of plain values, and lets readers answer
// questions.
(() => {
  class Model {
    constructor(values) { this.values = values; this.listeners = {}; }
    get(name) { return this.values[name]; }
    set(name, value) { this.values[name] = value; for (const call of this.listeners[`change:${name}`] || []) call(); }
    on(event, call) { (this.listeners[event] ||= []).push(call); }
    off(event, call) { this.listeners[event] = (this.listeners[event] || []).filter((other) => other !== call); }
    save_changes() {}
  }
  for (const place of document.querySelectorAll("[data-explorer-mount]")) {
    const mount = (window.dlv3Explorers || {})[place.dataset.explorerMount];
    if (!mount) continue;
    place.replaceChildren();
    mount(new Model(JSON.parse(place.dataset.state)), place);
  }
  document.querySelectorAll(".dlv3-question").forEach((question, i) => {
    for (const item of question.querySelectorAll("li")) {
      const label = document.createElement("label");
      const input = Object.assign(document.createElement("input"), { type: "radio", name: `question${i}` });
      label.append(input, " ", ...item.childNodes);
      item.replaceChildren(label);
    }
  });
})();
