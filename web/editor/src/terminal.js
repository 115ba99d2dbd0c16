// xterm.js and the line that is typed in it. Loaded when a terminal is opened; sets `window.kubottle.terminal`.
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import css from "@xterm/xterm/css/xterm.css";
import { Line } from "./line.js";

const style = document.createElement("style");
style.textContent = css;
document.head.append(style);

const KEYS = /\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Z]|[\s\S])|[\s\S]/gu;

/** The page's colours, which change with its theme. */
function look() {
  const page = getComputedStyle(document.documentElement);
  const colour = (name) => page.getPropertyValue(name).trim();
  const size = parseFloat(page.fontSize) * (parseFloat(colour("--text-code")) || 0.78);
  return {
    fontFamily: colour("--font-mono"),
    fontSize: Math.round(size * 10) / 10,
    theme: {
      background: colour("--surface"),
      foreground: colour("--ink"),
      cursor: colour("--accent"),
      cursorAccent: colour("--surface"),
      selectionBackground: colour("--code-selection"),
      red: colour("--bad"), green: colour("--good"), yellow: colour("--warn"), blue: colour("--watch"),
      magenta: colour("--code-number"), cyan: colour("--accent"), white: colour("--ink-soft"), black: colour("--ink"),
    },
  };
}

/**
 * `options`: label, editing (words with {file}), screenReader, and what the page is told: onLine(text), onKeys(text),
 * onInterrupt(), onEnd(), onComplete(text).
 */
export function create(parent, options) {
  const term = new Terminal({
    ...look(),
    convertEol: true,
    cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    minimumContrastRatio: 4.5,
    screenReaderMode: options.screenReader,
    scrollback: 5000,
  });
  const fit = new FitAddon();
  term.loadAddon(fit);
  term.open(parent);
  term.textarea.setAttribute("aria-label", options.label);

  /** What the shell waits for: "line", "command", "keys" or "editor"; and keys that came too early. */
  let waits = "line";
  let early = "";
  /** Whether the next word would begin a line. */
  let fresh = true;
  let editing = options.editing;
  const write = (text) => {
    term.write(text);
    if (text !== "") fresh = text.endsWith("\n");
  };
  const line = new Line(write, () => term.cols, {
    line(text) {
      waits = "command";
      fresh = true;
      options.onLine(text);
    },
    interrupt() {
      waits = "command";
      fresh = true;
      options.onInterrupt();
    },
    end() {
      // Where a prompt stands there is no input to end.
      if (line.prompt === "") options.onEnd();
    },
    complete(text) {
      if (line.prompt !== "") options.onComplete(text);
    },
  });

  const type = (data) => {
    if (waits === "keys") return options.onKeys(data);
    const keys = data.match(KEYS) ?? [];
    while (keys.length > 0) {
      const key = keys.shift();
      if (waits === "line") line.key(key);
      else if (key === "\x03") {
        write(`^C\r\n`);
        early = "";
        options.onInterrupt();
      } else if (waits === "editor" && key === "\r") options.onLine("");
      else if (waits === "command" && key === "\x04") options.onEnd();
      else early += key;
    }
  };
  term.onData(type);

  term.attachCustomKeyEventHandler((event) => {
    const command = event.ctrlKey || event.metaKey;
    // The page's own key, which leads back to it.
    if (event.ctrlKey && event.code === "Backquote") return false;
    if (event.type !== "keydown" || !command) return true;
    const key = event.key.toLowerCase();
    if (key === "c" && (term.hasSelection() || event.shiftKey)) {
      navigator.clipboard?.writeText(term.getSelection()).catch(() => {});
      term.clearSelection();
      event.preventDefault();
      return false;
    }
    // The browser pastes.
    return key !== "v";
  });

  const resize = () => {
    if (parent.clientWidth > 0 && parent.clientHeight > 0) fit.fit();
  };
  const observer = new ResizeObserver(resize);
  observer.observe(parent);
  resize();
  line.begin("$ ");

  const prompt = (text) => {
    if (!fresh && text !== "") write("\r\n");
    waits = "line";
    line.begin(text);
    const keys = early;
    early = "";
    if (keys !== "") type(keys);
  };

  return {
    /** `output`: the protocol's `ShellOutput`. */
    take(output) {
      if (output.clear) {
        term.write("\x1b[2J\x1b[3J\x1b[H");
        fresh = true;
      }
      if (output.text) write(output.text);
      if (output.waits) {
        const { waits: what, prompt: text, file } = output.waits;
        if (what === "line") prompt(text);
        else waits = what;
        if (what === "editor") write(`${editing.replace("{file}", file)}\r\n`);
        if (what === "keys" && early !== "") {
          options.onKeys(early);
          early = "";
        }
      }
      if (output.completion && waits === "line") line.completed(output.completion);
    },
    /** A new cluster: its shells know nothing of what was. */
    restart(words) {
      early = "";
      write(`${fresh ? "" : "\r\n"}\x1b[2m${words}\x1b[0m\r\n`);
      prompt("$ ");
    },
    dress(words) {
      Object.assign(term.options, look());
      term.textarea.setAttribute("aria-label", words.label);
      editing = words.editing;
      resize();
    },
    screenReader(on) {
      term.options.screenReaderMode = on;
    },
    focus: () => term.focus(),
    /** All that is on the screen and above it, for tests and for copying. */
    text() {
      const buffer = term.buffer.active;
      const rows = [];
      for (let i = 0; i < buffer.length; i++) {
        const row = buffer.getLine(i);
        const text = row?.translateToString(true) ?? "";
        if (row?.isWrapped && rows.length > 0) rows[rows.length - 1] += text;
        else rows.push(text);
      }
      return rows.join("\n").trimEnd();
    },
    destroy() {
      observer.disconnect();
      term.dispose();
    },
  };
}

globalThis.kubottle = { ...(globalThis.kubottle ?? {}), terminal: { create } };
