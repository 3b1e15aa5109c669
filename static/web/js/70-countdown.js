// `data-left` holds the seconds that the server counted when it wrote the page; from there they run by this clock's ticks.
(() => {
  const ends = new WeakMap();
  const two = (number) => String(number).padStart(2, "0");

  function say(element) {
    const known = ends.get(element);
    if (known?.told !== element.dataset.left) {
      ends.set(element, { told: element.dataset.left, at: performance.now() + 1000 * element.dataset.left });
    }
    const left = Math.max(0, Math.ceil((ends.get(element).at - performance.now()) / 1000));
    const minutes = Math.floor(left / 60);
    if (left < 60) element.textContent = `${left} s`;
    else if (minutes < 60) element.textContent = `${minutes}m ${two(left % 60)}s`;
    else element.textContent = `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
    element.parentElement.toggleAttribute("data-soon", left < 60);
  }

  setInterval(() => document.querySelectorAll("[data-left]").forEach(say), 1000);
})();
