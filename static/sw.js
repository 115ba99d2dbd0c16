// The page without a network: after one visit everything it is made of is kept, and shown from there. The build puts the
// page's files and a print of their contents in the two lines below; without them this worker does nothing.
const VERSION = "";
const FILES = [];

// Several pages may share an origin, each under a path of its own.
const OURS = `kubottle ${self.registration.scope} `;
const CACHE = OURS + VERSION;
const NAMED_BY_CONTENTS = /-[0-9a-f]{16}\.\w+$/;

async function fetched(url) {
  // A name that says the contents need not be asked for again; others may have been kept by the browser for too long.
  if (NAMED_BY_CONTENTS.test(url)) {
    const kept = await caches.match(url);
    if (kept) return kept;
  }
  const response = await fetch(url, NAMED_BY_CONTENTS.test(url) ? {} : { cache: "no-cache" });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  // A host may lead elsewhere, which an answer to a navigation must not.
  return response.redirected ? new Response(response.body, { headers: response.headers }) : response;
}

async function keep() {
  const cache = await caches.open(CACHE);
  for (const file of FILES) {
    const url = new URL(file, self.registration.scope).href;
    await cache.put(url, await fetched(url));
  }
}

async function forgetOthers() {
  const old = (await caches.keys()).filter((name) => name.startsWith(OURS) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function answer(request, url) {
  const cache = await caches.open(CACHE);
  return (await cache.match(url)) ?? fetch(request);
}

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(forgetOthers()));
self.addEventListener("message", (event) => event.data === "take over" && self.skipWaiting());
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const scope = self.registration.scope;
  const url = request.url.replace(/[?#].*$/, "").replace(/\/index\.html$/, "/");
  if (FILES.length === 0 || request.method !== "GET" || !url.startsWith(scope)) return;
  const file = url.slice(scope.length) || "./";
  if (FILES.includes(file)) event.respondWith(answer(request, url));
});
