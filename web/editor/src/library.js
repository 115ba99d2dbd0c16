// What kubectl in the terminal reads: all schemas, and the commands' help. Read once, when a terminal is opened.
import { inlined, text as schemas } from "./schemas.js";

let reading;
/** {schemas, help}: texts, empty where they could not be read. */
export function library() {
  const help = async () => (await inlined("kubottle-help")) ?? (await fetch("./help.txt", { cache: "no-cache" })).text();
  const or = (promise) => promise.catch(() => "");
  reading ??= Promise.all([or(schemas()), or(help())]).then(([schemas, help]) => ({ schemas, help }));
  return reading;
}
