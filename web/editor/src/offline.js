// The page kept for when there is no network (sw.js), and another version of it, which waits until somebody wants it.
let registration;
let renewing = false;

/** Calls `offer` when another version of the page is ready. */
export function keep(offer) {
  // A page within another is the other's to keep; one that was opened from a disk is there anyway.
  if (!("serviceWorker" in navigator) || !location.protocol.startsWith("http") || window.top !== window) return;
  // Another tab may go on with the new version: then this one has lost its files.
  let controlled = Boolean(navigator.serviceWorker.controller);
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (renewing) location.reload();
    else if (controlled) offer();
    controlled = true;
  });
  const look = () => registration.waiting && navigator.serviceWorker.controller && offer();
  navigator.serviceWorker.register("./sw.js", { updateViaCache: "none" }).then((made) => {
    // Where a browser is told to have none, it may say nothing at all.
    if (!made) return;
    registration = made;
    look();
    made.addEventListener("updatefound", () => made.installing?.addEventListener("statechange", look));
    // Who comes back to the tab after hours has a version of hours ago.
    document.addEventListener("visibilitychange", () => document.hidden || made.update().catch(() => {}));
  }, () => {});
}

/** Goes on with the other version. */
export function renew() {
  renewing = true;
  if (registration?.waiting) registration.waiting.postMessage("take over");
  else location.reload();
}
