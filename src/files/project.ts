/** Where the project's own files are: kernels, experiments, lockfiles. Web-standard APIs only. */

/** The project's folder, wherever the code came from. */
export const PROJECT: URL = new URL("../../", import.meta.url);

/** The same as a path, without a slash at its end. */
export const PROJECT_FOLDER: string = decodeURIComponent(PROJECT.pathname).replace(/(?<=.)\/$/, "");
