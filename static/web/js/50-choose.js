// Boxes of a list's rows: how many are chosen, all of them at once, and nothing to do with none.
(() => {
  const boxes = () => [...document.querySelectorAll("input[name='chosen'][type='checkbox']")];

  function tell() {
    const actions = document.querySelector("[data-with-chosen]");
    if (!actions) return;
    const all = boxes();
    const chosen = all.filter((box) => box.checked).length;
    actions.querySelector("[data-chosen]").textContent = chosen ? `the ${chosen}` : "the";
    for (const button of actions.querySelectorAll("button")) button.disabled = chosen === 0;
    const everything = document.querySelector("[data-choose-all]");
    everything.checked = chosen > 0 && chosen === all.length;
    everything.indeterminate = chosen > 0 && chosen < all.length;
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-choose-all]")) for (const box of boxes()) box.checked = event.target.checked;
    tell();
  });
  for (const name of ["DOMContentLoaded", "htmx:after:swap", "pageshow"]) document.addEventListener(name, tell);
})();
