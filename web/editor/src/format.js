// The same documents with even indentation; comments and the order of fields stay.
import { parseAllDocuments } from "yaml";

/** The text, formatted; as it was when it is no sound YAML. */
export function format(text) {
  const documents = parseAllDocuments(text, { version: "1.1", schema: "yaml-1.1", prettyErrors: false, keepSourceTokens: false });
  if (!Array.isArray(documents) || documents.some((d) => d.errors.length > 0)) return text;
  const options = { indent: 2, indentSeq: false, lineWidth: 0, singleQuote: undefined, flowCollectionPadding: false, directives: false };
  const texts = documents.map((d) => d.toString(options).replace(/^---\n/, "").replace(/\n+$/, "\n"));
  return texts.join("---\n");
}
