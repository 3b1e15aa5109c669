// A click beside a row's links shows the request next to the list.
(() => {
  document.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-row]");
    if (!row || event.target.closest("a, button, input, label") || !window.getSelection().isCollapsed) return;
    row.querySelector("[data-peek]")?.click();
  });
})();
