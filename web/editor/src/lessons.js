// Texts of lessons: beside the page, inside of it when it is one file, from anywhere by address, or from the reader's disk.

async function beside(name) {
  // A page in one file brings them along.
  if (window.kubottleLessons) return window.kubottleLessons(name);
  return fetched(`./lessons/${name}`);
}

async function fetched(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return response.text();
}

function chosen() {
  return new Promise((resolve, reject) => {
    const input = document.createElement("input");
    input.type = "file";
    input.accept = ".md,.json,text/markdown,application/json";
    input.onchange = () => (input.files[0] ? input.files[0].text().then(resolve, reject) : resolve(""));
    input.oncancel = () => resolve("");
    input.click();
  });
}

/** `done(text, error)` of a file beside the page. */
export function load(name, done) {
  beside(name).then((text) => done(text), (error) => done("", error));
}

/** `done(text, error)` of an address. */
export function get(url, done) {
  fetched(url).then((text) => done(text), (error) => done("", error));
}

/** `done(text, error)` of a file that the reader chooses; no text when they choose none. */
export function choose(done) {
  chosen().then((text) => done(text), (error) => done("", error));
}

/** Gives the reader a file to keep. */
export function save(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
