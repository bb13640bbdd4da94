/**
 * Started by `ranks.ts`: the exact engine in one process, or in ranks over MPI with `--mpi`. Rank 0 is driven by lines of
 * JSON on its standard input: the task's shape, then `{"steps": n}`, which 0 steps ask for bytes instead.
 */
import { sha256 } from "../../src/digest/sha256.ts";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import { CHANNELS, type Link } from "../../src/ranks/link.ts";
import { Leader } from "../../src/ranks/leader.ts";
import { followRanks } from "../../src/ranks/follow.ts";
import { joinMpi } from "../../src/ranks/mpi/link.ts";
import { rankedEngine } from "../../src/ranks/ranked_engine.ts";
import { Transport } from "../../src/ranks/transport.ts";
import { type TrainingTask, trainingTask } from "../training_task.ts";
import { enginePeer } from "./engine.ts";

const VERSION = "benchmark";
let bytes = 0;
let steps = 0;

/** Counts what a step sends. */
function counted(link: Link): Link {
  return {
    name: link.name,
    rank: link.rank,
    size: link.size,
    send: (to, channel, sent) => {
      if (channel === CHANNELS.data) bytes += sent.length;
      return link.send(to, channel, sent);
    },
    receive: (from, channel, into) => link.receive(from, channel, into),
    close: () => link.close(),
    abort: (code) => link.abort(code),
  };
}

async function* lines(): AsyncGenerator<string> {
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const whole = (rest + text).split("\n");
    rest = whole.pop() ?? "";
    yield* whole;
  }
}

const start = () => createExactEngine({ threads: 1, sha256, kernels: "auto" });
const transport = Deno.args.includes("--mpi") ? new Transport(counted(await joinMpi())) : undefined;
if (transport !== undefined && transport.rank > 0) {
  await followRanks(transport, start, VERSION);
  await transport.close();
  Deno.exit(0);
}
const leader = transport === undefined ? undefined : new Leader(transport);
const engine = leader === undefined ? await start() : await rankedEngine(leader, start, VERSION);
const input = lines();
type Shape = Pick<TrainingTask, "model" | "batchSequences" | "gradientBlockSequences">;
const { model, batchSequences, gradientBlockSequences }: Shape = JSON.parse((await input.next()).value);
const task = trainingTask(model, batchSequences, gradientBlockSequences);
const peer = await enginePeer(engine, task, "", 1);
console.log(JSON.stringify({ version: transport?.name ?? "" }));
for await (const line of input) {
  const { steps: more } = JSON.parse(line);
  if (more === 0) console.log(JSON.stringify({ bytesPerStep: bytes / steps }));
  else {
    if (steps === 0) bytes = 0; // what was sent to begin with
    steps += more;
    console.log(JSON.stringify(await peer.train(more)));
  }
}
await peer.close();
await leader?.end(0);
Deno.exit(0);
