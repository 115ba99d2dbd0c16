// CodeMirror 6 with YAML. Colours come from the page's tokens, so themes switch without rebuilding an editor.
import { autocompletion, completeAnyWord, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics as putDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, openSearchPanel, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, Prec } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--code-key)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--code-number)" },
  { tag: tags.keyword, color: "var(--code-number)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--code-comment)", fontStyle: "italic" },
  { tag: [tags.meta, tags.separator, tags.punctuation, tags.squareBracket, tags.brace], color: "var(--code-punctuation)" },
  { tag: [tags.labelName, tags.typeName], color: "var(--code-anchor)" },
]);

const look = EditorView.theme({
  "&": { height: "100%", fontSize: "var(--text-code)", backgroundColor: "transparent", color: "var(--ink)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--accent)", padding: "8px 0" },
  ".cm-cursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--ink-faint)", border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 6px 0 10px", minWidth: "28px" },
  ".cm-activeLine": { backgroundColor: "var(--code-line)" },
  ".cm-activeLineGutter": { backgroundColor: "var(--code-line)", color: "var(--ink-soft)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--code-selection) !important" },
  ".cm-panels": { backgroundColor: "var(--surface-2)", color: "var(--ink)", borderColor: "var(--line)" },
  ".cm-panels input, .cm-panels button": { font: "inherit", color: "inherit" },
  ".cm-tooltip": { backgroundColor: "var(--surface)", color: "var(--ink)", border: "1px solid var(--line)", borderRadius: "var(--radius-s)", boxShadow: "var(--shadow-2)" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent-soft)", color: "var(--ink)" },
  ".cm-diagnostic": { padding: "6px 10px", maxWidth: "420px", whiteSpace: "pre-wrap" },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--bad)" },
  ".cm-diagnostic-warning": { borderLeft: "3px solid var(--warn)" },
  ".cm-foldPlaceholder": { backgroundColor: "var(--surface-2)", border: "none", color: "var(--ink-soft)" },
});

/** In a text longer than this a change is told after a rest, not at every key: telling copies the text. */
const LONG = 200_000;
const REST_MS = 250;

/**
 * `options`: text, readOnly, label, onChange(text), onApply().
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
  const extensions = [
    lineNumbers(),
    foldGutter(),
    highlightSpecialChars(),
    drawSelection(),
    bracketMatching(),
    highlightSelectionMatches(),
    yaml(),
    syntaxHighlighting(colours),
    look,
    label.of(attributes(options.label ?? "YAML")),
    keymap.of([...searchKeymap, ...foldKeymap, ...lintKeymap]),
  ];
  if (options.readOnly) {
    // Reached by Tab, so that keys scroll it.
    extensions.push(EditorState.readOnly.of(true), EditorView.contentAttributes.of({ tabindex: "0" }), keymap.of(defaultKeymap));
  } else {
    extensions.push(
      Prec.highest(keymap.of([{ key: "Mod-Enter", run: onApply }])),
      history(),
      indentOnInput(),
      indentUnit.of("  "),
      EditorState.tabSize.of(2),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      lintGutter(),
      autocompletion({ override: [completeAnyWord], activateOnTyping: false }),
      keymap.of([...completionKeymap, ...historyKeymap, ...defaultKeymap, indentWithTab]),
      EditorView.updateListener.of((update) => {
        if (update.docChanged && !quiet) changed(update.state.doc.length);
      }),
      // Whatever is done outside of the editor is done to the text as it stands.
      EditorView.domEventHandlers({ blur: () => (tell(), false) }),
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
      const marks = list.map(({ line, column, message, severity }) => {
        const from = offset(line, column);
        const end = view.state.doc.lineAt(from).to;
        const word = /^[^\s:,]+/.exec(view.state.sliceDoc(from, end));
        return { from, to: Math.min(end, from + (word ? word[0].length : end - from)), severity, message };
      });
      view.dispatch(putDiagnostics(view.state, marks));
    },
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
