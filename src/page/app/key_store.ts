/** The reviewer's key: made by the browser, kept in its IndexedDB, and not to be copied out of it. */

/** A key that the browser keeps. */
export interface KeptKey {
  /** not extractable */
  readonly privateKey: CryptoKey;
  /** of the public key: SPKI, DER */
  readonly spki: Uint8Array<ArrayBuffer>;
}

const STORE = "keys";
const NAME = "reviewer";

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open("rewarm-verifier", 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return answer(request);
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function store(mode: IDBTransactionMode): Promise<IDBObjectStore> {
  return (await open()).transaction(STORE, mode).objectStore(STORE);
}

/** The key, if there is one. */
export async function keptKey(): Promise<KeptKey | undefined> {
  return await answer<KeptKey | undefined>((await store("readonly")).get(NAME));
}

/** Makes a key and keeps it. */
export async function makeKey(): Promise<KeptKey> {
  const { privateKey, publicKey } = await crypto.subtle.generateKey({ name: "Ed25519" }, false, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const key = { privateKey, spki: new Uint8Array(await crypto.subtle.exportKey("spki", publicKey)) };
  await answer((await store("readwrite")).put(key, NAME));
  return key;
}

/** Removes the key for good. */
export async function forgetKey(): Promise<void> {
  await answer((await store("readwrite")).delete(NAME));
}
