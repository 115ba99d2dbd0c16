// What fields an object has: the page's schemas.json (an OpenAPI document of all built-in kinds), and the schemas of custom
// resources, which the page hands over. Read once, when somebody first writes.

const REF = "#/components/schemas/";

/** A text that the page holds when it is a single file, packed; `undefined` when it does not. */
async function inlined(id) {
  const element = document.getElementById(id);
  if (!element) return undefined;
  const bytes = Uint8Array.from(atob(element.textContent), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

/** A text beside the page, or within it. Rejects when it is not there. */
export async function beside(path, id) {
  const held = await inlined(id);
  if (held !== undefined) return held;
  const answer = await fetch(path, { cache: "no-cache" });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.text();
}

/** All schemas as text. */
export const text = () => beside("./schemas.json", "kubottle-schemas");

let reading;
/** The built-in ones. Rejects when they cannot be read, and tries again the next time. */
export function builtIn() {
  reading ??= text().then((all) => new Schemas(JSON.parse(all))).catch((e) => {
    reading = undefined;
    throw e;
  });
  return reading;
}

export class Schemas {
  /** `document`: OpenAPI v3 with `x-kubottle-kinds`. */
  constructor(document) {
    this.named = document.components.schemas;
    this.kinds = document["x-kubottle-kinds"].map((k) => ({ ...k, schema: this.named[k.schema] }));
  }

  /** The same with custom resources: [{apiVersion, kind, schema}]. */
  with(custom) {
    const both = Object.create(Schemas.prototype);
    const meta = { description: "Standard object's metadata.", $ref: `${REF}io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta` };
    both.named = this.named;
    both.kinds = this.kinds.concat(custom.map(({ apiVersion, kind, schema }) => {
      const words = { apiVersion: { type: "string" }, kind: { type: "string" }, metadata: meta };
      return { apiVersion, kind, schema: { type: "object", ...schema, properties: { ...schema?.properties, ...words } } };
    }));
    return both;
  }

  kind(apiVersion, kind) {
    return this.kinds.find((k) => k.kind === kind && k.apiVersion === apiVersion)?.schema;
  }

  /** What stands behind a reference; the description is that of the field. */
  open(schema) {
    let at = schema;
    for (let i = 0; at && i < 8; i++) {
      const ref = at.$ref ?? (at.allOf?.length === 1 ? at.allOf[0].$ref : undefined);
      if (ref === undefined) break;
      at = { ...this.named[ref.slice(REF.length)], ...(at.description ? { description: at.description } : {}) };
    }
    return at;
  }

  /** The schema of a field of an object, or of an item of a list (`[]`). */
  step(schema, name) {
    const at = this.open(schema);
    if (!at) return undefined;
    if (name === "[]") return at.items && this.open(at.items);
    const own = at.properties?.[name];
    if (own) return this.open(own);
    return typeof at.additionalProperties === "object" ? this.open(at.additionalProperties) : undefined;
  }

  /** The schema at a path from an object of that kind. */
  at(apiVersion, kind, path) {
    return path.reduce((schema, name) => schema && this.step(schema, name), this.open(this.kind(apiVersion, kind)));
  }
}

/** A few characters for what a field holds: `string`, `[]Container`, `map[string]string`, `object`. */
export function typeOf(schemas, schema) {
  const at = schemas.open(schema);
  if (!at) return "";
  if (at["x-kubernetes-int-or-string"] || at.format === "int-or-string") return "integer or string";
  if (at.items) return `[]${typeOf(schemas, at.items)}`;
  if (typeof at.additionalProperties === "object") return `map[string]${typeOf(schemas, at.additionalProperties)}`;
  if (at.type === undefined && at.oneOf) return at.oneOf.map((o) => o.type).join(" or ");
  return at.type ?? "any";
}
