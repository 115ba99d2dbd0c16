// How many columns a character takes, as terminals count: East Asian wide ones two, combining ones none.
const WIDE = [
  [0x1100, 0x115f], [0x2e80, 0x303e], [0x3041, 0x33ff], [0x3400, 0x4dbf], [0x4e00, 0x9fff], [0xa000, 0xa4cf],
  [0xa960, 0xa97f], [0xac00, 0xd7a3], [0xf900, 0xfaff], [0xfe30, 0xfe6f], [0xff00, 0xff60], [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f], [0x1f900, 0x1f9ff], [0x20000, 0x3fffd],
];
const NONE = [[0x0300, 0x036f], [0x200b, 0x200f], [0xfe00, 0xfe0f]];
const within = (ranges, code) => ranges.some(([from, to]) => code >= from && code <= to);

export function width(character) {
  const code = character.codePointAt(0);
  if (code < 0x300) return 1;
  if (within(NONE, code)) return 0;
  return within(WIDE, code) ? 2 : 1;
}

/** Where the cursor stands after a text that begins at the left edge of a screen of `columns`. */
export function place(text, columns) {
  let [row, column] = [0, 0];
  for (const character of text) {
    const w = width(character);
    if (column + w > columns) [row, column] = [row + 1, 0];
    column += w;
  }
  return column >= columns ? [row + 1, 0] : [row, column];
}
