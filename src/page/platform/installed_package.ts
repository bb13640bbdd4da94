/** The packages whose text came along in the page: takes the place of `src/data/embedded/installed_package.ts`. */
import type { InstalledPackage } from "../../data/embedded/installed_package.ts";
import { UserError } from "../../errors.ts";
import { PACKAGES, resource, resourcePaths } from "./resources.ts";

/** @throws {UserError} `PACKAGE_NOT_FOUND`, `FILE_TOO_LARGE` */
export function installedPackage(name: string): Promise<InstalledPackage> {
  return Promise.resolve().then(() => {
    const folder = `${PACKAGES}${name}/`;
    const paths = resourcePaths(folder).map((path) => path.slice(folder.length));
    if (paths.length === 0) {
      throw new UserError(
        "PACKAGE_NOT_FOUND",
        `The text of the npm package "${name}" did not come along in this page`,
        "give the files that were trained on, or retrain in a terminal",
      );
    }
    const { version } = JSON.parse(new TextDecoder().decode(resource(`${folder}package.json`))) as { version: string };
    return {
      version,
      paths,
      read: (path, maxBytes) => {
        const bytes = resource(folder + path);
        if (bytes.length <= maxBytes) return Promise.resolve(bytes);
        return Promise.reject(new UserError("FILE_TOO_LARGE", `"${path}" has more than ${maxBytes} bytes`));
      },
    };
  });
}
