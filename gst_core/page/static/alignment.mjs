// The best local alignment of two proteins (Gotoh 1982), drawn in lines of 60 columns.

const OPEN = 10;
const EXTEND = 1;
const MOST_CELLS = 10_000_000;
const WIDTH = 60;
const [STOP, DIAGONAL, UP, LEFT] = [0, 1, 2, 3];

/**
 * Draw an alignment; empty where nothing aligns, or where it would take more than a moment.
 *
 * @param {Uint8Array} query plain residue codes
 * @param {Uint8Array} target plain residue codes
 * @param {Int8Array} scores (size, size), what aligning two residues scores
 */
export function draw(query, target, scores, size, alphabet) {
  const [rows, columns] = [query.length, target.length];
  if (rows * columns > MOST_CELLS) return "";
  const width = columns + 1;
  const step = new Uint8Array((rows + 1) * width); // where H comes from
  const longer = new Uint8Array((rows + 1) * width); // bit 0: a gap up goes on, bit 1: one left
  let above = new Int32Array(width);
  const up = new Int32Array(width).fill(-OPEN);
  let best = { score: 0, row: 0, column: 0 };
  for (let row = 1; row <= rows; row++) {
    const own = new Int32Array(width);
    let left = -OPEN;
    for (let column = 1; column <= columns; column++) {
      const at = row * width + column;
      const extendUp = up[column] - EXTEND > above[column] - OPEN;
      up[column] = extendUp ? up[column] - EXTEND : above[column] - OPEN;
      const extendLeft = left - EXTEND > own[column - 1] - OPEN;
      left = extendLeft ? left - EXTEND : own[column - 1] - OPEN;
      longer[at] = (extendUp ? 1 : 0) | (extendLeft ? 2 : 0);
      const diagonal = above[column - 1] + scores[query[row - 1] * size + target[column - 1]];
      const score = Math.max(0, diagonal, up[column], left);
      own[column] = score;
      if (score === 0) step[at] = STOP;
      else if (score === diagonal) step[at] = DIAGONAL;
      else step[at] = score === up[column] ? UP : LEFT;
      if (score > best.score) best = { score, row, column };
    }
    above = own;
  }
  return best.score ? written(follow(best, step, longer, width), query, target, alphabet) : "";
}

/** Pairs of places, the last first; -1 for a gap. */
function follow({ row, column }, step, longer, width) {
  const pairs = [];
  for (let how = step[row * width + column]; how !== STOP; how = step[row * width + column]) {
    if (how === DIAGONAL) {
      pairs.push([--row, --column]);
      continue;
    }
    for (let goesOn = true; goesOn; ) {
      const bits = longer[row * width + column];
      goesOn = Boolean(how === UP ? bits & 1 : bits & 2);
      pairs.push(how === UP ? [--row, -1] : [-1, --column]);
    }
  }
  return pairs.reverse();
}

function written(pairs, query, target, alphabet) {
  const letter = (codes, place) => (place < 0 ? "-" : alphabet[codes[place]]);
  const blocks = [];
  let [row, column] = [pairs[0][0], pairs[0][1]];
  for (let i = 0; i < pairs.length; i += WIDTH) {
    const part = pairs.slice(i, i + WIDTH);
    const lines = [
      part.map(([a]) => letter(query, a)).join(""),
      part
        .map(([a, b]) => (a < 0 || b < 0 ? " " : query[a] === target[b] ? "|" : "."))
        .join(""),
      part.map(([, b]) => letter(target, b)).join(""),
    ];
    const [first, start] = [row + 1, column + 1].map((place) => String(place).padStart(6));
    row += part.filter(([a]) => a >= 0).length;
    column += part.filter(([, b]) => b >= 0).length;
    blocks.push(
      [`protein   ${first} ${lines[0]} ${row}`, `${" ".repeat(17)}${lines[1]}`,
        `reference ${start} ${lines[2]} ${column}`].join("\n"),
    );
  }
  return blocks.join("\n\n");
}
