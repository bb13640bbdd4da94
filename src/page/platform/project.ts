/** The project's folder stands for what came along in the page: takes the place of `src/files/project.ts`. */

/** No address that anything is fetched from. */
export const PROJECT: URL = new URL("page:///");

/** The same as text. */
export const PROJECT_FOLDER: string = PROJECT.href;
