// The page's helpers in plain JavaScript, as one classic script that sets `window.kubottle`: the YAML editor and the view
// of differences (CodeMirror 6), the session's place in IndexedDB, where texts of lessons come from, keeping the page for
// when there is no network, and the way to the terminal, which is loaded when it is opened.
import { createDiff } from "./diff.js";
import * as editor from "./editor.js";
import { library } from "./library.js";
import * as lessons from "./lessons.js";
import * as offline from "./offline.js";
import * as session from "./session.js";

let loading;

/** The terminal's script: beside the page, or within it when the page is one file. */
function loadTerminal() {
  loading ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    const inline = document.getElementById("kubottle-terminal");
    if (inline) {
      script.textContent = inline.textContent;
      document.head.append(script);
      done();
      return;
    }
    script.onload = () => done();
    script.onerror = () => {
      loading = undefined;
      failed(new Error("terminal.js"));
    };
    script.src = "./terminal.js";
    document.head.append(script);
  });
  return loading;
}

globalThis.kubottle = { ...(globalThis.kubottle ?? {}), editor: { ...editor, createDiff }, lessons, offline, session, library, loadTerminal };
