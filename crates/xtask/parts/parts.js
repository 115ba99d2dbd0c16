// The rest of a program that starts with its first part (see wasm-parts). It is fetched while the first is at work, and at
// once should the program need it before. `rest` is where it is, or its bytes.
function parts(rest) {
  let first;
  const join = (module) => {
    const here = first["parts:here"];
    if (here.value === 1) return;
    new WebAssembly.Instance(module, { parts: first });
    here.value = 1;
  };
  const bytesNow = () => {
    if (typeof rest !== "string") return rest;
    // A program cannot wait. A page, other than a worker, may ask for text alone then.
    const request = new XMLHttpRequest();
    request.open("GET", rest, false);
    request.overrideMimeType("text/plain; charset=x-user-defined");
    request.send();
    if (request.status !== 200) throw new Error(`${rest}: ${request.status || "no answer"}`);
    return Uint8Array.from(request.responseText, (c) => c.charCodeAt(0) & 0xff);
  };
  // The program stands still until its other half is there. In a worker nobody can be asked: its page tells what happened.
  const again = (why) => {
    const words = {
      ko: "페이지의 나머지 부분을 받지 못했습니다. 네트워크를 확인하고 다시 시도할까요?",
      en: "The rest of the page could not be fetched. Check the network: try again?",
    };
    return globalThis.document && confirm(`${words[document.documentElement.lang] ?? words.en} (${why})`);
  };
  const later = async () => {
    const bytes = typeof rest === "string" ? await (await fetch(rest)).arrayBuffer() : rest;
    join(await WebAssembly.compile(bytes));
  };
  // A page that was kept for when there is no network has both, and what a page asks for at once passes its keeper by.
  const kept = async () => {
    const found = typeof rest === "string" && (await globalThis.caches?.match(rest));
    if (found) rest = new Uint8Array(await found.arrayBuffer());
  };
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const real = WebAssembly[name];
    WebAssembly[name] = async (source, imports) => {
      WebAssembly[name] = real;
      const now = () => {
        for (;;) {
          try {
            return join(new WebAssembly.Module(bytesNow()));
          } catch (error) {
            if (!again(error.message)) throw error;
          }
        }
      };
      await kept().catch(() => {});
      const made = await real.call(WebAssembly, source, { ...imports, parts: { rest: now } });
      first = (made.instance ?? made).exports;
      // What is on the way to the first screen goes before. Should it fail, it is asked for again when it is needed.
      setTimeout(() => later().catch(() => {}), 1000);
      return made;
    };
  }
}
