// What the schema says is wrong with the text, while it is being written. The API server has the last word: it knows more.
import { isAlias, isMap, isScalar, isSeq, parseAllDocuments } from "yaml";
import { typeOf } from "./schemas.js";

const say = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

/** Optimal string alignment distance, up to 3: enough to find what was meant. */
function distance(a, b) {
  if (Math.abs(a.length - b.length) > 2) return 3;
  let [older, old] = [[], Array.from({ length: b.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const other = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(old[j] + 1, row[j - 1] + 1, old[j - 1] + other);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], older[j - 2] + 1);
    }
    [older, old] = [old, row];
  }
  return old[b.length];
}

const nearest = (name, names) =>
  names.map((n) => [distance(name.toLowerCase(), n.toLowerCase()), n]).filter(([d]) => d < 3).sort((a, b) => a[0] - b[0])[0]?.[1];

/** What a scalar is to the API server: `string`, `integer`, `number`, `boolean`, `null`. */
function scalarType(value) {
  if (value === null || value === undefined) return "null";
  if (typeof value === "number" || typeof value === "bigint") return Number.isInteger(Number(value)) ? "integer" : "number";
  return typeof value;
}

class Check {
  /** `defined`: the kinds that the same text defines. */
  constructor(schemas, words, defined) {
    Object.assign(this, { schemas, words, defined, found: [] });
  }

  tell(node, severity, message) {
    const [from, to] = node?.range ?? [0, 0];
    this.found.push({ from, to: Math.max(to, from), severity, message });
  }

  document(doc) {
    const root = doc.contents;
    if (!isMap(root)) return;
    const text = (name) => (isScalar(root.get(name, true)) ? root.get(name) : undefined);
    const [apiVersion, kind] = [text("apiVersion"), text("kind")];
    if (typeof apiVersion !== "string" || typeof kind !== "string") return;
    if (kind === "List" && apiVersion === "v1") return;
    const schema = this.schemas.kind(apiVersion, kind);
    // A component's configuration is no object of the API; a custom resource may be defined in the same text.
    if (!schema && (/\.config\.k8s\.io\//.test(apiVersion) || this.defined.has(kind))) return;
    if (!schema) {
      const other = this.schemas.kinds.find((k) => k.kind === kind) ?? this.schemas.kinds.find((k) => distance(k.kind.toLowerCase(), kind.toLowerCase()) < 2);
      const hint = other ? ` ${say(this.words.suggestion, { text: `${other.apiVersion} ${other.kind}` })}` : "";
      return this.tell(root.get("kind", true), "warning", `no matches for kind "${kind}" in version "${apiVersion}".${hint}`);
    }
    this.value(root, schema, "");
  }

  value(node, schema, path) {
    const at = this.schemas.open(schema);
    if (!at || !node || isAlias(node)) return;
    if (isMap(node)) return this.map(node, at, path);
    if (isSeq(node)) {
      if (!at.items) return this.wrong(node, at, path, "array");
      return node.items.forEach((item, i) => this.value(item, at.items, `${path}[${i}]`));
    }
    if (isScalar(node)) this.scalar(node, at, path);
  }

  map(node, at, path) {
    const properties = at.properties;
    if (!properties && at.type !== "object" && at.additionalProperties === undefined && at.type !== undefined) {
      return this.wrong(node, at, path, "object");
    }
    const free = typeof at.additionalProperties === "object" ? at.additionalProperties : undefined;
    const open = at["x-kubernetes-preserve-unknown-fields"] || at.additionalProperties === true;
    for (const pair of node.items) {
      const name = isScalar(pair.key) ? String(pair.key.value) : undefined;
      if (name === undefined || name === "<<") continue;
      const inner = path ? `${path}.${name}` : name;
      const field = properties?.[name] ?? free;
      if (field) {
        this.value(pair.value, field, inner);
      } else if (properties && !open) {
        const meant = nearest(name, Object.keys(properties));
        const hint = meant ? ` ${say(this.words.suggestion, { text: meant })}` : "";
        this.tell(pair.key, "error", `unknown field "${inner}".${hint}`);
      }
    }
    // Who is still writing need not hear of what is missing in a mapping that has nothing yet.
    if (node.items.length === 0 || !at.required) return;
    const missing = at.required.filter((name) => !node.has(name));
    for (const name of missing) {
      const place = { range: [node.range[0], Math.min(node.range[1], node.range[0] + 1)] };
      this.tell(node.items[0]?.key ?? place, "warning", `${path ? `${path}.` : ""}${name}: ${this.words.missing}`);
    }
  }

  scalar(node, at, path) {
    const type = scalarType(node.value);
    if (type === "null") return;
    if (at.properties || at.items || (at.type === "object" && !at.oneOf)) return this.wrong(node, at, path, type);
    const either = at.oneOf?.map((o) => o.type) ?? (at["x-kubernetes-int-or-string"] ? ["integer", "string"] : undefined);
    const allowed = either ?? (at.type ? [at.type] : undefined);
    if (allowed && !allowed.includes(type) && !(type === "integer" && allowed.includes("number"))) return this.wrong(node, at, path, type);
    if (at.enum && !at.enum.includes(node.value)) {
      const values = at.enum.map((v) => JSON.stringify(v)).join(", ");
      this.tell(node, "error", `${path}: Unsupported value: ${JSON.stringify(node.value)}: supported values: ${values}`);
    }
  }

  wrong(node, at, path, type) {
    const range = isScalar(node) ? node : { range: [node.range[0], node.range[0] + 1] };
    this.tell(range, "error", say(this.words.type, { field: path, wants: typeOf(this.schemas, at), is: type }));
  }
}

/** [{from, to, severity, message}] of a text of several documents. Errors of syntax are the parser's. */
export function check(text, schemas, words) {
  const found = [];
  const defined = new Set();
  // YAML 1.1 as kubectl reads it: `yes` and `on` are booleans there, too.
  const documents = parseAllDocuments(text, { version: "1.1", schema: "yaml-1.1", uniqueKeys: true, prettyErrors: false });
  for (const doc of documents) {
    const kind = isMap(doc.contents) && doc.get("kind") === "CustomResourceDefinition" && doc.getIn(["spec", "names", "kind"]);
    if (kind) defined.add(kind);
  }
  for (const doc of documents) {
    for (const e of doc.errors) found.push({ from: e.pos[0], to: e.pos[1], severity: "error", message: e.message });
    if (doc.errors.length > 0) continue;
    const one = new Check(schemas, words, defined);
    one.document(doc);
    found.push(...one.found);
  }
  return found;
}
