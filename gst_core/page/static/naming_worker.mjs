// One of several workers that name proteins.

import * as ort from "./onnxruntime/ort.wasm.min.mjs";
import { draw } from "./alignment.mjs";
import { Namer } from "./naming.mjs";

ort.env.wasm.numThreads = 1; // workers share the work
ort.env.wasm.wasmPaths = new URL("./onnxruntime/", import.meta.url).href;

let namer;

async function load({ files }) {
  const parts = await Promise.all(
    ["model.json", "model.bin", "look_up.wasm", "network.onnx"].map((name) => fetched(files, name)),
  );
  const [model, data, wasm, network] = parts;
  const facts = JSON.parse(new TextDecoder().decode(model));
  namer = await Namer.load(ort, facts, data, wasm, new Uint8Array(network));
}

async function fetched(base, name) {
  const response = await fetch(new URL(name, base));
  if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}`);
  return response.arrayBuffer();
}

/** Candidates of each protein, and, where it is asked for, what speaks for the best. */
async function name({ proteins, clade, genus, shown }) {
  const there = proteins.map((residues, i) => i).filter((i) => proteins[i].length);
  const found = await namer.name(there.map((i) => proteins[i]), clade, genus);
  const all = proteins.map(() => ({ candidates: [], evidence: null }));
  there.forEach((place, i) => {
    const [best] = found[i];
    all[place] = {
      candidates: found[i].map((c) => [c.symbol, c.probability]),
      evidence: shown && best ? namer.evidence(proteins[place], best) : null,
    };
  });
  return all;
}

/** The best candidates of one protein, and how their references align. */
async function evidence({ residues, clade, genus }) {
  const [found] = await namer.name([residues], clade, genus);
  return found.slice(0, 2).map((candidate) => {
    const shown = namer.evidence(residues, candidate);
    const query = namer.encode(residues);
    const target = namer.lookUp.referenceCodes(candidate.reference);
    const { scores } = namer.arrays;
    const { alphabet, plain_residues: size } = namer.model;
    return {
      symbol: namer.model.vocabulary.symbol[candidate.symbol],
      probability: candidate.probability,
      ...shown,
      drawn: draw(query, target, scores, size, alphabet),
    };
  });
}

const TASKS = { load, name, evidence };

self.addEventListener("message", async ({ data: { id, task, ...given } }) => {
  try {
    self.postMessage({ id, result: (await TASKS[task](given)) ?? null });
  } catch (error) {
    self.postMessage({ id, error: String(error?.message ?? error) });
  }
});
