// Naming proteins: what gst_core/inference/references.py does, with the same model.

import { candidatesOf, closeOnes, selfScore, writeFeatures } from "./evidence.mjs";
import { arraysOf, LookUp, unpack } from "./look_up.mjs";

export class Namer {
  /**
   * @param {object} ort onnxruntime-web
   * @param {object} model of model.json
   * @param {ArrayBuffer} data of model.bin
   * @param {BufferSource} wasm of look_up.wasm
   * @param {Uint8Array} network of network.onnx
   */
  static async load(ort, model, data, wasm, network) {
    const { instance } = await WebAssembly.instantiate(wasm, {});
    const session = await ort.InferenceSession.create(network, { executionProviders: ["wasm"] });
    return new Namer(ort, model, arraysOf(model.arrays, data), instance, session);
  }

  constructor(ort, model, arrays, instance, session) {
    const codes = unpack(arrays.packed, model.residues, model.packed_base, model.packed_per_word);
    this.ort = ort;
    this.model = model;
    this.arrays = arrays;
    this.session = session;
    this.lookUp = new LookUp(instance, model, arrays, codes);
    this.codeOf = new Uint8Array(256).fill(model.alphabet.indexOf("X"));
    [...model.alphabet].forEach((letter, code) => (this.codeOf[letter.charCodeAt(0)] = code));
    // Of equally good symbols the approved one comes first, then the first by name.
    const approved = model.vocabulary.source.map((source) => source === model.approved_source);
    const order = approved.map((_, i) => i).sort((a, b) => approved[b] - approved[a] || a - b);
    this.rank = new Int32Array(order.length);
    order.forEach((symbol, place) => (this.rank[symbol] = place));
    this.givenIn = new Map();
    // references of each lineage
    this.covered = new Map();
    for (const clade of arrays.clades) {
      const lineage = model.lineages[clade];
      this.covered.set(lineage, (this.covered.get(lineage) ?? 0) + 1);
    }
  }

  /** The class that references of each class speak for in a species: scopes.py. */
  given(clade, genus) {
    const key = `${clade}|${genus}`;
    if (!this.givenIn.has(key)) {
      const { originals } = this.arrays;
      const given = Int32Array.from(originals, (_, i) => i);
      if (clade) {
        const out = this.model.scopes
          .filter(({ where }) => !where.includes(clade) && !where.includes(genus))
          .flatMap(({ symbols }) => symbols);
        for (const symbol of out) given[symbol] = -1;
        const there = out.map((symbol) => given[originals[symbol]] === originals[symbol]);
        out.forEach((symbol, i) => {
          if (there[i]) given[symbol] = originals[symbol];
        });
      }
      this.givenIn.set(key, given);
    }
    return this.givenIn.get(key);
  }

  encode(residues) {
    const { plain, longest } = this.model;
    return Uint8Array.from(residues.subarray(0, longest), (byte) => plain[this.codeOf[byte]]);
  }

