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
  const say = (why) => {
    const words = {
      ko: "페이지의 나머지 부분을 받지 못했습니다. 네트워크를 확인하고 새로 고치세요. 입력한 내용은 남아 있습니다.",
      en: "The rest of the page could not be fetched. Check the network and reload: what you typed is kept.",
    };
    const box = document.createElement("p");
    box.setAttribute("role", "alert");
    box.style = "position:fixed;inset:auto 1rem 1rem;z-index:99;padding:1rem;font:1rem sans-serif;color:#000;background:#ffd9d2";
    box.textContent = `${words[document.documentElement.lang] ?? words.en} (${why})`;
    document.body.append(box);
  };
  const later = async () => {
    const bytes = typeof rest === "string" ? await (await fetch(rest)).arrayBuffer() : rest;
    join(await WebAssembly.compile(bytes));
  };
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const real = WebAssembly[name];
    WebAssembly[name] = async (source, imports) => {
      WebAssembly[name] = real;
      const now = () => {
        try {
          join(new WebAssembly.Module(bytesNow()));
        } catch (error) {
          // A worker's page says it; a page's own program cannot say anything any more.
          if (globalThis.document) say(error.message);
          throw error;
        }
      };
      const made = await real.call(WebAssembly, source, { ...imports, parts: { rest: now } });
      first = (made.instance ?? made).exports;
      // What is on the way to the first screen goes before. Should it fail, it is asked for again when it is needed.
      setTimeout(() => later().catch(() => {}), 1000);
      return made;
    };
  }
}
