// Lists that a stream keeps up to date. A row that is there is changed in place; a new one comes in by itself only
// while the reader is at the top, nothing in the list has the focus, and rows come no faster than can be read. Otherwise
// a button counts what waits.
(() => {
  const MOST_ROWS = 200;
  const AT_TOP_PX = 120;
  const FASTEST_PER_S = 20;
  const MEASURED_MS = 2000;
  const waiting = new Map();
  let arrivals = [];
  let api;

  const list = () => document.querySelector("[data-live-rows]");
  const button = () => document.getElementById("fresh-rows");

  // A list that grows downward: what comes last stands last, and moves nothing.
  const growsDownward = (rows) => rows.dataset.liveRows === "downward";

  function isRead(rows) {
    if (growsDownward(rows)) return false;
    return window.scrollY > AT_TOP_PX || rows.contains(document.activeElement) || !window.getSelection().isCollapsed;
  }

  // What is older than all that is shown has its place on the page behind the link, not here.
  function isOlder(rows, row) {
    const shown = [...rows.children].map((other) => other.dataset.sort).filter(Boolean);
    return shown.length > 0 && Number(row.dataset.sort) < Math.min(...shown) && document.querySelector("a[rel='next']") !== null;
  }

  function insert(rows, row) {
    const order = growsDownward(rows) ? -1 : 1;
    const later = [...rows.children].find((other) => order * (row.dataset.sort - other.dataset.sort) > 0);
    rows.insertBefore(row, later ?? null);
    row.classList.add("fresh");
    // `data-live-rows` may say how many the list holds.
    const most = Number(rows.dataset.liveRows) || MOST_ROWS;
    while (order > 0 && rows.children.length > most) rows.lastElementChild.remove();
    document.getElementById("no-rows")?.remove();
  }

  function rate() {
    const since = performance.now() - MEASURED_MS;
    arrivals = arrivals.filter((arrived) => arrived > since);
    return arrivals.length / (MEASURED_MS / 1000);
  }

  function count() {
    const told = button();
    if (!told) return;
    told.hidden = waiting.size === 0;
    const number = waiting.size === MOST_ROWS ? `${MOST_ROWS} or more` : waiting.size;
    const fast = rate() > FASTEST_PER_S ? ` (paused, ${Math.round(rate())} a second)` : "";
    told.textContent = `${number} new row${waiting.size === 1 ? "" : "s"}${fast}: show`;
  }

  function wait(row) {
    waiting.delete(row.id);
    waiting.set(row.id, row);
    if (waiting.size > MOST_ROWS) waiting.delete(waiting.keys().next().value);
  }

  function show() {
    const rows = list();
    for (const row of waiting.values()) insert(rows, row);
    waiting.clear();
    count();
    window.scrollTo({ top: 0 });
  }

  function take(rows, row) {
    const present = document.getElementById(row.id);
    if (present) {
      const fragment = document.createDocumentFragment();
      fragment.append(row);
      api.morph(present, fragment, false);
    } else if (isOlder(rows, row)) {
      return;
    } else if (waiting.has(row.id)) {
      waiting.set(row.id, row);
    } else if (!row.hasAttribute("data-update")) {
      arrivals.push(performance.now());
      const isTooFast = !growsDownward(rows) && rate() > FASTEST_PER_S;
      if (isTooFast || isRead(rows)) wait(row);
      else insert(rows, row);
    }
  }

  htmx.registerExtension("live-rows", {
    init: (internal) => {
      api = internal;
    },
    handle_swap: (style, target, fragment) => {
      if (style !== "live-rows") return false;
      for (const row of [...fragment.children]) take(target, row);
      count();
      return true;
    },
  });

  const SAID = { open: "Live", lost: "Reconnecting…", over: "Ended" };
  function say(state) {
    for (const told of document.querySelectorAll("[data-live-state]")) {
      told.dataset.liveState = state;
      told.textContent = SAID[state];
    }
  }

  document.addEventListener("htmx:sse:after:connection", () => say("open"));
  document.addEventListener("htmx:sse:error", () => say("lost"));
  document.addEventListener("htmx:sse:before:connection", (event) => event.detail.connection.attempt && say("lost"));
  document.addEventListener("htmx:sse:close", (event) => event.detail.reason === "message" && say("over"));
  // The stream cannot say what changed, so the list is asked for again.
  document.addEventListener("resync", () => {
    waiting.clear();
    htmx.ajax("GET", location.href, { target: "#results", swap: "outerHTML" });
  });
  document.addEventListener("click", (event) => event.target.closest("#fresh-rows") && show());
})();
