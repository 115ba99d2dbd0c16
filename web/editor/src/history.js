// The lines that were entered, in all terminals and across visits.
const KEY = "kubottle.history";
const MOST = 500;

function read() {
  try {
    const lines = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(lines) ? lines.filter((line) => typeof line === "string") : [];
  } catch {
    return [];
  }
}

export class History {
  lines = read();
  /** Which line is shown; beyond the last one stands what is being typed. */
  at = this.lines.length;
  typed = "";

  add(line) {
    this.lines = read().filter((old) => old !== line);
    if (line.trim() !== "") this.lines.push(line);
    this.lines = this.lines.slice(-MOST);
    this.at = this.lines.length;
    try {
      localStorage.setItem(KEY, JSON.stringify(this.lines));
    } catch {
      // A full store forgets; this terminal still knows.
    }
  }

  /** The line `by` steps away, or undefined. */
  go(by, typed) {
    if (this.at === this.lines.length) this.typed = typed;
    const to = this.at + by;
    if (to < 0 || to > this.lines.length) return undefined;
    this.at = to;
    return to === this.lines.length ? this.typed : this.lines[to];
  }

  /** The newest line before `below` that holds `text`: its index, or -1. */
  search(text, below = this.lines.length) {
    for (let i = below - 1; i >= 0; i--) if (this.lines[i].includes(text)) return i;
    return -1;
  }
}
