// The worker that reads and writes files, in Python: gst_core/page/in_browser.py.

import { loadPyodide } from "./pyodide/pyodide.mjs";

let python;
let browser;
let run;
const [INPUT, OUTPUT] = ["/input", "/output"];

async function load({ files }) {
  python = await loadPyodide({ indexURL: new URL("./pyodide/", import.meta.url).href });
  const response = await fetch(new URL("gst.zip", files));
  if (!response.ok) throw new Error(`gst.zip: ${response.status} ${response.statusText}`);
  python.unpackArchive(await response.arrayBuffer(), "zip", { extractDir: "/gst" });
  python.runPython("import sys; sys.path.insert(0, '/gst')");
  browser = python.pyimport("gst_core.page.in_browser");
  python.FS.mkdir(INPUT);
  python.FS.mkdir(OUTPUT);
}

function species({ text }) {
  return JSON.parse(browser.species(text));
}

/** Begin with a file; large ones are read piece by piece, never as a whole. */
function open({ file, genome, symbols, clade, style }) {
  close();
  const files = genome ? [file, genome] : [file];
  python.FS.mount(python.FS.filesystems.WORKERFS, { files }, INPUT);
  run = browser.Run(
    `${INPUT}/${file.name}`,
    genome ? `${INPUT}/${genome.name}` : "",
    ...[symbols, clade ?? "", style],
  );
}

function next() {
  const batch = run.next();
  const proteins = batch.toJs();
  batch.destroy();
  return proteins;
}

function add({ named }) {
  return JSON.parse(run.add(JSON.stringify(named)));
}

function finish({ threshold, overwrite, model, annotation }) {
  const done = { warnings: JSON.parse(run.warnings()), table: run.table(), said: "" };
  if (annotation) {
    const target = `${OUTPUT}/named`;
    done.said = run.annotate(target, threshold, overwrite, model);
    done.annotation = python.FS.readFile(target);
    python.FS.unlink(target);
  }
  close();
  return done;
}

function close() {
  if (!run) return;
  run.destroy();
  run = undefined;
  python.FS.unmount(INPUT);
}

const TASKS = { load, species, open, next, add, finish, close };

/** The program's own sentence: of a traceback the line of the error, without the error's name. */
function sentence(error) {
  const text = String(error?.message ?? error);
  const lines = text.split("\n").filter((line) => /^[\w.]*(Error|Exception)\b/.test(line));
  const line = lines.at(-1) ?? text.trim().split("\n").at(-1);
  return line.replace(/^gst_core\.errors\.GstError: /, "").replaceAll(`${INPUT}/`, "");
}

self.addEventListener("message", async ({ data: { id, task, ...given } }) => {
  try {
    self.postMessage({ id, result: (await TASKS[task](given)) ?? null });
  } catch (error) {
    self.postMessage({ id, error: sentence(error) });
  }
});
