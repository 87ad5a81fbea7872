// Shows what is open on the status page that this script comes from. It loads nothing from anywhere else, keeps
// nothing but which notice was closed in this tab, and shows nothing while nothing is open.
//
//   <script src="https://status.example.com/widget.js" data-position="bottom-right" async></script>
//
// data-position: bottom-right (default), bottom-left, top-right, top-left, or inline, which shows the notice where
// the script stands. data-feature: only what concerns this feature; several are separated by commas.
"use strict";
(() => {
  const script = document.currentScript;
  if (!script || !script.src) return;
  const home = new URL(script.src).origin;
  const corners = ["bottom-right", "bottom-left", "top-right", "top-left"];
  const asked = script.dataset.position || corners[0];
  const inline = asked === "inline";
  const position = corners.includes(asked) ? asked : corners[0];
  const features = (script.dataset.feature || "").split(",").map((s) => s.trim()).filter(Boolean);
  const every = 60000;
  const most = 3;
  const closedKey = "asgood-closed " + home;

  const host = document.createElement("div");
  host.hidden = true;
  const root = host.attachShadow({ mode: "open" });
  // The region is there before anything is said in it, so that it is read out when something is.
  const live = make("div", "");
  live.setAttribute("role", "status");
  root.append(live);

  function make(tag, className, text) {
    const e = document.createElement(tag);
    if (className) e.className = className;
    if (text) e.textContent = text;
    return e;
  }

  async function style() {
    const link = make("link", "");
    link.rel = "stylesheet";
    link.href = home + "/widget.css";
    try {
      // A sheet that is made by a script needs no permission of the page's policy for styles.
      const sheet = new CSSStyleSheet();
      const answer = await fetch(link.href);
      sheet.replaceSync(await answer.text());
      root.adoptedStyleSheets = [sheet];
    } catch {
      root.prepend(link);
    }
  }

  function closed() {
    try { return sessionStorage.getItem(closedKey) || ""; } catch { return ""; }
  }

  function close(key) {
    try { sessionStorage.setItem(closedKey, key); } catch { /* it comes back on the next page */ }
    host.hidden = true;
    live.replaceChildren();
  }

  const concerns = (entry) => features.length === 0 || (entry.components || []).some((c) => features.includes(c.id));
  const safe = (address) => (/^https?:\/\//i.test(address) ? address : home + "/");
  const ranks = ["none", "maintenance", "minor", "major", "critical"];

  function item(entry) {
    const li = make("li", "");
    const a = make("a", "", entry.name);
    a.href = safe(entry.shortlink);
    li.append(a, " ", make("span", "kind", entry.impact === "maintenance" ? "maintenance" : entry.status));
    return li;
  }

  function show(summary) {
    const open = summary.incidents.filter(concerns);
    const work = summary.scheduled_maintenances.filter((m) => m.status !== "scheduled" && concerns(m));
    const list = open.concat(work);
    const key = list.map((e) => e.id + " " + e.updated_at).join("\n");
    if (list.length === 0 || key === closed()) {
      host.hidden = true;
      live.replaceChildren();
      live.dataset.key = "";
      return;
    }
    if (live.dataset.key === key) return;
    live.dataset.key = key;
    const worst = list.map((e) => e.impact).sort((a, b) => ranks.indexOf(b) - ranks.indexOf(a))[0];
    const box = make("div", "box " + (inline ? "" : "corner " + position + " ") + worst);
    const head = make("div", "head");
    const button = make("button", "", "\u00d7");
    button.type = "button";
    button.setAttribute("aria-label", "Close this notice");
    button.addEventListener("click", () => close(key));
    head.append(make("b", "", summary.page.name), button);
    const ul = make("ul", "");
    ul.append(...list.slice(0, most).map(item));
    box.append(head, ul);
    if (list.length > most) {
      const p = make("p", "more");
      const a = make("a", "", list.length - most + " more");
      a.href = safe(summary.page.url);
      p.append(a);
      box.append(p);
    }
    live.replaceChildren(box);
    host.hidden = false;
  }

  async function look() {
    if (document.hidden) return;
    try {
      const answer = await fetch(home + "/api/v2/summary.json");
      if (answer.ok) show(await answer.json());
    } catch {
      // What is shown stays; the next look may succeed.
    }
  }

  async function start() {
    if (inline) script.after(host);
    else document.body.append(host);
    await style();
    await look();
    setInterval(look, every);
    document.addEventListener("visibilitychange", look);
  }
  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start);
})();
