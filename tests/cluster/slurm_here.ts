/**
 * A real Slurm on this machine's loopback: munge, one controller, and a few node daemons that stand for as many nodes,
 * with GPUs that are only counted. All of it lies in one folder; /etc/slurm is neither read nor written.
 */
import assert from "node:assert/strict";
import { descendants, type Printed, processesThatOpened, runProgram } from "../processes.ts";

const PROGRAMS = [
  "sbatch",
  "squeue",
  "scontrol",
  "scancel",
  "srun",
  "sinfo",
  "/usr/sbin/slurmctld",
  "/usr/sbin/slurmd",
  "/usr/sbin/munged",
];

/** Why there can be no Slurm here; undefined where there can. */
export function whyNoSlurm(): string | undefined {
  if (Deno.build.os !== "linux") return "Slurm needs Linux";
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  const isThere = (program: string) =>
    (program.startsWith("/") ? [program] : folders.map((folder) => `${folder}/${program}`)).some((path) => {
      try {
        return Deno.statSync(path).isFile;
      } catch {
        return false;
      }
    });
  const missing = PROGRAMS.filter((program) => !isThere(program));
  if (missing.length > 0) return `${missing.join(", ")} missing: apt-get install slurm-wlm munge`;
  return Deno.uid() === 0 ? undefined : "slurmd starts jobs as other users: it needs root";
}

function configuration(folder: string, host: string, port: number, nodes: number): string {
  const nodePorts = `[${port + 1}-${port + nodes}]`;
  return `ClusterName=here
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# a requeued job waits so many seconds before it starts again: 120 if nothing is said, 5 at least
AuthInfo=socket=${folder}/munge.socket,cred_expire=5
CredType=cred/munge
# no cgroups: processes are found by their parents
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
# several nodes on one host; what they claim to have is believed
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
# quick: tests wait for the scheduler
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1,sched_min_interval=0,defer_batch
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
KillWait=10
MinJobAge=3600
OverTimeLimit=0
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool-%n
TmpFS=${folder}/tmp-%n
SlurmctldParameters=preempt_send_user_signal
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd-%n.pid
SlurmctldLogFile=${folder}/log/slurmctld.log
SlurmdLogFile=${folder}/log/slurmd-%n.log
GresTypes=gpu
NodeName=n[1-${nodes}] NodeHostname=${host} NodeAddr=127.0.0.1 Port=${nodePorts} CPUs=2 RealMemory=4000 Gres=gpu:1 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=requeue GraceTime=20
PartitionName=urgent Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=20 PreemptMode=off
`;
}

/** A cluster that runs. Dispose of it to end it. */
export class SlurmHere implements AsyncDisposable {
  private constructor(readonly folder: string, readonly nodes: number) {}

