// CodeMirror 6 with YAML that knows Kubernetes' kinds.
import { acceptCompletion, autocompletion, completionKeymap, completionStatus, moveCompletionSelection, selectedCompletionIndex } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from "@codemirror/language";
import { forceLinting, lintGutter, lintKeymap, linter } from "@codemirror/lint";
import { highlightSelectionMatches, openSearchPanel, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, Prec, StateEffect } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { check } from "./check.js";
import { completion } from "./complete.js";
import { format } from "./format.js";
import { hover } from "./hover.js";
import { colouring, look } from "./look.js";
import { builtIn } from "./schemas.js";

/** What is marked depends on more than the text. */
const anew = StateEffect.define();

function takeFirst(view) {
  if (completionStatus(view.state) !== "active") return false;
  if (selectedCompletionIndex(view.state) === null) moveCompletionSelection(true)(view);
  return acceptCompletion(view);
}

/** In a text longer than this a change is told after a rest, not at every key: telling copies the text. */
const LONG = 200_000;
const REST_MS = 250;

/**
 * `options`: text, readOnly, label, words (of what is said by the schema), onChange(text), onApply(), onFocus().
 * Ctrl-Enter (Cmd-Enter) calls onApply. Tab indents; Esc then Tab leaves the editor, as CodeMirror documents.
 */
export function create(parent, options) {
  const label = new Compartment();
  const attributes = (text) => EditorView.contentAttributes.of({ "aria-label": text, spellcheck: "false", tabindex: "0" });
  let timer;
  const tell = () => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    options.onChange?.(view.state.doc.toString());
  };
  const changed = (length) => {
    clearTimeout(timer);
    timer = setTimeout(tell, REST_MS);
    if (length < LONG) tell();
  };
  const onApply = () => {
    tell();
    options.onApply?.();
    return true;
  };
  let quiet = false;
  let words = options.words ?? {};
  // What the page marks, beside what the schema finds.
  let marks = [];
  let custom = [];
  const schemas = async () => (await builtIn()).with(custom);
  const lookOver = async ({ state }) => {
    const here = marks.map(({ line, column, message, severity }) => {
      const from = offset(line, column);
      const end = state.doc.lineAt(from).to;
      const word = /^[^\s:,]+/.exec(state.sliceDoc(from, end));
      return { from, to: Math.min(end, from + (word ? word[0].length : end - from)), severity, message };
    });
    if (state.doc.length === 0 || state.doc.length > LONG) return here;
    const known = await schemas().catch(() => undefined);
    const found = known ? check(state.doc.toString(), known, words) : [];
    // What the API server has said, the schema need not say again.
    const lines = new Set(here.map((m) => state.doc.lineAt(m.from).number));
    return here.concat(found.filter((f) => !lines.has(state.doc.lineAt(Math.min(f.from, state.doc.length)).number)));
  };
  const markAnew = () => {
    if (options.readOnly) return;
    view.dispatch({ effects: anew.of(null) });
    forceLinting(view);
  };
  const tidy = () => {
    const text = view.state.doc.toString();
    const formatted = format(text);
    if (formatted !== text) {
      const line = view.state.doc.lineAt(view.state.selection.main.head).number;
      view.dispatch({ changes: { from: 0, to: text.length, insert: formatted } });
      view.dispatch({ selection: { anchor: view.state.doc.line(Math.min(line, view.state.doc.lines)).from }, scrollIntoView: true });
    }
    return true;
  };
  const extensions = [
    lineNumbers(),
    foldGutter(),
    highlightSpecialChars(),
    drawSelection(),
    bracketMatching(),
    highlightSelectionMatches(),
    yaml(),
    colouring,
    look,
    label.of(attributes(options.label ?? "YAML")),
    keymap.of([...searchKeymap, ...foldKeymap, ...lintKeymap]),
  ];
  if (options.readOnly) {
    // Reached by Tab, so that keys scroll it.
    extensions.push(EditorState.readOnly.of(true), EditorView.contentAttributes.of({ tabindex: "0" }), keymap.of(defaultKeymap));
  } else {
    extensions.push(
      Prec.highest(keymap.of([{ key: "Mod-Enter", run: onApply }, { key: "Shift-Alt-f", run: tidy }, { key: "Tab", run: takeFirst }])),
      history(),
      indentOnInput(),
      indentUnit.of("  "),
      EditorState.tabSize.of(2),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      lintGutter(),
      linter(lookOver, { delay: 500, needsRefresh: (update) => update.transactions.some((t) => t.effects.some((e) => e.is(anew))) }),
      // Nothing is chosen until somebody chooses, so that Enter ends a line as everywhere; Tab takes the first.
      autocompletion({ override: [completion(schemas, () => words)], selectOnOpen: false, icons: false }),
      hover(schemas, () => words),
      keymap.of([...completionKeymap, ...historyKeymap, ...defaultKeymap, indentWithTab]),
      EditorView.updateListener.of((update) => {
        if (update.docChanged && !quiet) changed(update.state.doc.length);
      }),
      // Whatever is done outside of the editor is done to the text as it stands.
      EditorView.domEventHandlers({ blur: () => (tell(), false), focus: () => (options.onFocus?.(), false) }),
    );
  }
  const view = new EditorView({ parent, state: EditorState.create({ doc: options.text ?? "", extensions }) });

  /** Lines and columns count from 1; out of range is moved to the nearest place. */
  const offset = (line, column) => {
    const doc = view.state.doc;
    const at = doc.line(Math.min(Math.max(line, 1), doc.lines));
    return Math.min(at.from + Math.max(column - 1, 0), at.to);
  };
  return {
    getText: () => view.state.doc.toString(),
    setText(text) {
      if (text.length === view.state.doc.length && text === view.state.doc.toString()) return;
      clearTimeout(timer);
      timer = undefined;
      quiet = true;
      const top = view.scrollDOM.scrollTop;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
      view.scrollDOM.scrollTop = top;
      quiet = false;
    },
    /** `list`: [{line, column, message, severity}], severity "error" or "warning". */
    setDiagnostics(list) {
      marks = list;
      markAnew();
    },
    /** Custom resources: [{apiVersion, kind, schema}]. */
    setCustom(list) {
      custom = list;
      markAnew();
    },
    setWords(some) {
      words = some;
      markAnew();
    },
    format: tidy,
    goTo(line, column) {
      const at = offset(line, column);
      view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
      view.focus();
    },
    setLabel: (text) => view.dispatch({ effects: label.reconfigure(attributes(text)) }),
    search: () => openSearchPanel(view),
    focus: () => view.focus(),
    destroy() {
      clearTimeout(timer);
      view.destroy();
    },
  };
}
