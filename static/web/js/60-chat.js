// The chat's composer sends with Enter, and the page stays at its end while somebody is there.
(() => {
  document.addEventListener("keydown", (event) => {
    const box = event.target.closest("[data-enter-sends]");
    if (!box || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (box.value.trim()) box.form.requestSubmit();
  });

  const NEAR_PX = 160;
  const isAtEnd = () => window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - NEAR_PX;
  let follows = true;
  addEventListener("scroll", () => (follows = isAtEnd()), { passive: true });
  const toEnd = () => window.scrollTo({ top: document.documentElement.scrollHeight });

  document.addEventListener("DOMContentLoaded", () => document.querySelector("[data-follow]") && toEnd());
  document.addEventListener("htmx:sse:after:message", () => follows && document.querySelector("[data-follow]") && toEnd());
  document.addEventListener("end", (event) => event.target.closest(".exchange")?.querySelector("[data-while-running]")?.remove());
  // Two clicks are one message.
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "composer") return;
    const button = event.target.querySelector("button");
    setTimeout(() => (button.disabled = true));
  });
  addEventListener("pageshow", () => document.querySelector("#composer button")?.removeAttribute("disabled"));
})();
