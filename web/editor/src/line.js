// The line that is being typed: keys in, escape sequences that redraw it out.
import { History } from "./history.js";
import { place } from "./width.js";

const WORD_BEFORE = /\S+\s*$|\s+$/;

/** `tell`: line(text), interrupt(), end(), complete(text before the cursor), clear(). */
export class Line {
  text = "";
  /** In characters of `text`. */
  cursor = 0;
  prompt = "$ ";
  history = new History();
  /** Ctrl-R: what is looked for, and the line that was found. */
  search = undefined;
  #row = 0;

  constructor(write, columns, tell) {
    Object.assign(this, { write, columns, tell });
  }

  begin(prompt) {
    Object.assign(this, { prompt, text: "", cursor: 0, search: undefined });
    this.#row = 0;
    this.draw();
  }

  /** Draws it again where it stands. */
  draw() {
    const columns = this.columns();
    const shown = this.search ? `(reverse-i-search)\`${this.search.text}': ${this.text}` : this.prompt + this.text;
    const upto = this.search ? shown : this.prompt + this.text.slice(0, this.cursor);
    const [row, column] = place(upto, columns);
    const [last, end] = place(shown, columns);
    const up = this.#row > 0 ? `\x1b[${this.#row}A` : "";
    // A full last line is one only when something follows.
    const wrap = end === 0 && shown !== "" ? "\r\n" : "";
    const back = last > row ? `\x1b[${last - row}A` : "";
    this.write(`\r${up}\x1b[J${shown}${wrap}${back}\r${column > 0 ? `\x1b[${column}C` : ""}`);
    this.#row = row;
  }

  set(text, cursor = text.length) {
    [this.text, this.cursor] = [text, cursor];
    this.draw();
  }

  insert(text) {
    this.set(this.text.slice(0, this.cursor) + text + this.text.slice(this.cursor), this.cursor + text.length);
  }

  #before = (n) => [...this.text.slice(0, this.cursor)].slice(-n).join("").length;
  #after = (n) => [...this.text.slice(this.cursor)].slice(0, n).join("").length;
  #remove(from, to) {
    this.set(this.text.slice(0, from) + this.text.slice(to), from);
  }
  #move(to) {
    this.cursor = Math.min(Math.max(to, 0), this.text.length);
    this.draw();
  }
  #wordLeft = () => this.cursor - (WORD_BEFORE.exec(this.text.slice(0, this.cursor))?.[0].length ?? 0);
  #wordRight = () => this.cursor + (/^\s*\S+|^\s+/.exec(this.text.slice(this.cursor))?.[0].length ?? 0);

  /** Behind the line, where output begins. */
  #leave() {
    const [last] = place(this.prompt + this.text, this.columns());
    this.write(`${last > this.#row ? `\x1b[${last - this.#row}B` : ""}\r\n`);
    this.#row = 0;
  }

  #older(by) {
    const line = this.history.go(by, this.text);
    if (line !== undefined) this.set(line);
  }

  #searching(key) {
    const { history, search } = this;
    const find = (text, below) => {
      const at = history.search(text, below);
      this.search = { text, at: at < 0 ? search.at : at };
      if (at >= 0) this.text = history.lines[at];
      this.cursor = this.text.length;
      this.draw();
      return true;
    };
    if (key === "\x12") return find(search.text, search.at);
    if (key === "\x7f") return find(search.text.slice(0, -1), history.lines.length);
    if (key.length >= 1 && key >= " " && !key.startsWith("\x1b")) return find(search.text + key, history.lines.length);
    this.search = undefined;
    if (key === "\x07" || key === "\x03") {
      this.set("");
      return true;
    }
    this.draw();
    return false;
  }

  /** One key, or one character. */
  key(key) {
    if (this.search && this.#searching(key)) return;
    switch (key) {
      case "\r":
      case "\n": {
        const { text } = this;
        this.#leave();
        if (this.prompt.endsWith("$ ")) this.history.add(text);
        this.text = "";
        return this.tell.line(text);
      }
      case "\x03":
        this.write("^C");
        this.#leave();
        this.text = "";
        return this.tell.interrupt();
      case "\x04":
        if (this.text === "") return this.tell.end();
        return this.#remove(this.cursor, this.cursor + this.#after(1));
      case "\t":
        return this.tell.complete(this.text.slice(0, this.cursor));
      case "\x0c":
        this.write("\x1b[2J\x1b[3J\x1b[H");
        this.#row = 0;
        return this.draw();
      case "\x12":
        this.search = { text: "", at: this.history.lines.length };
        return this.draw();
      case "\x7f":
      case "\b":
        return this.#remove(this.cursor - this.#before(1), this.cursor);
      case "\x1b[3~":
        return this.#remove(this.cursor, this.cursor + this.#after(1));
      case "\x17":
      case "\x1b\x7f":
        return this.#remove(this.#wordLeft(), this.cursor);
      case "\x15":
        return this.#remove(0, this.cursor);
      case "\x0b":
        return this.#remove(this.cursor, this.text.length);
      case "\x1b[A":
      case "\x1bOA":
      case "\x10":
        return this.#older(-1);
      case "\x1b[B":
      case "\x1bOB":
      case "\x0e":
        return this.#older(1);
      case "\x1b[C":
      case "\x1bOC":
      case "\x06":
        return this.#move(this.cursor + this.#after(1));
      case "\x1b[D":
      case "\x1bOD":
      case "\x02":
        return this.#move(this.cursor - this.#before(1));
      case "\x1b[1;5D":
      case "\x1b[1;3D":
      case "\x1bb":
        return this.#move(this.#wordLeft());
      case "\x1b[1;5C":
      case "\x1b[1;3C":
      case "\x1bf":
        return this.#move(this.#wordRight());
      case "\x1b[H":
      case "\x1bOH":
      case "\x1b[1~":
      case "\x01":
        return this.#move(0);
      case "\x1b[F":
      case "\x1bOF":
      case "\x1b[4~":
      case "\x05":
        return this.#move(this.text.length);
      default:
        if (key >= " ") this.insert(key);
    }
  }

  /** Words that may stand for the last `replaces` characters before the cursor. */
  completed({ line, replaces, words }) {
    if (line !== this.text.slice(0, this.cursor) || words.length === 0) return;
    const typed = replaces > 0 ? line.slice(-replaces) : "";
    let common = words[0];
    for (const word of words) while (!word.startsWith(common)) common = common.slice(0, -1);
    if (words.length === 1) {
      const open = /[/=]$/.test(common);
      return this.insert(common.slice(typed.length) + (open ? "" : " "));
    }
    if (common.length > typed.length) return this.insert(common.slice(typed.length));
    this.#leave();
    const columns = this.columns();
    const wide = Math.max(...words.map((w) => w.length)) + 2;
    const across = Math.max(1, Math.floor(columns / wide));
    for (let i = 0; i < words.length; i += across) {
      this.write(words.slice(i, i + across).map((w) => w.padEnd(wide)).join("").trimEnd() + "\r\n");
    }
    this.draw();
  }
}
