// Keeps the page as it is on the server: the socket says that something changed, the page is fetched again.
(() => {
  "use strict";
  const pauseMin = 1000, pauseMax = 30000;
  let pause = pauseMin, busy = false, wanted = document.body.dataset.etag;

  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
  const text = (id) => document.getElementById(id)?.textContent ?? "";
  const say = (words) => {
    const el = document.getElementById("live");
    if (el) { el.hidden = false; el.textContent = words; }
  };
  // What names the same thing before and after: a link by where it leads, the rest by its feature.
  const nameOf = (el) => el && el.tagName + (el.getAttribute("href") ?? el.closest("article")?.id ?? "");

  async function replace() {
    const response = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    const next = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = next.getElementById("page"), old = document.getElementById("page");
    if (!response.ok || !fresh) throw new Error("no page");
    // A server of another version has another script: begin anew with it.
    if (next.querySelector("script")?.getAttribute("src") !== document.querySelector("script").getAttribute("src")) location.reload();
    const open = new Set([...old.querySelectorAll("details[open]")].map(nameOf));
    for (const d of fresh.querySelectorAll("details")) d.open = open.has(nameOf(d));
    const focused = old.contains(document.activeElement) ? nameOf(document.activeElement) : null;
    const before = text("overall");
    old.replaceWith(document.adoptNode(fresh));
    if (focused) [...fresh.querySelectorAll("a, summary")].find((el) => nameOf(el) === focused)?.focus({ preventScroll: true });
    if (text("overall") !== before) document.getElementById("news").textContent = text("overall");
    wanted = document.body.dataset.etag = next.body.dataset.etag;
  }

  async function keepUp(spread) {
    if (busy) return;
    busy = true;
    let wait = Math.random() * spread;
    while (wanted !== document.body.dataset.etag) {
      await sleep(wait);
      try {
        await replace();
        say("Live");
      } catch {
        say("Reconnecting");
        wait = 5000 + Math.random() * 5000;
      }
    }
    busy = false;
  }

  function connect() {
    const scheme = location.protocol === "https:" ? "wss://" : "ws://";
    const socket = new WebSocket(scheme + location.host + "/live");
    socket.onopen = () => { pause = pauseMin; say("Live"); };
    socket.onmessage = (event) => {
      const now = JSON.parse(event.data);
      const asof = document.getElementById("asof");
      if (asof && now.as_of) asof.textContent = now.as_of;
      wanted = now.etag;
      keepUp(now.spread || 0);
    };
    socket.onclose = () => {
      say("Reconnecting");
      setTimeout(connect, pause * (0.5 + Math.random()));
      pause = Math.min(2 * pause, pauseMax);
    };
  }
  connect();
})();
