// Keyboard search: "/" or Ctrl K leads to the field, Escape leaves it. Up and down go through what was found.
"use strict";
const field = document.getElementById("q");
const hits = () => [...document.querySelectorAll(".hits a")];

const typing = (el) => el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName);

const lead = (event) => {
  event.preventDefault();
  field.focus();
  field.select();
};

// step goes to the next or the one before of what was found.
const step = (event, by) => {
  const list = hits();
  if (list.length === 0) return;
  event.preventDefault();
  const at = list.indexOf(document.activeElement);
  if (at + by < 0) field.focus();
  else list[Math.min(at + by, list.length - 1)].focus();
};

document.addEventListener("keydown", (event) => {
  const on = event.target;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") return lead(event);
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && !typing(on)) return lead(event);
  if (event.key === "Escape" && on === field) return field.blur();
  const found = on === field || on.closest(".hits");
  if (found && event.key === "ArrowDown") step(event, 1);
  if (found && event.key === "ArrowUp") step(event, -1);
});
