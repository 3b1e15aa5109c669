// Times of the last hour are told as people say them; the exact time stays in the title.
(() => {
  const words = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "narrow" });

  function tell(element) {
    const seconds = Math.round((Date.now() - Date.parse(element.dateTime)) / 1000);
    element.dataset.clock ??= element.textContent;
    if (seconds < 0 || seconds >= 3600) element.textContent = element.dataset.clock;
    else if (seconds < 60) element.textContent = words.format(-seconds, "second");
    else element.textContent = words.format(-Math.floor(seconds / 60), "minute");
  }

  const tellAll = () => document.querySelectorAll("time[datetime]").forEach(tell);
  document.addEventListener("DOMContentLoaded", tellAll);
  document.addEventListener("htmx:after:swap", tellAll);
  setInterval(tellAll, 10_000);
})();
