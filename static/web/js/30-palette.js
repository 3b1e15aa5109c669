// The palette: opens over the page, and leaves of its list what matches.
(() => {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) {
      event.preventDefault();
      document.getElementById(opener.dataset.opens).showModal();
    }
  });

  document.addEventListener("input", (event) => {
    const list = document.querySelector(`[data-filtered-by="${CSS.escape(event.target.id)}"]`);
    if (!list) return;
    const wanted = event.target.value.trim().toLowerCase();
    for (const item of list.children) item.hidden = !item.textContent.toLowerCase().includes(wanted);
  });

  // Enter takes the first place that matches; what matches none is looked up as an id.
  document.addEventListener("submit", (event) => {
    const list = event.target.closest("#palette")?.querySelector("ul");
    const first = list && [...list.children].find((item) => !item.hidden);
    if (first && event.target.elements.q.value.trim()) {
      event.preventDefault();
      first.querySelector("a").click();
    }
  });
})();
// Where the navigation is a strip that scrolls, it begins with the screen that one is on.
(() => {
  document.addEventListener("DOMContentLoaded", () => {
    const strip = document.querySelector(".nav nav");
    const here = strip?.querySelector("[aria-current='page']");
    if (here) strip.scrollLeft = here.offsetLeft - (strip.clientWidth - here.clientWidth) / 2;
  });
})();
