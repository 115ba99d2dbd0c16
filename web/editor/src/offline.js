// The page kept for when there is no network (static/sw.js). Another version of it waits until the page is opened anew: nobody's
// cluster is interrupted.

/** Milliseconds from the page's being loaded: the first screen comes first. */
const AFTER_MS = 1500;

function wanted() {
  // A page within another is the other's to keep; one from a disk is there anyway, and one that a server serves is as near as it.
  const served = document.querySelector("meta[name=kubottle-server]") || new URLSearchParams(location.search).has("server");
  return "serviceWorker" in navigator && location.protocol.startsWith("http") && window.top === window && !served;
}

export function keep() {
  if (!wanted()) return;
  const register = async () => {
    try {
      const registration = await navigator.serviceWorker.register("./sw.js", { updateViaCache: "none" });
      // Who comes back to the tab after hours has a version of hours ago.
      document.addEventListener("visibilitychange", () => document.hidden || registration.update().catch(() => {}));
    } catch {
      // Where it is not allowed the page works as before.
    }
  };
  addEventListener("load", () => setTimeout(register, AFTER_MS));
}
