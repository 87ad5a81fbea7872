// Keeps the page in a frame fresh while somebody can see it.
"use strict";
(() => {
  const every = 60000;
  let shown = "";
  async function look() {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok) return;
      const text = await answer.text();
      if (text === shown) return;
      shown = text;
      const next = new DOMParser().parseFromString(text, "text/html").querySelector("main");
      if (next) document.querySelector("main").replaceWith(next);
    } catch {
      // What is shown stays; the next look may succeed.
    }
  }
  setInterval(look, every);
  document.addEventListener("visibilitychange", look);
})();
