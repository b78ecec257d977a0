// The plan board: drag to reorder (buttons do the same), drawers that keep what was typed when somebody else was faster.

const doc = document;
let dragged = null;

doc.addEventListener("dragstart", (event) => {
  const handle = event.target.closest?.(".handle");
  if (!handle) return;
  dragged = handle.closest("tr");
  dragged.classList.add("dragging");
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.dataset.scene);
  event.dataTransfer.setDragImage(dragged, 12, 12);
});
doc.addEventListener("dragover", (event) => {
  const row = dragged && event.target.closest("tr[data-scene]");
  if (!row) return;
  event.preventDefault();
  clear();
  const box = row.getBoundingClientRect();
  row.classList.add(event.clientY < box.top + box.height / 2 ? "drop-before" : "drop-after");
});
doc.addEventListener("drop", (event) => {
  const row = dragged && event.target.closest("tr[data-scene]");
  if (!row || row === dragged) return;
  event.preventDefault();
  const before = row.classList.contains("drop-before");
  const keys = [...doc.querySelectorAll("tr[data-scene]")].map((tr) => tr.dataset.scene).filter((key) => key !== dragged.dataset.scene);
  keys.splice(keys.indexOf(row.dataset.scene) + (before ? 0 : 1), 0, dragged.dataset.scene);
  const form = doc.getElementById("order-form");
  form.elements.seen.value = doc.getElementById("board").dataset.revision;
  form.elements.order.value = keys.join(",");
  form.requestSubmit();
});
doc.addEventListener("dragend", () => { dragged?.classList.remove("dragging"); dragged = null; clear(); });
function clear() {
  doc.querySelectorAll(".drop-before, .drop-after").forEach((row) => row.classList.remove("drop-before", "drop-after"));
}

// Saved: close the drawer. Refused or overtaken: keep it open with what was typed, based on the newest revision.
doc.addEventListener("plan-changed", () => doc.getElementById("drawer").close());
doc.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "board") return;
  const newest = doc.getElementById("board").dataset.revision;
  doc.querySelectorAll("#drawer input[name=seen]").forEach((input) => { input.value = newest; });
});

// Pictures to tick: the count follows, what passes the limit is closed, and a long list is found by name.
doc.addEventListener("change", (event) => {
  const picker = event.target.closest?.("[data-picker]");
  if (picker && event.target.type === "checkbox") count(picker);
});
doc.addEventListener("htmx:afterSwap", () => doc.querySelectorAll("[data-picker]").forEach(count));
doc.querySelectorAll("[data-picker]").forEach(count);
function count(picker) {
  const boxes = [...picker.querySelectorAll("input[type=checkbox]")];
  const most = Number(picker.dataset.most);
  const chosen = boxes.filter((box) => box.checked).length;
  const words = `${chosen}${most ? ` of at most ${most}` : ""} chosen`;
  const line = picker.querySelector("[data-count]");
  if (line.textContent !== words) line.textContent = words;
  boxes.forEach((box) => { box.disabled = Boolean(most) && chosen >= most && !box.checked; });
}
doc.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches?.("[data-find]")) event.preventDefault(); // finding is not saving
});
doc.addEventListener("input", (event) => {
  if (!event.target.matches("[data-find]")) return;
  const wanted = event.target.value.trim().toLowerCase();
  event.target.closest("[data-picker]").querySelectorAll(".picks li").forEach((item) => {
    item.hidden = !item.textContent.toLowerCase().includes(wanted) && !item.querySelector(":checked");
  });
});
