// Keeps the page as it is on the server: the socket says that something changed, the page is fetched again.
(() => {
  "use strict";
  const pauseMin = 1000, pauseMax = 30000;
  let pause = pauseMin;

  const say = (text) => {
    const el = document.getElementById("live");
    if (el) { el.hidden = false; el.textContent = text; }
  };

  async function refresh(wait) {
    await new Promise((done) => setTimeout(done, Math.random() * wait));
    const response = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    if (!response.ok) return;
    const next = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = next.getElementById("page"), old = document.getElementById("page");
    if (!fresh || !old) return;
    // What a reader opened stays open.
    const open = new Set([...old.querySelectorAll("details[open]")].map((d) => place(old, d)));
    for (const d of fresh.querySelectorAll("details")) d.open = open.has(place(fresh, d));
    old.replaceWith(document.adoptNode(fresh));
    document.body.dataset.etag = next.body.dataset.etag;
    say("Live");
  }

  const place = (root, el) => {
    const feature = el.closest("article"), tile = el.closest(".tile");
    return (feature ? feature.id : "") + "/" + (tile ? tile.className : "");
  };

  function connect() {
    const scheme = location.protocol === "https:" ? "wss://" : "ws://";
    const socket = new WebSocket(scheme + location.host + "/live");
    socket.onopen = () => { pause = pauseMin; say("Live"); };
    socket.onmessage = (event) => {
      const now = JSON.parse(event.data);
      const asof = document.getElementById("asof");
      if (asof && now.as_of) asof.textContent = now.as_of;
      if (now.etag !== document.body.dataset.etag) refresh(now.spread || 0).catch(() => say("Reconnecting"));
    };
    socket.onclose = () => {
      say("Reconnecting");
      setTimeout(connect, pause * (0.5 + Math.random()));
      pause = Math.min(2 * pause, pauseMax);
    };
  }
  connect();
})();
