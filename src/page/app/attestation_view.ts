/** Signing what was found, with the key that the browser keeps. */
import type { Answer, Request } from "../protocol.ts";
import { element, show, tellProblem, withText } from "./elements.ts";
import { forgetKey, type KeptKey, keptKey, makeKey } from "./key_store.ts";

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** The section of the reviewer's key and signature. */
export class AttestationView {
  #key: KeptKey | undefined;
  #isVerified = false;

  /** @param ask passes a request on to the thread that works */
  constructor(ask: (request: Request) => void) {
    const change = (action: () => Promise<KeptKey | undefined>) => () => {
      action().then((key) => this.#setKey(key), (error) => tellProblem(`This browser keeps no key: ${error}`));
    };
    element("make-key").addEventListener("click", change(makeKey));
    element("forget-key").addEventListener("click", change(async () => (await forgetKey(), undefined)));
    element("attest").addEventListener("click", () => {
      if (this.#key === undefined) return;
      ask({ kind: "attest", ...this.#key });
    });
    change(keptKey)();
  }

  #setKey(key: KeptKey | undefined): void {
    this.#key = key;
    show(key === undefined, "make-key");
    show(key !== undefined, "forget-key");
    const state = element("key-state");
    state.textContent = key === undefined
      ? "This browser keeps no key of yours yet."
      : "This browser keeps your key. For the list of those who trust you: ";
    if (key !== undefined) state.append(withText("code", base64(key.spki)));
    this.update(this.#isVerified);
  }

  /** @param isVerified whether there is something to sign */
  update(isVerified: boolean): void {
    this.#isVerified = isVerified;
    element<HTMLButtonElement>("attest").disabled = !isVerified || this.#key === undefined;
  }

  begin(): void {
    element("attested").replaceChildren();
    this.update(false);
  }

  /** Offers the signed attestation for download. */
  attestation({ name, text, keyId }: Extract<Answer, { kind: "attestation" }>): void {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = name.slice(name.lastIndexOf("/") + 1);
    link.id = "attestation";
    link.textContent = `Download ${link.download}`;
    const place = withText("span", `. Put it beside the manifest, as ${name}. Signed by key ${keyId}.`);
    element("attested").replaceChildren(link, place);
  }
}
