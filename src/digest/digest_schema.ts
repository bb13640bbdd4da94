/** A digest in a file that is not trusted. */
import { z } from "zod";
import type { Digest } from "./sha256.ts";

/** 64 lower-case hexadecimal digits. */
export const digestSchema: z.ZodType<Digest> = z.string().regex(/^[0-9a-f]{64}$/, {
  error: "a SHA-256 digest: 64 lower-case hexadecimal digits",
}).meta({ id: "Digest", description: "SHA-256, 64 lower-case hexadecimal digits" }) as unknown as z.ZodType<Digest>;
