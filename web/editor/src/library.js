// What kubectl in the terminal reads: all schemas, and the commands' help. Read once, when a terminal is opened.
import { beside, text as schemas } from "./schemas.js";

let reading;
/** {schemas, help}: texts, empty where they could not be read. */
export function library() {
  const or = (promise) => promise.catch(() => "");
  reading ??= Promise.all([or(schemas()), or(beside("./help.txt", "kubottle-help"))]).then(([schemas, help]) => ({ schemas, help }));
  return reading;
}
