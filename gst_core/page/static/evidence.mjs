// What speaks for each candidate symbol of a protein: gst_core/references/evidence.py and features.py, one
// protein at a time.

/** The candidates of a protein from what was looked up for it, best first. */
export function candidatesOf(found, given, model, arrays, lookUp) {
  const groups = new Map();
  found.targets.forEach((reference, i) => {
    const symbol = given[arrays.classes[reference]];
    if (symbol < 0) return;
    const total = lookUp.totals[reference];
    const score = found.scores[i];
    const likeness = found.shared[i] / Math.fround(Math.sqrt(Math.max(total, 1)));
    const group = groups.get(symbol);
    if (!group) {
      groups.set(symbol, {
        ...{ symbol, reference, score, found: 1, sum: score, aligned: score > 0 ? 1 : 0 },
        ...{ shared: found.shared[i], total, likeness, matches: 0, columns: 0 },
        length: arrays.lengths[reference],
        self: lookUp.selfScores[reference],
      });
      return;
    }
    group.found += 1;
    group.sum += score;
    group.aligned += score > 0 ? 1 : 0;
    if (likeness > group.likeness)
      Object.assign(group, { likeness, shared: found.shared[i], total });
  });
  return [...groups.values()].slice(0, model.candidates);
}

/** Those whose identical residues are counted, for scores say little; `self` as of selfScore. */
export function closeOnes(candidates, self, model) {
  const highest = Math.max(0, ...candidates.map((c) => c.score));
  const least = Math.fround(Math.fround(model.close) * highest);
  const near = highest > 0 && highest >= Math.fround(Math.fround(model.weak) * self);
  const close = candidates.filter((c) => near && c.score >= least);
  return close.length < 2 ? [] : close;
}

/** Score of a protein, plain residue codes, against itself, at least 1. */
export function selfScore(codes, scores, residues) {
  let sum = 0;
  for (const code of codes) sum += scores[code * (residues + 1)];
  return Math.max(sum, 1);
}

const clip = (x, low, high) => Math.min(Math.max(x, low), high);

/** Write what the network reads of one protein: 28 numbers a candidate. */
export function writeFeatures(out, offset, stride, candidates, query, model) {
  if (!candidates.length) return;
  const own = Math.max(query.own, 1e-6);
  const residues = Math.max(query.length, 1e-6);
  const itself = Math.max(query.self, 1e-6);
  const searched = Math.max(query.searched, 1e-6);
  const scores = candidates.map((c) => c.score);
  while (scores.length < model.candidates) scores.push(0);
  const ranked = [...scores].sort((a, b) => b - a);
  const [highest, second] = ranked;
  const top = Math.max(highest, 1);
  const cosines = candidates.map((c) => c.shared / Math.sqrt(own * Math.max(c.total, 1e-6)));
  const identities = candidates.map((c) => c.matches / Math.min(Math.max(c.length, 1), residues));
  // candidates that are not there count as 0 where the highest is sought
  const most = Math.max(...cosines, candidates.length < model.candidates ? 0 : -Infinity);
  const nearest = Math.max(...identities, candidates.length < model.candidates ? 0 : -Infinity);
  candidates.forEach((c, i) => {
    const length = Math.max(c.length, 1);
    const whole = Math.max(c.self, 1);
    const competing = c.score === highest ? second : highest;
    const lead = (c.score - competing) / top;
    const shorter = Math.min(length, residues);
    const equal = c.score > 0 ? scores.filter((score) => score === c.score).length : 0;
    const covered = query.coverage >= 0 ? Math.log1p(query.coverage) / 8 : model.untold;
    const surplus =
      model.lambda * c.score - Math.log(model.kappa * residues * searched);
    const numbers = [
      cosines[i],
      cosines[i] / Math.max(most, 1e-9),
      clip(Math.log(residues / length), -3, 3),
      Math.log1p(c.found),
      c.score / itself,
      c.score / whole,
      c.score / top,
      Math.tanh(8 * lead),
      Math.tanh(40 * lead),
      c.score / shorter / 5,
      identities[i],
      identities[i] - nearest,
      c.matches / Math.max(c.columns, 1),
      c.columns > 0 ? 1 : 0,
      c.columns / residues,
      c.columns / length,
      c.sum / Math.max(c.aligned, 1) / top,
      Math.log(residues) / 8,
      Math.log1p(c.score) / 8,
      Math.log1p(Math.min(c.count, model.enough)),
      c.kin,
      Math.log1p(Math.max(itself - c.score, 0)) / 8,
      Math.log1p(Math.max(whole - c.score, 0)) / 8,
      Math.log1p(top - c.score) / 8,
      (Math.sign(lead) * Math.log1p(Math.abs(c.score - competing))) / 8,
      Math.log(Math.max(equal, 1)),
      clip(surplus, -20, 60) / 20,
      covered,
    ];
    out.set(numbers.slice(0, stride), offset + i * stride);
  });
}
