// The page's helpers in plain JavaScript, as one classic script that sets `window.kubottle`: the YAML editor and the view
// of differences (CodeMirror 6), the session's place in IndexedDB, and where texts of lessons come from.
import { createDiff } from "./diff.js";
import * as editor from "./editor.js";
import * as lessons from "./lessons.js";
import * as session from "./session.js";

globalThis.kubottle = { ...(globalThis.kubottle ?? {}), editor: { ...editor, createDiff }, lessons, session };
