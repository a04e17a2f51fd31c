// Looking up references: what gst_core/references/compiled_lookup.py does with the same functions, here
// compiled to WebAssembly.

const SIZES = { i32: 4, i64: 8, f32: 4, f64: 8, pointer: 4 };
const ARRAYS = {
  int8: Int8Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
};

/** Views of the arrays of model.bin, by name. */
export function arraysOf(described, buffer) {
  return Object.fromEntries(
    Object.entries(described).map(([name, { type, offset, length }]) => [
      name,
      new ARRAYS[type](buffer, offset, length),
    ]),
  );
}

/** Residue codes of all references: seven in each packed number, the first most significant. */
export function unpack(packed, residues, base, perWord) {
  const codes = new Uint8Array(packed.length * perWord);
  for (let i = 0; i < packed.length; i++) {
    let word = packed[i];
    for (let place = perWord - 1; place >= 0; place--) {
      const next = Math.floor(word / base);
      codes[i * perWord + place] = word - next * base;
      word = next;
    }
  }
  return codes.subarray(0, residues);
}

export class LookUp {
  /**
   * @param {WebAssembly.Instance} instance the functions of gst_core/references/native
   * @param {object} model facts of model.json
   * @param {object} arrays of model.bin
   * @param {Uint8Array} codes plain residues of all references
   */
  constructor(instance, model, arrays, codes) {
    this.c = instance.exports;
    this.model = model;
    this.codes = codes;
    this.size = arrays.lengths.length;
    this.starts = new BigInt64Array(this.size + 1);
    for (let i = 0; i < this.size; i++)
      this.starts[i + 1] = this.starts[i] + BigInt(arrays.lengths[i]);
    const at = Object.fromEntries(
      Object.entries({ ...arrays, codes, starts: this.starts })
        .filter(([name]) => model.index.some(([field]) => field === name))
        .map(([name, array]) => [name, this.#put(array)]),
    );
    this.#index(at);
    at.size = this.size;
    at.wide = model.bytes_of_number > 2 ? 1 : 0;
    this.index = this.#struct(model.index.map(([name, type]) => [type, at[name]]));
    this.limits = this.#struct(model.limits);
    this.space = this.c.space_new(this.index, this.limits);
    this.#require(this.space);
  }

  /** Count seeds, weigh them, and write down which targets have each. */
  #index(at) {
    const { seeds, common, parts, lengths_floor: floor, bytes_of_number: bytes } = this.model;
    const size = BigInt(this.size);
    const counts = this.#new(seeds * 4);
    const own = this.#new(this.size * 8);
    this.#done(this.c.count_seeds(at.codes, at.starts, 0n, size, at.letters, at.scores, counts, own));
    this.selfScores = Float64Array.from(this.#view(BigInt64Array, own, this.size), Number);
    const starts = new Int32Array(seeds + 1);
    const weights = new Int32Array(seeds);
    const next = new Int32Array(seeds);
    this.#view(Int32Array, counts, seeds).forEach((number, seed) => {
      const kept = number > common ? 0 : number;
      next[seed] = kept ? starts[seed] : -1;
      starts[seed + 1] = starts[seed] + kept;
      const nats = Math.log(Math.max(this.size, 2) / Math.max(kept, 1));
      weights[seed] = kept ? roundHalfEven(nats * parts) : 0;
    });
    at.weights = this.#put(weights);
    at.seed_starts = this.#put(starts);
    at.postings = this.#new(Math.max(starts[seeds], 1) * bytes);
    const following = this.#put(next);
    const totals = own;
    this.#done(
      this.c.fill_postings(
        ...[at.codes, at.starts, 0n, size, at.letters, at.weights, following],
        ...[bytes > 2 ? 1n : 0n, at.postings, totals],
      ),
    );
    this.totals = Float32Array.from(
      this.#view(BigInt64Array, totals, this.size),
      (total) => Number(total) / parts,
    );
    const root = Float32Array.from(
      { length: this.size },
      (_, i) => 1 / Math.sqrt(Math.max(Number(this.starts[i + 1] - this.starts[i]), floor)),
    );
    at.inverse_root = this.#put(root);
    for (const address of [counts, own, following]) this.c.free(address);
  }

  /** What is found for each of several queries, plain residue codes: see lookup.LookedUp. */
  lookUp(queries) {
    const { codes, starts } = this.#laidOut(queries);
    const rows = queries.length;
    const room = rows * this.model.room;
    const numbers = this.#new(rows * 8);
    const own = this.#new(rows * 8);
    const found = this.#new(room * 4);
    const shared = this.#new(room * 8);
    const scores = this.#new(room * 8);
    const all = [codes, starts, numbers, own, found, shared, scores];
    const total = this.c.look_up_batch(
      ...[this.index, this.limits, this.space, BigInt(rows), codes, starts, 0],
      ...[numbers, own, found, shared, scores],
    );
    this.#require(total >= 0n);
    const each = this.#view(BigInt64Array, numbers, rows);
    const weights = this.#view(Float64Array, own, rows);
    const result = [];
    for (let row = 0, first = 0; row < rows; row++) {
      const number = Number(each[row]);
      result.push({
        own: weights[row],
        targets: this.#view(Int32Array, found, room).slice(first, first + number),
        shared: this.#view(Float64Array, shared, room).slice(first, first + number),
        scores: this.#view(Float64Array, scores, room).slice(first, first + number),
      });
      first += number;
    }
    for (const address of all) this.c.free(address);
    return result;
  }

  /** Matches and columns of alignments: for each pair of query (ascending) and target. */
  countMatches(queries, rows, targets) {
    const { codes, starts } = this.#laidOut(queries);
    const counts = this.#new(Math.max(rows.length, 1) * 16);
    const asked = [this.#put(BigInt64Array.from(rows, BigInt)), this.#put(Int32Array.from(targets))];
    this.#done(
      this.c.count_matches(
        ...[this.index, this.limits, this.space, codes, starts, BigInt(rows.length), ...asked, counts],
      ),
    );
    const found = Array.from(this.#view(BigInt64Array, counts, rows.length * 2), Number);
    for (const address of [codes, starts, ...asked, counts]) this.c.free(address);
    return found;
  }

  /** How a query aligns with a target: matches, columns, and the ends of both. */
  show(query, target) {
    const codes = this.#put(query);
    const shown = this.#new(48);
    const length = BigInt(query.length);
    this.#done(
      this.c.show(this.index, this.limits, this.space, codes, length, BigInt(target), shown),
    );
    const [matches, columns, first, last, start, end] = Array.from(
      this.#view(BigInt64Array, shown, 6),
      Number,
    );
    this.c.free(codes);
    this.c.free(shown);
    if (!columns) return { identity: 0, queryCoverage: 0, referenceCoverage: 0, bounds: [0, 0, 0, 0] };
    return {
      identity: matches / columns,
      queryCoverage: (last - first + 1) / query.length,
      referenceCoverage: (end - start + 1) / this.referenceCodes(target).length,
      bounds: [first, last + 1, start, end + 1],
    };
  }

  referenceCodes(number) {
    return this.codes.subarray(Number(this.starts[number]), Number(this.starts[number + 1]));
  }

  #laidOut(queries) {
    const starts = new BigInt64Array(queries.length + 1);
    queries.forEach((codes, i) => (starts[i + 1] = starts[i] + BigInt(codes.length)));
    const all = new Uint8Array(Number(starts[queries.length]));
    queries.forEach((codes, i) => all.set(codes, Number(starts[i])));
    return { codes: this.#put(all), starts: this.#put(starts) };
  }

  /** Lay out a C structure: every field at a multiple of its size. */
  #struct(fields) {
    let size = 0;
    const places = fields.map(([type]) => {
      size = Math.ceil(size / SIZES[type]) * SIZES[type];
      size += SIZES[type];
      return size - SIZES[type];
    });
    const address = this.#new(size + 8);
    const view = new DataView(this.c.memory.buffer, address);
    fields.forEach(([type, value], i) => {
      if (type === "f32") view.setFloat32(places[i], value, true);
      else if (type === "f64") view.setFloat64(places[i], value, true);
      else if (type === "i64") view.setBigInt64(places[i], BigInt(value), true);
      else view.setInt32(places[i], value, true);
    });
    return address;
  }

  #new(bytes) {
    const address = this.c.malloc(Math.max(bytes, 1));
    this.#require(address);
    return address;
  }

  #put(array) {
    const address = this.#new(array.byteLength);
    new Uint8Array(this.c.memory.buffer, address, array.byteLength).set(
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
    );
    return address;
  }

  #view(Type, address, length) {
    return new Type(this.c.memory.buffer, address, length);
  }

  #done(code) {
    this.#require(code === 0);
  }

  #require(there) {
    if (!there) throw new Error("no memory to look up references");
  }
}

function roundHalfEven(number) {
  const floor = Math.floor(number);
  if (number - floor !== 0.5) return Math.round(number);
  return floor % 2 ? floor + 1 : floor;
}
