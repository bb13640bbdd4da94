/** This machine, as the notes of the runs that it trains name it. */
import type { EngineDescription } from "../engine/engine.ts";
import { thisProcess } from "../locks/lock_owner.ts";
import { schedulerJob } from "../locks/scheduler_job.ts";
import { describeEnvironment } from "../manifest/format/environment.ts";
import { Deadline } from "../train/deadline.ts";
import type { TrainerFacts } from "../train/folder/trained_by.ts";

/** Describes the machine, the engine and the scheduler's job of this process. */
export function thisTrainer({ name, description, machine }: EngineDescription): TrainerFacts {
  const { os, architecture, cpu, gpu, deno } = describeEnvironment({ threads: 0, ...machine });
  const { host, job } = thisProcess();
  return {
    host,
    job,
    os,
    architecture,
    cpu,
    gpu,
    deno,
    engine: { name, description },
  };
}

/** The end of the scheduler's job that this process belongs to; undefined where there is none. */
export function jobDeadline(): Deadline | undefined {
  const endsAt = schedulerJob()?.endsAt;
  return endsAt === undefined ? undefined : new Deadline(endsAt);
}
