"use strict";
(() => {
  const PAGE = 50;
  const all = JSON.parse(document.getElementById("rows").textContent);
  const words = all.map((row) => `${row[0]} ${row[1]} ${row[3]} ${row[4]}`.toLowerCase());
  const body = document.querySelector("#found tbody");
  const heads = [...document.querySelectorAll("#found thead button")];
  const by = (id) => document.getElementById(id);
  let chosen = all.map((_, i) => i);
  let page = 0;
  let sorted = { column: -1, up: true };

  const compare = (a, b) => {
    const x = all[a][sorted.column];
    const y = all[b][sorted.column];
    if (x === y) return a - b;
    if (x === null || x === "") return 1;
    if (y === null || y === "") return -1;
    const order = typeof x === "number" ? x - y : x.localeCompare(y, "en", { numeric: true });
    return sorted.up ? order : -order;
  };

  const cell = (text, kind) => {
    const made = document.createElement("td");
    made.textContent = text;
    if (kind) made.className = kind;
    return made;
  };

  // ids of Ensembl and RefSeq on one line; what a program makes longer is broken
  const idCell = (text) => cell(text, text.length > 24 ? "id" : "id whole");

  const show = () => {
    const pages = Math.max(1, Math.ceil(chosen.length / PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    body.replaceChildren(
      ...chosen.slice(page * PAGE, (page + 1) * PAGE).map((i) => {
        const [id, symbol, probability, description, reference, identity, others] = all[i];
        const row = document.createElement("tr");
        row.append(
          idCell(id),
          cell(symbol),
          cell(probability.toFixed(4), "number"),
          cell(description),
          idCell(reference),
          cell(identity === null ? "–" : `${(100 * identity).toFixed(1)}%`, "number"),
          cell(others),
        );
        return row;
      }),
    );
    by("count").textContent = `${chosen.length.toLocaleString("en")} of ${all.length.toLocaleString("en")}`;
    by("page").textContent = `page ${(page + 1).toLocaleString("en")} of ${pages.toLocaleString("en")}`;
    by("before").disabled = page === 0;
    by("after").disabled = page === pages - 1;
  };

  const choose = () => {
    const wanted = by("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    chosen = [];
    words.forEach((text, i) => {
      if (wanted.every((word) => text.includes(word))) chosen.push(i);
    });
    if (sorted.column >= 0) chosen.sort(compare);
    page = 0;
    show();
  };

  heads.forEach((button) =>
    button.addEventListener("click", () => {
      const column = Number(button.dataset.column);
      // the best first where numbers are asked for, then the other way round
      const first = typeof all.find((row) => row[column] !== null)?.[column] !== "number";
      sorted = { column, up: sorted.column === column ? !sorted.up : first };
      heads.forEach((other) => other.closest("th").removeAttribute("aria-sort"));
      button.closest("th").setAttribute("aria-sort", sorted.up ? "ascending" : "descending");
      choose();
    }),
  );
  by("find").addEventListener("input", choose);
  by("before").addEventListener("click", () => { page -= 1; show(); });
  by("after").addEventListener("click", () => { page += 1; show(); });
  by("finder").hidden = false;
  show();
})();
