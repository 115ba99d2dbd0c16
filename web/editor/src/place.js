// Where in an object a place in the text is, by indentation alone: it works while the text is being written, when it is no
// sound YAML yet.

const LINE = /^( *)((?:- +)*)(-$)?(?:("[^"]*"|'[^']*'|[^\s#:'"&*!|>{}[\],-][^#:]*?|-?[A-Za-z0-9_./~-]+?) *:(?=\s|$))?/;

/** Of a line: the columns of its dashes, where its key or value begins, its key, and what follows the key. */
export function lineParts(text) {
  const m = LINE.exec(text);
  const dashes = [];
  let column = m[1].length;
  for (const dash of m[2].match(/- +/g) ?? []) {
    dashes.push(column);
    column += dash.length;
  }
  if (m[3]) {
    dashes.push(column);
    column += 2;
  }
  const key = m[4]?.replace(/^(["'])(.*)\1$/, "$2");
  return { first: m[1].length, dashes, column, key, after: m[0].length };
}

const isNothing = (line) => /^\s*(#|$)/.test(line);
const ends = (line) => /^(---|\.\.\.)(\s|$)/.test(line);

/** The lines of the document around line `at` (from 0): [first, after the last]. */
export function documentAround(lines, at) {
  let from = at;
  while (from > 0 && !ends(lines[from - 1])) from--;
  let to = at;
  while (to < lines.length && (to === at || !ends(lines[to]))) to++;
  return [from, to];
}

/** `apiVersion` and `kind` of a document. */
export function identity(lines, from, to) {
  const word = (name) => {
    for (let i = from; i < to; i++) {
      const m = new RegExp(`^${name}:\\s*["']?([^\\s"'#]+)`).exec(lines[i]);
      if (m) return m[1];
    }
    return "";
  };
  return { apiVersion: word("apiVersion"), kind: word("kind") };
}

/**
 * The way from the document's object to the mapping that column `column` of line `at` belongs to, list items as `[]`; and
 * the fields that this mapping has on other lines.
 */
export function mappingAt(lines, at, column, from, to) {
  const path = [];
  const fields = new Set();
  // A mapping's fields are at `column`; in a list (`inList`) the dashes are, and what holds it may be as far left.
  let inList = false;
  let outer = false;
  const leaveItem = (dashes) => {
    for (const dash of [...dashes].reverse()) {
      path.unshift("[]");
      column = dash;
      inList = true;
    }
  };
  const own = lineParts(lines[at]);
  if (own.dashes.length > 0 && own.column <= column) {
    column = own.column;
    leaveItem(own.dashes);
    outer = true;
  }
  for (let i = at - 1; i >= from; i--) {
    if (isNothing(lines[i])) continue;
    const { first, dashes, column: start, key } = lineParts(lines[i]);
    if (first > column) continue;
    if (inList) {
      if (key === undefined || start > column || dashes.includes(column)) continue;
      path.unshift(key);
      column = start;
      inList = false;
      outer = true;
      leaveItem(dashes);
    } else if (start === column && key !== undefined) {
      if (!outer) fields.add(key);
      if (dashes.length > 0) {
        leaveItem(dashes);
        outer = true;
      }
    } else if (start < column && key !== undefined) {
      path.unshift(key);
      column = start;
      outer = true;
      leaveItem(dashes);
    }
  }
  const mine = own.dashes.length > 0 ? own.column : own.key !== undefined || own.first > 0 ? own.first : column;
  for (let i = at + 1; i < to; i++) {
    if (isNothing(lines[i])) continue;
    const { first, dashes, column: start, key } = lineParts(lines[i]);
    if (first < mine) break;
    if (start === mine && dashes.length === 0 && key !== undefined) fields.add(key);
  }
  return { path, fields };
}
