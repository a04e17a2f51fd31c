// The page: files in, a table of names out.

import { Table } from "./table.mjs";
import { Tasks } from "./tasks.mjs";

const by = (id) => document.getElementById(id);
const files = new URL("./", import.meta.url).href;
const workers = Math.min(navigator.hardwareConcurrency ?? 2, 4);
/** Batches that a naming worker has at once. */
const AHEAD = 2;

const reader = new Tasks("./file_worker.mjs");
const namers = Array.from({ length: workers }, () => new Tasks("./naming_worker.mjs"));
let model;
let chosen = [];
let current; // of the run at work or the last one: its species, and its proteins' residues
let busy = false;

const table = new Table((row) =>
  namers[0].ask("evidence", { residues: current.residues[row], ...current.species }),
);

async function load() {
  const response = await fetch("model.json");
  if (!response.ok) throw new Error(`model.json: ${response.status} ${response.statusText}`);
  model = await response.json();
  by("model").textContent =
    `Model ${model.name} ${model.version}, learnt from ${model.training_data}`;
  by("made").textContent = `GST ${model.program_version}`;
  await Promise.all([reader, ...namers].map((worker) => worker.ask("load", { files })));
  by("status").textContent = "Ready";
  ready();
}

const isAnnotation = (file) => /\.(gff3?|gtf)(\.(gz|bgz|zst))?$/i.test(file.name);

function choose(given) {
  chosen = [...given];
  by("chosen").textContent = chosen.map((file) => file.name).join(", ");
  by("overwriting").hidden = !chosen.some(isAnnotation);
  ready();
}

function ready() {
  by("start").disabled = !model || busy || !chosen.length || by("status").textContent === "Loading";
}

/** Which file is what; says what is missing. */
function sorted() {
  const annotations = chosen.filter(isAnnotation);
  const others = chosen.filter((file) => !isAnnotation(file));
  if (annotations.length > 1 || others.length > 1 || (!annotations.length && !others.length))
    throw new Error("choose one file of proteins, or one annotation and its genome");
  return annotations.length
    ? { file: annotations[0], genome: others[0] }
    : { file: others[0], genome: undefined };
}

async function start(event) {
  event.preventDefault();
  busy = true;
  ready();
  by("error").hidden = true;
  by("results").hidden = true;
  by("cancel").hidden = by("progress").hidden = false;
  const began = performance.now();
  try {
    const { file, genome } = sorted();
    const species = await reader.ask("species", { text: by("species").value });
    if (species.error) throw new Error(species.error);
    by("found").textContent = species.note;
    const { clade, genus } = species;
    current = {
      cancelled: false,
      annotated: isAnnotation(file),
      residues: [],
      species: { clade, genus },
    };
    table.clear();
    const symbols = JSON.stringify(model.vocabulary);
    await reader.ask("open", { file, genome, symbols, clade, style: by("style").value });
    by("results").hidden = false;
    await nameAll(began);
    const done = await reader.ask("finish", {
      threshold: threshold(),
      overwrite: by("overwrite").checked,
      model: `${model.name} ${model.version}`,
      annotation: current.annotated && !current.cancelled,
    });
    finish(file, done, (performance.now() - began) / 1000);
  } catch (error) {
    by("error").textContent = error.message;
    by("error").hidden = false;
    by("status").textContent = "";
    await reader.ask("close");
  }
  busy = false;
  by("cancel").hidden = by("progress").hidden = true;
  ready();
}

/** Hand batches to the workers, and take what comes back in the order of the file. */
async function nameAll(began) {
  const waiting = [];
  let last = 0;
  const collect = async () => {
    const { named, proteins } = await waiting.shift();
    table.add(await reader.ask("add", { named }));
    current.residues.push(...proteins);
    if (performance.now() - last > 500 || !last) {
      last = performance.now();
      progress(began);
      table.refresh();
    }
  };
  for (let batch = 0; !current.cancelled; batch++) {
    const proteins = await reader.ask("next");
    if (!proteins.length) break;
    const asked = namers[batch % workers].ask("name", {
      proteins,
      shown: current.annotated,
      ...current.species,
    });
    const both = asked.then((named) => ({ named, proteins }));
    both.catch(() => {}); // it is told when its turn comes
    waiting.push(both);
    if (waiting.length >= workers * AHEAD) await collect();
  }
  while (waiting.length && !current.cancelled) await collect();
  table.refresh();
}

const number = (value) => value.toLocaleString("en", { maximumFractionDigits: 0 });
const threshold = () => Math.min(Math.max(Number(by("threshold").value) || 0, 0), 1);

function progress(began) {
  const seconds = (performance.now() - began) / 1000;
  const done = table.rows.length;
  by("status").textContent = `${number(done)} proteins, ${number(done / seconds)}/s`;
}

function finish(file, done, seconds) {
  const { rows } = table;
  const named = rows.filter((row) => row[1] && row[2] >= threshold());
  by("status").textContent = current.cancelled ? "Cancelled" : "Done";
  const figures = [
    ["Proteins", number(rows.length)],
    [`Named at ${threshold()}`, number(named.length)],
    ["Distinct symbols", number(new Set(named.map((row) => row[1].toLowerCase())).size)],
    ["Proteins/s", number(rows.length / seconds)],
  ];
  by("figures").replaceChildren(
    ...figures.map(([term, value]) => {
      const [box, dt, dd] = ["div", "dt", "dd"].map((tag) => document.createElement(tag));
      dt.textContent = term;
      dd.textContent = value;
      box.append(dt, dd);
      return box;
    }),
  );
  by("warnings").hidden = !done.warnings.length;
  by("warnings").replaceChildren(
    ...done.warnings.map((warning) => {
      const item = document.createElement("li");
      item.textContent = warning;
      return item;
    }),
  );
  const stem = file.name.replace(/\.(gz|bgz|zst)$/i, "").replace(/\.[^.]*$/, "");
  const links = [link(`${stem}_symbols.tsv`, done.table, "text/tab-separated-values")];
  if (done.annotation) {
    const ending = file.name.match(/\.(gff3?|gtf)/i)[0];
    links.push(` `, link(`${stem}_named${ending}`, done.annotation, "text/plain"), ` ${done.said}`);
  }
  by("downloads").replaceChildren("Download ", ...links);
}

let urls = [];
function link(name, content, type) {
  if (urls.length > 1) urls.splice(0).forEach((url) => URL.revokeObjectURL(url));
  const made = document.createElement("a");
  made.href = URL.createObjectURL(new Blob([content], { type }));
  urls.push(made.href);
  made.download = name;
  made.textContent = name;
  return made;
}

by("form").addEventListener("submit", start);
by("cancel").addEventListener("click", () => (current.cancelled = true));
by("files").addEventListener("change", (event) => choose(event.target.files));
by("sample").addEventListener("click", async () => {
  const text = await (await fetch("sample.fa")).blob();
  by("species").value = "Bos taurus";
  choose([new File([text], "sample.fa")]);
});
for (const kind of ["dragover", "dragleave", "drop"])
  by("drop").addEventListener(kind, (event) => {
    event.preventDefault();
    by("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop") choose(event.dataTransfer.files);
  });

load().catch((error) => {
  by("status").textContent = "";
  by("error").textContent = `the page cannot be loaded: ${error.message}`;
  by("error").hidden = false;
});
if ("serviceWorker" in navigator) navigator.serviceWorker.register("offline.js").catch(() => {});
