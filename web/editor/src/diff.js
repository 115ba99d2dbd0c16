// Two texts side by side: what is there, and what would be there.
import { yaml } from "@codemirror/lang-yaml";
import { MergeView, unifiedMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";
import { colouring, look } from "./look.js";

/** `options`: before, after, labels [of the first, of the second], unified (for narrow places). Both can only be read. */
export function createDiff(parent, { before, after, labels, unified }) {
  const common = (label) => [
    lineNumbers(),
    yaml(),
    colouring,
    look,
    EditorState.readOnly.of(true),
    EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
  ];
  const collapse = { margin: 3, minSize: 6 };
  if (unified) {
    const merge = unifiedMergeView({ original: before, mergeControls: false, collapseUnchanged: collapse });
    const view = new EditorView({ parent, state: EditorState.create({ doc: after, extensions: [...common(labels[1]), merge] }) });
    return { destroy: () => view.destroy() };
  }
  const view = new MergeView({
    parent,
    a: { doc: before, extensions: common(labels[0]) },
    b: { doc: after, extensions: common(labels[1]) },
    collapseUnchanged: collapse,
    gutter: true,
  });
  return { destroy: () => view.destroy() };
}
