// Times that go on: `data-left` counts down and `data-elapsed` up, each from the seconds that the server counted when it
// wrote the page; from there they run by this clock's ticks.
(() => {
  const known = new WeakMap();
  const two = (number) => String(number).padStart(2, "0");

  // Seconds since the server wrote this number.
  function since(element, told) {
    if (known.get(element)?.told !== told) known.set(element, { told, at: performance.now() });
    return (performance.now() - known.get(element).at) / 1000;
  }

  function write(element, seconds) {
    const minutes = Math.floor(seconds / 60);
    const hours = Math.floor(minutes / 60);
    if (seconds < 60) element.textContent = `${seconds} s`;
    else if (minutes < 60) element.textContent = `${minutes}m ${two(seconds % 60)}s`;
    else if (hours < 24) element.textContent = `${hours}h ${two(minutes % 60)}m`;
    else element.textContent = `${Math.floor(hours / 24)}d ${hours % 24}h`;
  }

  function countDown(element) {
    const told = element.dataset.left;
    const left = Math.max(0, Math.ceil(told - since(element, told)));
    write(element, left);
    element.parentElement.toggleAttribute("data-soon", left < 60);
  }

  function countUp(element) {
    const told = element.dataset.elapsed;
    write(element, Math.floor(Number(told) + since(element, told)));
  }

  setInterval(() => {
    document.querySelectorAll("[data-left]").forEach(countDown);
    document.querySelectorAll("[data-elapsed]").forEach(countUp);
  }, 1000);
})();
