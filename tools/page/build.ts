/**
 * The last step of `deno task page`: puts the bundles, the style and what comes along into one file, whose content
 * security policy names its script and its styles by their digests. The same sources give the same bytes.
 */
import { gzipSync } from "node:zlib";
import project from "../../deno.json" with { type: "json" };
import { sha256, sha256Bytes } from "../../src/digest/sha256.ts";
import { writeFileDurably } from "../../src/files/durable.ts";
import { packResources } from "../../src/page/platform/resources.ts";
import { STYLESHEET } from "../../src/report/markup/stylesheet.ts";
import { licencesOf } from "./licences.ts";
import { corpusPackages, pageResources } from "./resources.ts";

/** Where the page is written. */
export const PAGE = "out/verify.html";
const BUNDLES = ".cache/page";
const APP = "src/page/app";

/** Under gzip without a time, and without the system that packed it, in base64. */
function packed(bytes: Uint8Array): string {
  const gzip = new Uint8Array(gzipSync(bytes, { level: 9 }));
  gzip[9] = 0xff;
  return gzip.toBase64();
}

/** A module without imports and exports as a classic script, which may wait at its top all the same. */
function asScript(module: string): string {
  const script = `(async () => {\n${module}\n})();\n`;
  new Function(script); // throws where it is none: it is read, and not run
  return script;
}

function digestForPolicy(text: string): string {
  return `'sha256-${sha256Bytes(new TextEncoder().encode(text)).toBase64()}'`;
}

/** The page. */
export async function verifierPage(): Promise<string> {
  const read = (path: string) => Deno.readTextFile(path);
  const [template, style, app, worker, engine, readable] = await Promise.all([
    read(`${APP}/page.html`),
    read(`${APP}/page.css`),
    read(`${BUNDLES}/app.js`),
    read(`${BUNDLES}/worker.js`),
    read(`${BUNDLES}/engine.js`),
    read(`${BUNDLES}/readable.js`),
  ]);
  for (const [name, text] of [["app.js", app], ["page.css", style]] as const) {
    if (/<\/(script|style)|<!--/i.test(text)) throw new Error(`"${name}" would end its element`);
  }
  const resources = await pageResources(asScript(engine), await licencesOf(readable, await corpusPackages()));
  const policy = [
    "default-src 'none'",
    `script-src ${digestForPolicy(app)} 'wasm-unsafe-eval'`,
    "worker-src blob:",
    `style-src ${digestForPolicy(style)} ${digestForPolicy(STYLESHEET)}`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const parts: Readonly<Record<string, string>> = {
    policy,
    version: project.version,
    worker: packed(new TextEncoder().encode(asScript(worker))),
    resources: packed(packResources(resources)),
  };
  const filled = template.replaceAll(/\{\{(\w+)\}\}/g, (whole, name) => parts[name] ?? whole);
  // What the policy has the digests of stands between the tags as it is, to the byte.
  return [["<style>", style], ['<script type="module">', app]].reduce((page, [tag = "", content = ""]) => {
    if (page.split(tag).length !== 2) throw new Error(`The page has not exactly one "${tag}"`);
    return page.replace(tag, () => tag + content);
  }, filled);
}

if (import.meta.main) {
  const page = await verifierPage();
  await writeFileDurably(PAGE, page);
  console.log(`wrote ${PAGE}, ${new TextEncoder().encode(page).length} bytes, SHA-256 ${sha256(page)}`);
}
