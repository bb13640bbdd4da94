/** What every scheduler of containers is told of a launch. */
import type { PinnedImage } from "./image.ts";

/** Workers of one plan, each in a container. */
export interface ContainerLaunch {
  /** of the job, as the scheduler takes it */
  readonly name: string;
  readonly image: PinnedImage;
  /** output folder in the container */
  readonly output: string;
  /** words for a worker */
  readonly words: readonly string[];
  /** words that determine the plan, for the one who writes it */
  readonly planWords: readonly string[];
}
