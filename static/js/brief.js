// The brief page: nothing that was typed is lost, whatever the network does; errors mark their fields.

const form = document.getElementById("brief-form");
const key = (name) => `brief:${form.dataset.brief}:${name}`;
const single = (el) => el.name && !["checkbox", "radio", "file", "hidden", "submit"].includes(el.type) && !el.name.startsWith("role-");

form.addEventListener("input", (event) => {
  if (single(event.target)) sessionStorage.setItem(key(event.target.name), event.target.value);
});

// While another page loads, this one still gets answers that the new page may not know of: keep the copies.
let leaving = false;
window.addEventListener("beforeunload", () => { leaving = true; });

// A field that the server took needs no copy here; one that it refused keeps it.
document.addEventListener("htmx:afterRequest", (event) => {
  const name = new URL(event.detail.pathInfo.requestPath, location).searchParams.get("field");
  if (!name) return;
  if (event.detail.successful) queueMicrotask(() => settle(name, event.detail.requestConfig.parameters.get?.(name)));
});
function settle(name, sent) {
  const field = form.elements[name];
  const bad = Boolean(document.getElementById(`error-${name}`)?.textContent.trim());
  if (field instanceof Element) {
    field.toggleAttribute("aria-invalid", false);
    if (bad) field.setAttribute("aria-invalid", "true");
    if (!bad && !leaving && (sent === undefined || field.value === sent)) sessionStorage.removeItem(key(name));
  }
  if (name === "title" && !bad) document.getElementById("brief-heading").textContent = field.value || "Untitled brief";
}

// After a reload, put back what had not reached the server and try again.
window.addEventListener("load", () => {
  for (const el of form.elements) {
    if (!single(el)) continue;
    const kept = sessionStorage.getItem(key(el.name));
    if (kept === null) continue;
    if (kept === el.value) { sessionStorage.removeItem(key(el.name)); continue; }
    el.value = kept;
    el.dispatchEvent(new Event("change", { bubbles: true }));
  }
});
window.addEventListener("online", () => {
  for (const el of form.elements) if (single(el) && sessionStorage.getItem(key(el.name)) !== null) el.dispatchEvent(new Event("change", { bubbles: true }));
});
form.addEventListener("submit", () => {
  for (const el of form.elements) if (single(el)) sessionStorage.removeItem(key(el.name));
});
