// Single keys, as the help dialog lists them. They never fire while somebody writes, and can be switched off.
(() => {
  const rows = () => [...document.querySelectorAll("[data-row]:not([hidden])")];
  let going = false;

  // What opens the row, not what folds it.
  const focusLink = (row) => row?.querySelector("a[href]:not([aria-expanded]), button:not([aria-expanded])")?.focus();

  function focusRow(step) {
    const all = rows();
    const here = all.findIndex((row) => row.contains(document.activeElement));
    const next = all[Math.min(all.length - 1, Math.max(0, here + step))];
    focusLink(next);
  }

  function focusProblem(step) {
    const all = rows();
    const here = all.findIndex((row) => row.contains(document.activeElement));
    const found = all.filter((row, place) => row.dataset.row === "error" && (step > 0 ? place > here : place < here));
    focusLink(step > 0 ? found[0] : found.at(-1));
  }

  const click = (selector) => document.querySelector(selector)?.click();

  // Where there is nothing to unfold, a row shows what it holds beside the list.
  function fold() {
    const row = rows().find((each) => each.contains(document.activeElement));
    (row?.querySelector("[aria-expanded]") ?? row?.querySelector("[data-peek]"))?.click();
  }

  const KEYS = {
    "/": () => document.querySelector("[data-search]")?.focus(),
    j: () => focusRow(1),
    k: () => focusRow(-1),
    n: () => focusProblem(1),
    p: () => focusProblem(-1),
    x: fold,
    X: () => click("[data-key-fold-all]"),
    t: () => click("[data-key-t]"),
    l: () => click("[data-key-l]"),
    c: () => navigator.clipboard?.writeText(location.href),
    "?": () => document.getElementById("help")?.showModal(),
    Escape: () => click("[data-close]"),
    g: () => {
      going = true;
      setTimeout(() => (going = false), 1500);
    },
  };

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "k") {
      event.preventDefault();
      document.getElementById("palette")?.showModal();
      return;
    }
    const isWriting = event.target.closest("input, textarea, select, [contenteditable], dialog");
    if (event.ctrlKey || event.metaKey || event.altKey || isWriting || document.body.dataset.shortcuts === "off") return;
    if (going) {
      going = false;
      const place = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
      if (place) place.click();
    } else if (Object.hasOwn(KEYS, event.key)) {
      if (event.key !== "Escape") event.preventDefault();
      KEYS[event.key]();
    }
  });
})();
