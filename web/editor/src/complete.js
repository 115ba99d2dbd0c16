// Completion of fields, their values, kinds and whole manifests, by the schema of the object that is being written.
import { snippetCompletion } from "@codemirror/autocomplete";
import { documentAround, identity, lineParts, mappingAt } from "./place.js";
import { typeOf } from "./schemas.js";
import { SNIPPETS } from "./snippets.js";

const MAX_LINES = 5000;

/** What stands in the text around a place: {lines, number, line, from, to, identity}. */
export function surroundings(state, pos) {
  const line = state.doc.lineAt(pos);
  // A text of thousands of documents is not copied for a word.
  const first = Math.max(1, line.number - MAX_LINES);
  const last = Math.min(state.doc.lines, line.number + MAX_LINES);
  const lines = [];
  for (let n = first; n <= last; n++) lines.push(state.doc.line(n).text);
  const number = line.number - first;
  const [from, to] = documentAround(lines, number);
  return { lines, number, line, from, to, identity: identity(lines, from, to) };
}

/** A field's description, as an element. */
export function about(title, schema, schemas, required) {
  const box = document.createElement("div");
  box.className = "cm-about";
  const head = box.appendChild(document.createElement("p"));
  head.appendChild(document.createElement("code")).textContent = title;
  head.append(` ${typeOf(schemas, schema)}`);
  if (required) head.appendChild(document.createElement("em")).textContent = ` ${required}`;
  if (schema?.description) box.appendChild(document.createElement("p")).textContent = schema.description;
  const values = schemas.open(schema)?.enum;
  if (values) box.appendChild(document.createElement("p")).append(values.join(" · "));
  return box;
}

function fieldOptions(schemas, owner, taken, column, word) {
  const at = schemas.open(owner);
  return Object.entries(at?.properties ?? {})
    .filter(([name]) => !taken.has(name))
    .map(([name, schema]) => {
      const kind = schemas.open(schema);
      const inside = " ".repeat(column + 2);
      const isMap = kind?.properties || kind?.additionalProperties || kind?.type === "object";
      const rest = kind?.items ? `:\n${inside}- ` : isMap ? `:\n${inside}` : ": ";
      const required = at.required?.includes(name);
      return {
        label: name,
        type: required ? "keyword" : "property",
        detail: typeOf(schemas, schema),
        // What must be there first; what only the cluster writes last.
        boost: name === "status" ? -50 : required ? 10 : 0,
        apply: name + rest,
        info: () => about(name, schema, schemas, required && word),
      };
    });
}

function valueOptions(schemas, field, place, name, path) {
  const top = path.length === 0;
  if (top && name === "kind") {
    const version = place.identity.apiVersion;
    const kinds = schemas.kinds.filter((k) => !version || k.apiVersion === version);
    return kinds.map((k) => ({ label: k.kind, type: "type", detail: k.apiVersion }));
  }
  if (top && name === "apiVersion") {
    const kinds = schemas.kinds.filter((k) => !place.identity.kind || k.kind === place.identity.kind);
    return [...new Set(kinds.map((k) => k.apiVersion))].map((label) => ({ label, type: "namespace" }));
  }
  const at = schemas.open(field);
  if (at?.enum) return at.enum.map((v) => ({ label: String(v), type: "enum" }));
  if (at?.type === "boolean") return ["true", "false"].map((label) => ({ label, type: "constant" }));
  return [];
}

/** Whole manifests, for an empty document. */
function manifests(place, from) {
  const empty = place.lines.slice(place.from, place.to).every((l, i) => i + place.from === place.number || /^\s*(#|$)/.test(l));
  if (!empty) return null;
  const options = SNIPPETS.map(({ label, text }) => snippetCompletion(text, { label, type: "class", detail: "YAML" }));
  return { from, options, validFor: /^\w*$/ };
}

/** `schemas()`: a promise of the schemas; `words.required`: that word. */
export const completion = (schemas, words) => async (context) => {
  const place = surroundings(context.state, context.pos);
  const before = place.line.text.slice(0, context.pos - place.line.from);
  if (/(^|\s)#/.test(before)) return null;
  const parts = lineParts(place.line.text);
  const known = await schemas().catch(() => undefined);
  if (!known) return null;
  const value = /^\s*(?:- +)*([^\s:]+):\s+["']?([^\s"']*)$/.exec(before);
  if (value) {
    const { path } = mappingAt(place.lines, place.number, parts.column, place.from, place.to);
    const owner = known.at(place.identity.apiVersion, place.identity.kind, path);
    const options = valueOptions(known, owner && known.step(owner, value[1]), place, value[1], path);
    return options.length ? { from: context.pos - value[2].length, options, validFor: /^[\w./-]*$/ } : null;
  }
  const key = /^(\s*(?:- +)*)([\w./-]*)$/.exec(before);
  if (!key || (key[2] === "" && !context.explicit && !/- +$/.test(key[1]) && !/^\s+$/.test(before))) return null;
  const column = key[1].length;
  const from = context.pos - key[2].length;
  const { path, fields } = mappingAt(place.lines, place.number, column, place.from, place.to);
  if (path.length === 0 && !place.identity.kind) {
    const whole = manifests(place, from);
    const words = ["apiVersion", "kind", "metadata", "spec"].filter((w) => !fields.has(w));
    const rest = words.map((label) => ({ label, type: "property", apply: `${label}: ` }));
    return whole ? { ...whole, options: [...whole.options, ...rest] } : { from, options: rest };
  }
  const owner = known.at(place.identity.apiVersion, place.identity.kind, path);
  const at = known.open(owner);
  if (at && !at.properties && at.enum) return { from, options: at.enum.map((v) => ({ label: String(v), type: "enum" })) };
  const options = fieldOptions(known, owner, fields, column, words().required);
  return options.length ? { from, options, validFor: /^[\w./-]*$/ } : null;
};
