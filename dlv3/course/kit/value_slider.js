// A native slider over places 0, 1, 2 …; what is shown and told to assistive technology is the value there.
function render({ model, el }) {
  const words = model.get("words");
  const row = document.createElement("label");
  row.className = "dlv3-value-slider";
  row.setAttribute("data-lm-suppress-shortcuts", "true");
  row.style.cssText = "display:flex;align-items:center;gap:8px;width:440px;max-width:100%;font-size:13px";
  const name = document.createElement("span"), input = document.createElement("input"), value = document.createElement("output");
  name.textContent = model.get("description");
  name.style.cssText = "flex:0 0 130px";
  Object.assign(input, { type: "range", min: 0, max: words.length - 1, step: 1 });
  input.style.cssText = "flex:1 1 auto;min-width:0";
  value.style.cssText = "flex:0 0 56px";
  row.append(name, input, value);
  el.append(row);
  const show = () => {
    const place = model.get("place");
    input.value = place;
    input.setAttribute("aria-valuetext", words[place]);
    value.textContent = words[place];
  };
  input.addEventListener("input", () => {
    model.set("place", Number(input.value));
    show();
    model.save_changes();
  });
  input.addEventListener("keydown", (event) => event.stopPropagation());
  model.on("change:place", show);
  show();
  return () => model.off("change:place", show);
}
export default { render };