  /**
   * Name a batch of proteins, each at least one residue in upper case as bytes.
   * Gives for each its candidates as they are ranked: symbol (its place in the vocabulary),
   * probability, reference, and others that fit equally.
   */
  async name(proteins, clade, genus) {
    const { model, arrays, lookUp } = this;
    const codes = proteins.map((residues) => this.encode(residues));
    const given = this.given(clade, genus);
    const lineage = model.lineages[clade ? model.clades.indexOf(clade) : model.clades.length];
    const coverage = lineage < 0 ? -1 : this.covered.get(lineage) ?? 0;
    const found = lookUp.lookUp(codes);
    const all = found.map((own) => candidatesOf(own, given, model, arrays, lookUp));
    const selves = codes.map((own) => selfScore(own, arrays.scores, model.plain_residues));
    const close = all.map((candidates, row) => closeOnes(candidates, selves[row], model));
    const rows = close.flatMap((candidates, row) => candidates.map(() => row));
    const counted = close.flat();
    const matches = lookUp.countMatches(codes, rows, counted.map((c) => c.reference));
    counted.forEach((c, i) =>
      Object.assign(c, { matches: matches[2 * i], columns: matches[2 * i + 1] }),
    );
    const { candidates: most, features: width } = model;
    const numbers = new Float32Array(proteins.length * most * width);
    const present = new Uint8Array(proteins.length * most);
    all.forEach((candidates, row) => {
      for (const c of candidates) {
        const theirs = model.lineages[arrays.clades[c.reference]];
        c.count = arrays.counts[c.symbol];
        c.kin = theirs < 0 || lineage < 0 ? 0 : theirs === lineage ? 1 : -1;
      }
      const query = {
        own: found[row].own,
        length: codes[row].length,
        self: selves[row],
        searched: model.residues,
        coverage,
      };
      writeFeatures(numbers, row * most * width, width, candidates, query, model);
      present.fill(1, row * most, row * most + candidates.length);
    });
    const { Tensor } = this.ort;
    const feed = {
      features: new Tensor("float32", numbers, [proteins.length, most, width]),
      present: new Tensor("bool", present, [proteins.length, most]),
    };
    const { probabilities } = await this.session.run(feed);
    const weighed = probabilities.data;
    return all.map((candidates, row) => {
      const first = row * (most + 1) + 1;
      candidates.forEach((c, i) => (c.probability = weighed[first + i]));
      return this.#ranked(candidates, selves[row]);
    });
  }

  /** Merge copies, share among twins, and rank: copies.py, twins.py. */
  #ranked(candidates, self) {
    const kept = this.#shareWithCopies(candidates);
    const groups = new Map();
    for (const c of kept) {
      const twin = [...groups.keys()].find((other) => this.#areTwins(c, other));
      if (twin) groups.get(twin).push(c);
      else groups.set(c, [c]);
    }
    for (const c of kept) c.rankedBy = c.merged;
    for (const group of groups.values()) {
      if (group.length < 2) continue;
      const sum = group.reduce((sum, c) => sum + c.merged, 0);
      const identical = group[0].score === group[0].self && group[0].score === self;
      for (const c of group) {
        c.merged = sum / group.length;
        c.rankedBy = identical ? sum : c.merged;
        c.equals = group.filter((other) => other !== c).map((other) => other.symbol);
      }
    }
    return kept
      .sort(
        (a, b) =>
          b.rankedBy - a.rankedBy ||
          b.merged - a.merged ||
          this.rank[a.symbol] - this.rank[b.symbol],
      )
      .map((c) => ({
        symbol: c.symbol,
        probability: Math.fround(c.merged),
        reference: c.reference,
        equals: c.equals ?? [],
      }));
  }

  #areTwins(one, other) {
    if (!(one.score > 0) || one.score !== other.score || one.self !== other.self) return false;
    const [a, b] = [one, other].map((c) => this.lookUp.referenceCodes(c.reference));
    return a.length === b.length && a.every((code, i) => code === b[i]);
  }

  /** A gene takes what its copies have; a copy that is likelier takes what the gene has. */
  #shareWithCopies(candidates) {
    const { originals } = this.arrays;
    const takenBy = new Map(candidates.map((c) => [c, c]));
    for (const gene of candidates) {
      const copies = candidates.filter(
        (c) => c !== gene && originals[c.symbol] === gene.symbol && c.symbol !== gene.symbol,
      );
      if (!copies.length) continue;
      const best = copies.reduce((a, b) => (b.probability > a.probability ? b : a));
      if (gene.probability >= best.probability) for (const copy of copies) takenBy.set(copy, gene);
      else takenBy.set(gene, best);
    }
    for (const c of candidates) c.merged = 0;
    for (const [c, taker] of takenBy) taker.merged += c.probability;
    return candidates.filter((c) => takenBy.get(c) === c);
  }

  /** How the best candidate's reference aligns. */
  evidence(residues, candidate) {
    const shown = this.lookUp.show(this.encode(residues), candidate.reference);
    const equals = candidate.equals.map((symbol) => this.model.vocabulary.symbol[symbol]);
    return { reference: this.model.accessions[candidate.reference], equals, ...shown };
  }
}
