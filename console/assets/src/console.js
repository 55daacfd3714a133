// What pages do beyond links and forms: parts by htmx, live numbers, the command palette, ids that copy, forms that send once.
import "./htmx.js";
import "htmx.org/dist/ext/hx-sse.js";

const csrf = () => document.querySelector("meta[name=form]")?.content ?? "";

document.addEventListener("click", async (event) => {
  const copied = event.target.closest("[data-copy]");
  if (copied) {
    await navigator.clipboard.writeText(copied.dataset.copy);
    copied.classList.add("copied");
    setTimeout(() => copied.classList.remove("copied"), 1200);
  }
  const opener = event.target.closest("[data-opens]");
  if (opener) open(opener.dataset.opens);
  if (event.target.matches("dialog")) event.target.close();
});

// A form is sent once: its buttons rest until the answer is there. A page that comes back from the browser's memory wakes them.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) return event.preventDefault();
  if (form.method !== "post") return;
  form.dataset.sent = "1";
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-disabled");
  }
});

// A table that is wider than its place can be scrolled by keyboard.
const scrolls = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
const watch = () => { for (const table of document.querySelectorAll(".table")) scrolls.observe(table); };
document.addEventListener("htmx:after:swap", watch);
watch();

// Filters send themselves when changed.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-sends-itself]");
  if (form) form.requestSubmit();
});

// An entry of the calendar that is dropped on another day: its form, with that day in it. Its arrow leads to the same form.
let dragged = null;
const dropped = (event) => dragged && event.target.closest?.("[data-day]");
document.addEventListener("dragstart", (event) => { dragged = event.target.closest?.("[data-moves]"); });
document.addEventListener("dragover", (event) => {
  const day = dropped(event);
  for (const other of document.querySelectorAll("[data-day].over")) if (other !== day) other.classList.remove("over");
  if (!day) return;
  event.preventDefault();
  day.classList.add("over");
});
document.addEventListener("drop", (event) => {
  const day = dropped(event);
  if (!day) return;
  event.preventDefault();
  location.assign(`${dragged.dataset.moves}?day=${day.dataset.day}`);
});
document.addEventListener("dragend", () => {
  dragged = null;
  for (const day of document.querySelectorAll("[data-day].over")) day.classList.remove("over");
});

// Live parts say when the connection is lost.
for (const [name, lost] of [["htmx:sse:error", true], ["htmx:sse:close", true], ["htmx:before:sse:reconnect", true], ["htmx:after:sse:connection", false], ["htmx:after:sse:message", false]]) {
  document.addEventListener(name, (event) => event.target.closest?.("[data-live]")?.classList.toggle("lost", lost));
}

// Command palette: Ctrl K or /, arrows, Enter.
function open(id) {
  const dialog = document.getElementById(id);
  dialog.showModal();
  dialog.querySelector("input")?.focus();
}
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, textarea, select, [contenteditable]");
  if ((event.key === "k" && (event.metaKey || event.ctrlKey)) || (event.key === "/" && !typing)) {
    event.preventDefault();
    open("palette");
  }
});
const palette = document.getElementById("palette");
if (palette) {
  const input = palette.querySelector("input");
  const all = [...palette.querySelectorAll("li")];
  const shown = () => all.filter((one) => !one.hidden);
  const choose = (one) => {
    for (const other of all) other.toggleAttribute("data-chosen", other === one);
    one?.scrollIntoView({ block: "nearest" });
  };
  const filter = () => {
    const words = input.value.trim().toLowerCase().split(/\s+/);
    for (const one of all) one.hidden = !one.dataset.always && !words.every((word) => one.textContent.toLowerCase().includes(word));
    for (const one of all.filter((one) => one.dataset.always)) {
      one.hidden = !input.value.trim();
      const link = one.querySelector("a");
      link.href = link.dataset.to + encodeURIComponent(input.value.trim());
      link.querySelector("[data-typed]").textContent = input.value.trim();
    }
    choose(shown()[0]);
  };
  input.addEventListener("input", filter);
  input.addEventListener("keydown", (event) => {
    const now = shown();
    const at = now.findIndex((one) => one.hasAttribute("data-chosen"));
    if (event.key === "ArrowDown") choose(now[Math.min(at + 1, now.length - 1)]);
    else if (event.key === "ArrowUp") choose(now[Math.max(at - 1, 0)]);
    else if (event.key === "Enter") now[at]?.querySelector("a").click();
    else return;
    event.preventDefault();
  });
  filter();
}

// Forms that htmx sends carry the token as well.
document.addEventListener("htmx:config:request", (event) => {
  if (event.detail.ctx?.request?.method !== "GET" && csrf()) event.detail.ctx.request.headers["X-Form"] = csrf();
});
