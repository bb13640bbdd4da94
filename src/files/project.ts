/** Where the project's own files are: kernels, experiments, lockfiles. Web-standard APIs only. */

/** The project's folder, wherever the code came from. */
export const PROJECT: URL = new URL("../../", import.meta.url);
