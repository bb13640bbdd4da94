/** The thread of the page that works. Requests are done one after the other; pause and stop come in between. */
import { UserError } from "../../errors.ts";
import { VERIFICATION_STEPS } from "../../manifest/verify/verification_report.ts";
import { ENGINE_WORKER, LICENCES, resource, setResources, unpackResources } from "../platform/resources.ts";
import { setEngineWorker } from "../platform/start_worker.ts";
import type { Answer, Request } from "../protocol.ts";
import { engineFacts, Reviewer } from "./reviewer.ts";

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<Request>) => void) | null;
  postMessage(message: Answer): void;
};

const reviewer = new Reviewer((answer) => scope.postMessage(answer));
let last: Promise<void> = Promise.resolve();

async function carryOut(request: Request): Promise<void> {
  switch (request.kind) {
    case "start":
      setResources(unpackResources(await decompress(request.resources)));
      setEngineWorker(textOf(ENGINE_WORKER));
      return scope.postMessage({
        kind: "ready",
        engine: engineFacts(),
        version: reviewer.version,
        steps: VERIFICATION_STEPS,
        licences: textOf(LICENCES),
      });
    case "open":
      return reviewer.open(request.files);
    case "fetch":
      return reviewer.fetch(request.url, request.page);
    case "verify":
      return await reviewer.verify(request.request);
    case "retrain":
      return await reviewer.retrain(request.request);
    case "attest":
      return await reviewer.attest(request.privateKey, request.spki);
    case "pause":
      return reviewer.pause(request.isPaused);
    case "stop":
      return reviewer.stop();
  }
}

function textOf(path: string): string {
  return new TextDecoder().decode(resource(path));
}

async function decompress(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function tellProblem(error: unknown): void {
  const message = error instanceof UserError
    ? error.message
    : `The page failed, which is a bug of its own: ${error instanceof Error ? error.stack ?? error.message : error}`;
  scope.postMessage({ kind: "problem", message });
}

scope.onmessage = ({ data }) => {
  if (data.kind === "pause" || data.kind === "stop") {
    carryOut(data).catch(tellProblem);
    return;
  }
  last = last.then(() => carryOut(data)).catch(tellProblem);
};

scope.postMessage({ kind: "loaded" });