  /**
   * Starts one of so many nodes, each with two CPUs and a GPU, in a new folder.
   *
   * @param port of the controller's; node daemons take those after it
   */
  static async start(port: number, nodes = 2): Promise<SlurmHere> {
    const folder = await Deno.makeTempDir({ prefix: "rewarm-slurm-" });
    await Deno.chmod(folder, 0o755);
    for (const name of ["state", "log"]) await Deno.mkdir(`${folder}/${name}`);
    const host = (await runProgram("hostname", ["-s"])).stdout.trim();
    await Deno.writeFile(`${folder}/munge.key`, crypto.getRandomValues(new Uint8Array(128)), { mode: 0o400 });
    await Deno.writeTextFile(`${folder}/slurm.conf`, configuration(folder, host, port, nodes));
    await Deno.writeTextFile(
      `${folder}/gres.conf`,
      `AutoDetect=off\nNodeName=n[1-${nodes}] Name=gpu Count=1 File=/dev/null\n`,
    );
    const cluster = new SlurmHere(folder, nodes);
    try {
      await cluster.need("/usr/sbin/munged", [
        "--force",
        `--key-file=${folder}/munge.key`,
        `--socket=${folder}/munge.socket`,
        `--pid-file=${folder}/munged.pid`,
        `--log-file=${folder}/log/munged.log`,
        `--seed-file=${folder}/munge.seed`,
      ]);
      await cluster.need("/usr/sbin/slurmctld", ["-f", `${folder}/slurm.conf`]);
      for (let node = 1; node <= nodes; node++) await cluster.startNode(`n${node}`);
      await cluster.until("all nodes are idle", async () => {
        const { stdout } = await cluster.run("sinfo", ["-h", "-p", "main", "-t", "idle", "-o", "%D"]);
        return stdout.trim() === `${nodes}`;
      });
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Variables by which Slurm's programs find this cluster. */
  get environment(): Record<string, string> {
    return { SLURM_CONF: `${this.folder}/slurm.conf` };
  }

  /** Runs one of Slurm's programs. */
  run(program: string, args: readonly string[]): Promise<Printed> {
    return runProgram(program, args, { env: this.environment });
  }

  /** The same, where it has to succeed. */
  async need(program: string, args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(program, args);
    if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}: ${stderr}`);
    return stdout;
  }

  /** Starts a node's daemon. */
  async startNode(node: string): Promise<void> {
    for (const kind of ["spool", "tmp"]) await Deno.mkdir(`${this.folder}/${kind}-${node}`, { recursive: true });
    await this.need("/usr/sbin/slurmd", ["-f", `${this.folder}/slurm.conf`, "-N", node]);
  }

  /** Takes a node away with all that runs on it: as when its power fails. */
  async loseNode(node: string): Promise<void> {
    // The daemon and its steps, and nothing of another cluster's, whose jobs have the same numbers.
    const own = await processesThatOpened(`${this.folder}/log/slurmd-${node}.log`);
    assert(own.length > 1, `node ${node} runs nothing`);
    const pids = [...own, ...(await Promise.all(own.map(descendants))).flat()];
    for (const pid of pids) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // ended by itself
      }
    }
    await this.need("scontrol", ["update", `NodeName=${node}`, "State=DOWN", "Reason=lost"]);
  }

  /** State of a job, such as RUNNING; empty where it is not in the queue. */
  async state(job: string): Promise<string> {
    return (await this.run("squeue", ["-h", "-j", job, "-o", "%T"])).stdout.trim();
  }

  /** A fact of a job, as scontrol shows it. */
  async fact(job: string, name: string): Promise<string | undefined> {
    const { stdout } = await this.run("scontrol", ["show", "job", "-o", job]);
    return new RegExp(` ${name}=(\\S*)`).exec(stdout)?.[1];
  }

  /** All jobs in the queue: numbers by their names. */
  async queue(): Promise<Map<string, string>> {
    const { stdout } = await this.run("squeue", ["-h", "-o", "%i|%j"]);
    return new Map(
      stdout.split("\n").filter((line) => line !== "").map((line): [string, string] => {
        const at = line.indexOf("|");
        return [line.slice(at + 1), line.slice(0, at)];
      }),
    );
  }

  /** Waits until something holds. */
  async until(what: string, holds: () => boolean | Promise<boolean>, seconds = 60): Promise<void> {
    for (let waited = 0; waited < seconds; waited += 0.1) {
      if (await holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const { stdout } = await this.run("squeue", ["-o", "%i %T %r %S %R %j"]);
    throw new Error(`${seconds} s have passed, and not yet: ${what}\n${stdout}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run("scancel", ["--user=root"]);
    const daemons = [...Array.from({ length: this.nodes }, (_, i) => `slurmd-n${i + 1}`), "slurmctld", "munged"];
    for (const daemon of daemons) {
      const pid = Number(await Deno.readTextFile(`${this.folder}/${daemon}.pid`).catch(() => ""));
      if (pid > 0) await end(pid);
    }
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function end(pid: number): Promise<void> {
  try {
    Deno.kill(pid, "SIGTERM");
    for (let waited = 0; waited < 5; waited += 0.1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      Deno.kill(pid, "SIGCONT"); // throws where there is none
    }
    Deno.kill(pid, "SIGKILL");
  } catch {
    // it has ended
  }
}
