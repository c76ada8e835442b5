// Keys for what the page's buttons and links already do: an element names its keys in aria-keyshortcuts.
"use strict";
(() => {
  const names = {" ": "Space"};
  const stops = [...document.querySelectorAll("[data-roving] [data-stop]")];
  let leaving = false;

  // A key pressed before the next page is there would fall on the wrong solution.
  document.addEventListener("submit", event => {
    if (leaving) event.preventDefault();
    leaving = true;
  });
  window.addEventListener("pageshow", () => { leaving = false; });
  document.addEventListener("stayed", () => { leaving = false; });

  // One tab stop for a list; without this script every row is one.
  const here = () => Math.max(0, stops.findIndex(stop => stop.tabIndex === 0));
  const settle = chosen => stops.forEach(stop => { stop.tabIndex = stop === chosen ? 0 : -1; });
  const move = to => {
    const stop = stops[Math.min(Math.max(to, 0), stops.length - 1)];
    settle(stop);
    stop.focus();
    (stop.closest("tr") || stop).scrollIntoView({block: "nearest"});
    if (stop.id) history.replaceState(null, "", "#" + stop.id);
  };
  if (stops.length) {
    settle(stops.find(stop => stop.id && "#" + stop.id === location.hash) || stops[0]);
    document.addEventListener("focusin", event => { if (stops.includes(event.target)) settle(event.target); });
  }
  const walk = key => {
    const inside = stops.includes(document.activeElement);
    const steps = {j: inside ? 1 : 0, k: -1};
    if (inside) Object.assign(steps, {ArrowDown: 1, ArrowUp: -1, Home: -stops.length, End: stops.length});
    if (!stops.length || !(key in steps)) return false;
    move(here() + steps[key]);
    return true;
  };

  // Solutions as they were written, instead of Markdown and formulas; the choice holds for the tab.
  const written = document.querySelector("[data-written]");
  const show = raw => {
    document.body.classList.toggle("as-written", raw);
    if (written) written.setAttribute("aria-pressed", String(raw));
  };
  if (written) {
    show(sessionStorage.getItem("as-written") === "yes");
    written.addEventListener("click", () => {
      const raw = !document.body.classList.contains("as-written");
      sessionStorage.setItem("as-written", raw ? "yes" : "no");
      show(raw);
    });
  }

  document.addEventListener("keydown", event => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || leaving) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const key = names[event.key] || (event.shiftKey ? event.key : event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (key === "Space" && event.target.closest("button, summary, a")) return;  // space presses what has the focus
    if (key === "Escape" && document.querySelector(":popover-open")) return;
    if (walk(key)) {
      event.preventDefault();
      return;
    }
    const target = document.querySelector(`[aria-keyshortcuts~="${CSS.escape(key)}"]`);
    if (!target || event.repeat) return;
    event.preventDefault();
    if (target.matches("textarea")) {
      target.focus();
      return;
    }
    target.click();
    if (target.matches("a[href]")) leaving = true;
  });
})();
