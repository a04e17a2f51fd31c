// The table of all proteins: searched, sorted, a page at a time.

const PAGE = 50;
const COLUMNS = 6;

export class Table {
  #rows = [];
  #words = [];
  #chosen = [];
  #page = 0;
  #sorted = { column: -1, up: true };
  #body = document.querySelector("#table tbody");
  #heads = [...document.querySelectorAll("#table thead button")];

  /** @param {(row: number) => Promise<object[]>} evidence of a row's protein */
  constructor(evidence) {
    this.evidence = evidence;
    this.#heads.forEach((head, column) =>
      head.addEventListener("click", () => this.#sort(column)),
    );
    this.find = document.getElementById("find");
    this.find.addEventListener("input", () => this.#search());
    for (const [id, by] of [
      ["before", -1],
      ["after", 1],
    ])
      document.getElementById(id).addEventListener("click", () => {
        this.#page += by;
        this.#show();
      });
  }

  get rows() {
    return this.#rows;
  }

  clear() {
    this.#rows = [];
    this.#words = [];
    this.#sorted = { column: -1, up: true };
    this.#heads.forEach((head) => head.parentElement.removeAttribute("aria-sort"));
    this.find.value = "";
    this.#search();
  }

  /** Rows: id, symbol, probability, description, source, other candidates. */
  add(rows) {
    for (const row of rows) {
      this.#rows.push(row);
      this.#words.push(`${row[0]} ${row[1]} ${row[3]}`.toLowerCase());
    }
  }

  /** Show what has been added; while a file is at work the order of the input is kept. */
  refresh() {
    this.#search(false);
  }

  #search(first = true) {
    const wanted = this.find.value.toLowerCase().split(/\s+/).filter(Boolean);
    this.#chosen = this.#rows
      .map((_, i) => i)
      .filter((i) => wanted.every((word) => this.#words[i].includes(word)));
    if (this.#sorted.column >= 0) this.#chosen.sort(this.#compare);
    if (first) this.#page = 0;
    this.#show();
  }

  #compare = (a, b) => {
    const { column, up } = this.#sorted;
    const [x, y] = [this.#rows[a][column], this.#rows[b][column]];
    if (x === y) return a - b;
    if (x === "") return 1;
    if (y === "") return -1;
    const order =
      typeof x === "number" ? x - y : x.localeCompare(y, "en", { numeric: true });
    return up ? order : -order;
  };

  #sort(column) {
    const again = this.#sorted.column === column;
    this.#sorted = { column, up: again ? !this.#sorted.up : column !== 2 };
    this.#heads.forEach((head, i) => {
      if (i === column)
        head.parentElement.setAttribute("aria-sort", this.#sorted.up ? "ascending" : "descending");
      else head.parentElement.removeAttribute("aria-sort");
    });
    this.#search();
  }

  #show() {
    const pages = Math.max(1, Math.ceil(this.#chosen.length / PAGE));
    this.#page = Math.min(Math.max(this.#page, 0), pages - 1);
    const shown = this.#chosen.slice(this.#page * PAGE, (this.#page + 1) * PAGE);
    this.#body.replaceChildren(...shown.map((i) => this.#line(i)));
    const by = (id) => document.getElementById(id);
    by("count").textContent =
      `${this.#chosen.length.toLocaleString("en")} of ${this.#rows.length.toLocaleString("en")}`;
    by("page").textContent = `page ${this.#page + 1} of ${pages}`;
    by("before").disabled = this.#page === 0;
    by("after").disabled = this.#page === pages - 1;
  }

  #line(i) {
    const line = document.createElement("tr");
    this.#rows[i].forEach((value, column) => {
      const cell = document.createElement("td");
      cell.textContent = column === 2 ? value.toFixed(4) : value;
      // ids of Ensembl and RefSeq on one line; what a program makes longer is broken
      if (column === 0) cell.className = value.length > 24 ? "id" : "id whole";
      if (column === 2) cell.className = "number";
      line.append(cell);
    });
    const cell = document.createElement("td");
    if (this.#rows[i][1]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "show";
      button.setAttribute("aria-expanded", "false");
      button.setAttribute("aria-label", `show evidence of ${this.#rows[i][0]}`);
      button.addEventListener("click", () => this.#toggle(line, button, i));
      cell.append(button);
    }
    line.append(cell);
    return line;
  }

  async #toggle(line, button, i) {
    if (button.getAttribute("aria-expanded") === "true") {
      line.nextElementSibling.remove();
      button.setAttribute("aria-expanded", "false");
      return;
    }
    button.disabled = true;
    const below = document.createElement("tr");
    const cell = document.createElement("td");
    cell.colSpan = COLUMNS + 1;
    try {
      for (const one of await this.evidence(i)) {
        const text = document.createElement("p");
        const percent = (share) => `${(100 * share).toFixed(1)}%`;
        text.textContent =
          `${one.symbol} ${one.probability.toFixed(4)}: ${one.reference || "a reference"}, identity ${percent(one.identity)}, ` +
          `${percent(one.queryCoverage)} of the protein and ${percent(one.referenceCoverage)} of the reference aligned` +
          (one.equals.length ? `; fits equally: ${one.equals.join(", ")}` : "");
        const drawn = document.createElement("pre");
        drawn.textContent = one.drawn;
        drawn.tabIndex = 0;
        cell.append(text, drawn);
      }
    } catch (error) {
      cell.textContent = error.message;
      cell.className = "error";
    }
    below.append(cell);
    line.after(below);
    button.disabled = false;
    button.setAttribute("aria-expanded", "true");
  }
}
