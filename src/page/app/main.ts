/** The thread of the page that shows. It starts the one that works, hands it what the reader gives, and draws answers. */
import type { Answer, GivenFile, GivenKey, Request, RetrainRequest, VerifyRequest } from "../protocol.ts";
import { AttestationView } from "./attestation_view.ts";
import { element, show, tellProblem, tellWorking } from "./elements.ts";
import { chosen, onGiven } from "./given.ts";
import { TrainingView } from "./training_view.ts";
import { VerificationView } from "./verification_view.ts";

const url = new URLSearchParams(location.search).get("url");
// Without ?url= there is nothing that this page may ask its own server either. Policies add up.
if (url === null) forbidRequests();

const worker = await startWorker();
const verification = new VerificationView();
const training = new TrainingView();
const attesting = new AttestationView(ask);
let keys: readonly GivenKey[] = [];

function forbidRequests(): void {
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = "connect-src 'none'";
  document.head.append(policy);
}

/** What stands in the page under gzip, in base64. */
function packed(id: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(element(id).textContent ?? ""), (character) => character.charCodeAt(0));
}

async function startWorker(): Promise<Worker> {
  const code = new Blob([packed("worker")]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = new Blob([await new Response(code).blob()], { type: "text/javascript" });
  // A classic script: a page that was opened as a file may not start a module.
  return new Worker(URL.createObjectURL(script));
}

function ask(request: Request, transfer: Transferable[] = []): void {
  tellProblem();
  worker.postMessage(request, transfer);
}

/** What can only be asked for while nothing is under way. */
function setBusy(isBusy: boolean): void {
  for (const id of ["files", "folder", "key-check", "retrain"]) element<HTMLInputElement>(id).disabled = isBusy;
}

function request(): VerifyRequest {
  return { keys, withoutCheckpoints: element<HTMLInputElement>("without-checkpoints").checked };
}

function verify(): void {
  setBusy(true);
  attesting.begin();
  verification.begin(element("name").textContent ?? "");
  ask({ kind: "verify", request: request() });
}

function open(files: readonly GivenFile[]): void {
  setBusy(true);
  show(false, "verification", "signer", "retraining", "drawing", "attesting", "training");
  tellWorking("Looking at what was given …");
  ask({ kind: "open", files });
}

function draw({ html, reason }: Extract<Answer, { kind: "drawn" }>): void {
  const frame = element<HTMLIFrameElement>("report");
  show(true, "drawing");
  show(html !== undefined, "report");
  show(reason !== undefined, "not-drawn");
  element("not-drawn").textContent = reason ?? "";
  if (html === undefined) return;
  frame.onload = () => {
    const root = frame.contentDocument?.documentElement;
    if (root === undefined) return;
    const fit = () => frame.style.setProperty("height", `${root.scrollHeight + 2}px`);
    fit();
    new ResizeObserver(fit).observe(root.querySelector("body") ?? root);
  };
  frame.srcdoc = html;
}

function answered(answer: Answer): void {
  switch (answer.kind) {
    case "loaded": {
      const resources = packed("resources");
      return ask({ kind: "start", resources }, [resources.buffer]);
    }
    case "ready": {
      const { threads, memory } = answer.engine;
      verification.setSteps(answer.steps);
      element("licences").textContent = answer.licences;
      element("engine").textContent = memory === "shared"
        ? `This page is isolated from others, so ${threads} threads share the work.`
        : "One thread works here: threads may share memory only where the page is served isolated from others.";
      setBusy(false);
      tellWorking("");
      document.documentElement.dataset["memory"] = memory;
      if (url !== null) {
        setBusy(true);
        ask({ kind: "fetch", url, page: location.href });
      }
      return;
    }
    case "opened":
      element("name").textContent = answer.name;
      return verify();
    case "step":
      return verification.step(answer.step);
    case "report": {
      const isVerified = answer.report.verdict === "verified";
      verification.report(answer);
      if (answer.isRetrained) training.report(answer);
      show(answer.report.signers.length > 0 || keys.length > 0, "signer");
      show(isVerified || answer.isRetrained, "retraining");
      show(isVerified, "attesting");
      attesting.update(isVerified);
      return setBusy(false);
    }
    case "drawn":
      return draw(answer);
    case "data":
      return training.data(answer);
    case "choice":
      return training.choice(answer);
    case "trained":
      return training.trained(answer);
    case "segment":
      return training.segment(answer);
    case "attestation":
      return attesting.attestation(answer);
    case "problem":
      tellProblem(answer.message);
      tellWorking("");
      training.setRunning(false);
      return setBusy(false);
  }
}

function retrainRequest(): RetrainRequest {
  const seed = element<HTMLInputElement>("seed").value.trim();
  const [upstream, downstream, [tokenizer]] = [chosen("upstream"), chosen("downstream"), chosen("tokenizer")];
  return {
    ...request(),
    count: element<HTMLInputElement>("count").valueAsNumber,
    ...(seed === "" ? {} : { seed }),
    ...(upstream.length + downstream.length === 0
      ? {}
      : { corpora: { upstream, downstream, ...(tokenizer === undefined ? {} : { tokenizer }) } }),
  };
}

function onSubmit(id: string, action: () => void): void {
  element(id).addEventListener("submit", (event) => {
    event.preventDefault();
    action();
  });
}

worker.onmessage = ({ data }: MessageEvent<Answer>) => answered(data);
worker.onerror = (event) => {
  event.preventDefault();
  tellProblem(`This browser does not run the verifier (${event.message}): use a recent one`);
};

onGiven(open, tellProblem);
onSubmit("key-form", () => {
  const text = element<HTMLTextAreaElement>("key-text").value;
  keys = text.trim() === "" ? [] : [{ name: "the key that you gave", text }];
  show(keys.length > 0, "key-forget");
  verify();
});
element("key-forget").addEventListener("click", () => {
  element<HTMLTextAreaElement>("key-text").value = "";
  keys = [];
  show(false, "key-forget");
  verify();
});
async function takeKeyFile(file: File | undefined): Promise<void> {
  if (file === undefined) return;
  if (file.size > 1 << 16) return tellProblem(`The key file has ${file.size} bytes, and a key has less than 65536`);
  element<HTMLTextAreaElement>("key-text").value = await file.text();
}
element("key-file").addEventListener("change", () => takeKeyFile(element<HTMLInputElement>("key-file").files?.[0]));
element("key-form").addEventListener("drop", (event) => {
  event.preventDefault();
  takeKeyFile(event.dataTransfer?.files[0]);
});
onSubmit("retrain-form", () => {
  setBusy(true);
  attesting.begin();
  training.begin();
  verification.begin(element("name").textContent ?? "");
  ask({ kind: "retrain", request: retrainRequest() });
});
element("pause").addEventListener("click", () => {
  const isPaused = element("pause").getAttribute("aria-pressed") !== "true";
  training.setPaused(isPaused);
  ask({ kind: "pause", isPaused });
});
element("stop").addEventListener("click", () => ask({ kind: "stop" }));
