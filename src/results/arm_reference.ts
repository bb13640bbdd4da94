/** How the files of experiments and of the paper name an arm: `max-learning-rate/1x`. */
import { z } from "zod";

/** An arm of an experiment: `EXPERIMENT/ARM`. */
export const armReference = z.string().regex(/^[a-z0-9-]{1,60}\/[A-Za-z0-9.%-]{1,60}$/);
