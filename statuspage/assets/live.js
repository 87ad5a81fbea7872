// Keeps the page as it is on the server: the socket says that something changed, the page is fetched again. Tells times
// of the visitor's own zone, and lets the bars be read with the keyboard.
(() => {
  "use strict";
  const pauseMin = 1000, pauseMax = 30000, pollEvery = 60000;
  const silence = 150000; // the server tells of each minute: longer than this means that it cannot be heard
  let pause = pauseMin, busy = false, wanted = document.body.dataset.etag, poll = 0;
  const byId = (id) => document.getElementById(id);

  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
  const text = (id) => byId(id)?.textContent ?? "";
  const say = (which) => {
    const el = byId("live");
    if (el) { el.hidden = false; el.textContent = el.dataset[which]; }
  };
  // What names the same thing before and after: a link by where it leads, the rest by its feature. The days of a row are
  // all in one link.
  const leadsTo = (el) => el.matches(".bars") ? el.pathname : el.getAttribute("href");
  const nameOf = (el) => el && el.tagName + (el.id || (leadsTo(el) ?? el.closest("article")?.id ?? "")) + (el.querySelector("svg")?.className.baseVal ?? "");

  // Times. The server tells them in the page's zone, in its words; the visitor's own are made here.
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const pageZone = () => document.querySelector("[data-zone]")?.dataset.zone;
  const memory = { get: () => { try { return localStorage.getItem("zone"); } catch { return null; } }, set: (v) => { try { localStorage.setItem("zone", v); } catch { /* forgotten */ } } };
  let mine = memory.get() === "own";

  function tell(iso, zone) {
    const at = new Date(iso), now = new Date(byId("asof")?.getAttribute("datetime") ?? Date.now());
    const date = (t) => t.toLocaleDateString("en-CA", { timeZone: zone });
    const form = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone };
    if (date(at) !== date(now)) Object.assign(form, { day: "numeric", month: "short" }, now - at > 180 * 864e5 ? { year: "numeric" } : { weekday: "short" });
    return new Intl.DateTimeFormat(document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang, form).format(at);
  }
  function times() {
    for (const el of document.querySelectorAll("time[datetime*=T]")) {
      el.dataset.text ??= el.textContent;
      el.textContent = mine ? tell(el.dateTime, own) : el.dataset.text;
    }
    const button = byId("zone"), line = document.querySelector("[data-zone]"), of = byId("of");
    if (of && line) of.textContent = mine ? own : line.dataset.zone;
    if (!button || !own || own === pageZone()) return;
    button.hidden = false;
    button.textContent = (mine ? line.dataset.page : line.dataset.own) + " (" + (mine ? pageZone() : own) + ")";
  }
  document.addEventListener("click", (event) => {
    if (event.target.id !== "zone") return;
    mine = !mine;
    memory.set(mine ? "own" : "page");
    times();
  });

  // Bars. A row is one link; a pointer or the arrow keys choose a day in it, whose numbers stand below.
  const count = 90;
  function choose(row, n) {
    const days = row.closest(".days"), axis = days.querySelector(".axis"), read = days.querySelector(".read");
    for (const el of days.querySelectorAll(".here")) el.classList.remove("here");
    axis.classList.toggle("reading", n !== null);
    if (n === null) { delete row.dataset.day; read.textContent = ""; return; }
    row.dataset.day = n;
    const bar = row.querySelectorAll("rect")[n], day = new Date(days.dataset.first + "T12:00:00Z");
    day.setUTCDate(day.getUTCDate() + n);
    bar?.classList.add("here");
    row.hash = day.toISOString().slice(0, 10);
    read.textContent = bar?.textContent ?? row.hash.slice(1);
  }
  const rowOf = (event) => event.target.closest?.(".bars");
  document.addEventListener("pointermove", (event) => {
    const row = rowOf(event);
    if (!row) return;
    const box = row.getBoundingClientRect();
    const n = Math.min(count - 1, Math.max(0, Math.floor((event.clientX - box.left) / box.width * count)));
    if (row.dataset.day !== String(n)) choose(row, n);
  });
  document.addEventListener("pointerout", (event) => { const row = rowOf(event); if (row && !row.contains(event.relatedTarget)) choose(row, null); });
  document.addEventListener("focusin", (event) => { const row = rowOf(event); if (row?.matches(":focus-visible")) choose(row, count - 1); });
  document.addEventListener("focusout", (event) => { const row = rowOf(event); if (row) choose(row, null); });
  document.addEventListener("keydown", (event) => {
    const row = rowOf(event), step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -7, PageDown: 7, Home: -count, End: count }[event.key];
    if (!row || !step) return;
    event.preventDefault();
    choose(row, Math.min(count - 1, Math.max(0, Number(row.dataset.day ?? count - 1) + step)));
  });

  async function replace() {
    const response = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" } });
    const next = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = next.getElementById("page"), old = byId("page");
    if (!response.ok || !fresh) throw new Error("no page");
    // A server of another version has another script: begin anew with it.
    if (next.querySelector("script")?.getAttribute("src") !== document.querySelector("script").getAttribute("src")) location.reload();
    const same = next.body.dataset.etag === document.body.dataset.etag;
    wanted = document.body.dataset.etag = next.body.dataset.etag;
    if (same) return;
    const open = new Set([...old.querySelectorAll("details[open]")].map(nameOf));
    for (const d of fresh.querySelectorAll("details")) d.open = open.has(nameOf(d));
    const focused = old.contains(document.activeElement) ? nameOf(document.activeElement) : null;
    const day = document.activeElement.dataset.day, before = text("overall");
    old.replaceWith(document.adoptNode(fresh));
    times();
    const again = focused && [...fresh.querySelectorAll("a, summary, button")].find((el) => nameOf(el) === focused);
    again?.focus({ preventScroll: true });
    if (again && day !== undefined) choose(again, Number(day));
    if (text("overall") !== before) byId("news").textContent = text("overall");
  }

  // What the socket says is shown at once; the bars and all the rest come with the page.
  const marks = {
    usual: "M2.5 8.5l3.5 3.5 7.5-8", up: "M2.5 8.5l3.5 3.5 7.5-8", better: "M8 14V2m-5 5l5-5 5 5",
    "not-enough": "M3 8h10", unknown: "M3 8h10", "cannot-tell": "M5 5.5a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1-1.5 2.2m0 3.2v.2",
    down: "M3.5 3.5l9 9m0-9l-9 9", partly: "M3.5 3.5l9 9m0-9l-9 9",
  };
  function mark(el, base, slug) {
    if (!el) return;
    el.className = base + " " + slug;
    el.querySelector(".mark path")?.setAttribute("d", marks[slug] ?? "M8 2v12m-5-5l5 5 5-5");
  }
  function tile(el, now) {
    const word = el?.querySelector(".word"), figure = el?.querySelector(".figure");
    if (!word || !figure) return;
    mark(word, "word", now.slug);
    word.querySelector("span").textContent = now.word;
    figure.replaceChildren(now.figure ? Object.assign(document.createElement("b"), { textContent: now.figure }) : now.note ?? "");
    if (now.figure && now.interval) figure.append(Object.assign(document.createElement("span"), { textContent: now.interval }));
    el.querySelector(".since")?.remove(); // of the word before
  }
  function apply(now) {
    for (const f of now.features ?? []) {
      const el = byId("feature-" + f.name);
      if (!el) continue;
      tile(el.querySelector(".tile.quality"), f.quality);
      tile(el.querySelector(".tile.uptime"), f.uptime);
    }
    const overall = byId("overall");
    if (!overall || !now.overall || overall.textContent === now.overall.text) return;
    mark(overall.parentElement, "overall", now.overall.slug);
    overall.textContent = byId("news").textContent = now.overall.text;
  }

  // Silence is not good news: figures that nobody confirms are shown as old.
  let heard = Date.now(), open = null;
  const fresh = () => { heard = Date.now(); say("live"); };
  function listen() {
    if (Date.now() - heard < silence) return;
    say("old");
    byId("page")?.classList.add("old");
    open?.close();
  }

  async function keepUp(spread) {
    if (busy) return;
    busy = true;
    let wait = Math.random() * spread;
    while (wanted !== document.body.dataset.etag) {
      await sleep(wait);
      try {
        await replace();
        fresh();
      } catch {
        say("lost");
        wait = 5000 + Math.random() * 5000;
      }
    }
    busy = false;
  }

  function connect() {
    const scheme = location.protocol === "https:" ? "wss://" : "ws://";
    const socket = open = new WebSocket(scheme + location.host + "/live?lang=" + document.documentElement.lang);
    socket.onopen = () => { pause = pauseMin; clearInterval(poll); poll = 0; };
    socket.onmessage = (event) => {
      const now = JSON.parse(event.data);
      fresh();
      if (!byId("page").querySelector(".notice")) byId("page").classList.remove("old");
      if (now.etag !== document.body.dataset.etag) apply(now);
      const asof = byId("asof");
      if (asof && now.as_of && now.as_of !== asof.getAttribute("datetime")) {
        asof.setAttribute("datetime", now.as_of);
        asof.dataset.text = tell(now.as_of, pageZone());
        times();
      }
      wanted = now.etag;
      keepUp(now.spread || 0);
    };
    socket.onclose = () => {
      if (Date.now() - heard < silence) say("lost");
      // Where no socket can be had, as behind some proxies, the page is asked for now and then.
      poll ||= setInterval(() => replace().then(fresh, listen), pollEvery * (0.8 + 0.4 * Math.random()));
      setTimeout(connect, pause * (0.5 + Math.random()));
      pause = Math.min(2 * pause, pauseMax);
    };
  }
  times();
  if (!("still" in document.body.dataset)) {
    connect();
    setInterval(listen, silence / 10);
  }
})();
