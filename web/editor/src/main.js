// The page's two helpers in plain JavaScript, as one classic script that sets `window.kubottle`:
// the YAML editor (CodeMirror 6) and the session's place in IndexedDB.
import * as editor from "./editor.js";
import * as session from "./session.js";

globalThis.kubottle = { ...(globalThis.kubottle ?? {}), editor, session };
