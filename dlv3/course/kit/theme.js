// The colour scheme: light, dark, or that of the system; set before anything is drawn, and kept if the browser allows.
(() => {
  const schemes = ["system", "light", "dark"];
  let kept = "system";
  try { kept = localStorage.getItem("dlv3-theme") || "system"; } catch { /* a page opened from a file may keep nothing */ }
  const apply = () => { document.documentElement.style.colorScheme = kept === "system" ? "light dark" : kept; };
  apply();
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const say = () => { button.textContent = `◐ ${kept}`; button.setAttribute("aria-label", `Colours: ${kept}. Press to change.`); };
    say();
    button.addEventListener("click", () => {
      kept = schemes[(schemes.indexOf(kept) + 1) % schemes.length];
      try { localStorage.setItem("dlv3-theme", kept); } catch { /* as above */ }
      apply();
      say();
    });
  });
})();
