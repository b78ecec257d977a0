// What every page needs: theme, toasts, drawers, shortcuts, and honest answers when a request fails.

const doc = document;

// --- theme: the form works without us; with us it does not reload the page.
doc.querySelector("[data-theme-form]")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const current = doc.documentElement.dataset.theme || (dark ? "dark" : "light");
  const next = current === "dark" ? "light" : "dark";
  doc.documentElement.dataset.theme = next;
  doc.cookie = `theme=${next};path=/;max-age=31536000;samesite=lax`;
});

// --- toasts
export function toast(text, level = "success") {
  const [tone, shape] = { error: ["st-failed", "st-failed"], warning: ["st-attention", "st-attention"] }[level] || ["st-done", "st-done"];
  const icons = doc.querySelector(".brand use").getAttribute("href").split("#")[0];
  const box = doc.createElement("div");
  box.className = `toast ${tone}`;
  box.dataset.toast = "";
  box.innerHTML = `<svg aria-hidden="true"><use href="${icons}#${shape}"></use></svg><span class="grow"></span><button type="button" class="btn quiet icon small" data-dismiss aria-label="Dismiss"><svg aria-hidden="true"><use href="${icons}#close"></use></svg></button>`;
  box.querySelector("span").textContent = text;
  doc.getElementById("toasts").append(box);
  expire(box, level);
}
function expire(box, level) {
  if (level !== "error") setTimeout(() => box.remove(), 6000);
}
doc.querySelectorAll("[data-toast]").forEach((box) => expire(box, box.classList.contains("st-failed") ? "error" : ""));
doc.addEventListener("toast", (event) => toast(event.detail.text, event.detail.level));

const SENTENCES = {
  403: "Your role does not allow this. Ask an admin of the workspace.",
  404: "This is gone. Reload the page to see what is there now.",
  413: "That file is too large.",
  429: "Too many requests at once. Wait a moment and try again.",
};
doc.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  toast(SENTENCES[status] || "That did not work: the server had a problem. Nothing was changed; try again.", "error");
});
doc.addEventListener("htmx:sendError", () => toast("No connection. What you typed is still here; it is saved as soon as you are back and change a field.", "error"));

// --- clicks: dismiss, drawers, confirm
doc.addEventListener("click", (event) => {
  const el = event.target.closest("[data-dismiss], [data-close], [data-open], [data-copy]");
  if (!el) return;
  if ("dismiss" in el.dataset) el.closest("[data-toast]").remove();
  if ("close" in el.dataset) el.closest("dialog").close();
  if (el.dataset.open) doc.getElementById(el.dataset.open)?.showModal();
  if (el.dataset.copy) {
    navigator.clipboard?.writeText(doc.getElementById(el.dataset.copy).textContent.trim());
    toast("Copied.");
  }
});
doc.addEventListener("click", (event) => {
  if (event.target.matches("dialog.drawer")) event.target.close(); // the backdrop
  doc.querySelectorAll("details.menu[open]").forEach((menu) => menu.contains(event.target) || (menu.open = false));
});
doc.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm || event.target.dataset.confirm;
  if (question && !window.confirm(question)) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, true);
doc.addEventListener("htmx:afterSwap", (event) => {
  const drawer = event.detail.target.closest?.("dialog.drawer");
  if (drawer && !drawer.open) drawer.showModal();
});

// --- a form that posts the whole file list of an <input> when it changes, and selects that submit on change
doc.addEventListener("change", (event) => {
  if (event.target.closest("[data-autosubmit]")) event.target.form.requestSubmit();
});

// --- shortcuts
const GO = { o: "Overview", b: "Briefs", j: "Jobs", s: "Settings" };
let goUntil = 0;
const typing = (el) => el.matches("input, textarea, select, [contenteditable]");
doc.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    doc.querySelector("[data-next-step]")?.click();
    return;
  }
  if (event.key === "Escape") doc.querySelectorAll("details.menu[open]").forEach((menu) => { menu.open = false; menu.querySelector("summary").focus(); });
  if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "?") doc.getElementById("shortcuts").showModal();
  if (event.key === "g") goUntil = Date.now() + 1200;
  else if (Date.now() < goUntil && GO[event.key]) {
    [...doc.querySelectorAll(".bar nav a")].find((a) => a.textContent.trim() === GO[event.key])?.click();
  }
});

// --- fragments that are morphed keep what the person opened, and the field they are typing in
window.addEventListener("load", () => {
  const callbacks = window.Idiomorph?.defaults.callbacks;
  if (!callbacks) return;
  callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.matches("details, dialog"));
  callbacks.beforeNodeMorphed = (node) => !(node === doc.activeElement && node.matches("input, textarea, select"));
});
