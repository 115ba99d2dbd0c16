// One saved session per engine, kept in IndexedDB: it may be megabytes, more than localStorage takes.
const DATABASE = "kubottle";
const STORE = "sessions";

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function transact(mode, work) {
  const db = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = db.transaction(STORE, mode);
      const request = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    db.close();
  }
}

/** `done(text, error)`: the saved text, or an empty string. */
export function load(key, done) {
  transact("readonly", (store) => store.get(key)).then((text) => done(text ?? ""), (error) => done("", error));
}

export function save(key, text, done) {
  transact("readwrite", (store) => store.put(text, key)).then(() => done(""), (error) => done("", error));
}

export function clear(key, done) {
  transact("readwrite", (store) => store.delete(key)).then(() => done(""), (error) => done("", error));
}
