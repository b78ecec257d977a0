// Lists of the admin on a phone: every cell says which column it is of, since the head row has no room there.
for (const table of document.querySelectorAll("#result_list")) {
  const names = [...table.querySelectorAll("thead th")].map((th) => th.querySelector(".text")?.textContent.trim() ?? "");
  for (const row of table.querySelectorAll("tbody tr")) [...row.cells].forEach((cell, i) => { cell.dataset.label = names[i] ?? ""; });
  table.classList.add("labelled");
}
