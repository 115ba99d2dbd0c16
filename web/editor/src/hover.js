// What the field under the pointer is for.
import { hoverTooltip } from "@codemirror/view";
import { about, surroundings } from "./complete.js";
import { lineParts, mappingAt } from "./place.js";

/** The field at a place, with its schema, or nothing. */
export function fieldAt(known, state, pos) {
  const place = surroundings(state, pos);
  const parts = lineParts(place.line.text);
  const start = place.line.from + parts.column;
  if (parts.key === undefined || pos < start) return undefined;
  const { path } = mappingAt(place.lines, place.number, parts.column, place.from, place.to);
  const owner = known.open(known.at(place.identity.apiVersion, place.identity.kind, path));
  const schema = owner && known.step(owner, parts.key);
  if (!schema) return undefined;
  const title = [...path, parts.key].join(".").replaceAll(".[]", "[]");
  return { from: start, to: start + parts.key.length, title, schema, required: owner.required?.includes(parts.key) };
}

export const hover = (schemas, words) => hoverTooltip(async (view, pos) => {
  const known = await schemas().catch(() => undefined);
  const field = known && fieldAt(known, view.state, pos);
  if (!field) return null;
  const dom = about(field.title, field.schema, known, field.required && words().required);
  return { pos: field.from, end: field.to, above: true, create: () => ({ dom }) };
}, { hoverTime: 400 });
