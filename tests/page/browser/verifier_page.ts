/** The verifier's page in headless Chromium, as a reader uses it: opened as a file, or served by a loopback server. */
import assert from "node:assert/strict";
import { PAGE } from "../../../tools/page/build.ts";
import { Page } from "../../interop/chromium.ts";

export const ROOT = new URL("../../../", import.meta.url);
const PAGE_URL = new URL(PAGE, ROOT);
const TIMEOUT_MS = 60_000;

/** Whether the tests cannot be made here. */

/** How the page is opened: from a disk, from a server, or from one that isolates it from other origins. */
export type Opening = "file" | "served" | "isolated";

/** A step as the page shows it. */
export interface ShownStep {
  readonly name: string;
  readonly mark: string;
  readonly detail: string;
}

/** A page that is open, and what it asked its server for. */
export class VerifierPage implements AsyncDisposable {
  private constructor(
    readonly page: Page,
    readonly url: string,
    /** paths that the server was asked for */
    readonly asked: string[],
    private readonly server: Deno.HttpServer | undefined,
  ) {}

  /** @param serve gives what else the server has, by path */
  static async open(
    opening: Opening,
    { width = 1280, dark = false, query = "", serve }: {
      readonly width?: number;
      readonly dark?: boolean;
      readonly query?: string;
      readonly serve?: (path: string) => Promise<Response>;
    } = {},
  ): Promise<VerifierPage> {
    const asked: string[] = [];
    const server = opening === "file" ? undefined : serveThe(asked, opening === "isolated", serve);
    const url = server === undefined ? PAGE_URL.href : `http://127.0.0.1:${server.addr.port}/verify.html`;
    const shown = new VerifierPage(await Page.open(), url, asked, server);
    await shown.navigate(query, width, dark);
    return shown;
  }

  /** Opens the page anew. */
  async navigate(query = "", width = 1280, dark = false): Promise<void> {
    await this.page.show(this.url + query, width, dark);
    await this.until("document.documentElement.dataset.memory");
  }

  async evaluate(expression: string): Promise<unknown> {
    return await this.page.evaluate(expression);
  }

  /** Waits for an expression to be true. */
  async until(expression: string): Promise<void> {
    const start = performance.now();
    while (!await this.evaluate(`!!(${expression})`)) {
      if (performance.now() - start > TIMEOUT_MS) {
        throw new Error(`In vain: ${expression}\n${await this.evaluate("document.body.innerText.slice(0, 4000)")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  async text(id: string): Promise<string> {
    return String(await this.evaluate(`document.getElementById(${JSON.stringify(id)}).textContent`));
  }

  async isShown(id: string): Promise<boolean> {
    return await this.evaluate(`document.getElementById(${JSON.stringify(id)}).checkVisibility()`) === true;
  }

  async click(id: string): Promise<void> {
    await this.evaluate(`document.getElementById(${JSON.stringify(id)}).click()`);
  }

  async setValue(id: string, value: string): Promise<void> {
    await this.evaluate(`document.getElementById(${JSON.stringify(id)}).value = ${JSON.stringify(value)}`);
  }

  /** Chooses files, or a folder, in one of the page's inputs. */
  async choose(id: string, paths: readonly string[]): Promise<void> {
    const { root } = await this.page.send("DOM.getDocument") as { root: { nodeId: number } };
    const { nodeId } = await this.page.send("DOM.querySelector", { nodeId: root.nodeId, selector: `#${id}` });
    await this.page.send("DOM.setFileInputFiles", { nodeId, files: paths });
  }

  /** Drops files or folders on an element, as from a file manager. */
  async drop(id: string, paths: readonly string[]): Promise<void> {
    const { x, y } = await this.evaluate(`(() => {
      const found = document.getElementById(${JSON.stringify(id)});
      found.scrollIntoView({ block: "center", behavior: "instant" });
      const { x, y, width, height } = found.getBoundingClientRect();
      return { x: x + width / 2, y: y + height / 2 };
    })()`) as { x: number; y: number };
    const data = { items: [], files: paths, dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"]) {
      await this.page.send("Input.dispatchDragEvent", { type, x, y, data });
    }
  }

  /** Waits for a verdict or a problem; gives the one that came. */
  async verdict(): Promise<string> {
    await this.until(
      "!document.getElementById('files').disabled && " +
        "(document.getElementById('verdict').textContent || document.getElementById('problem').textContent)",
    );
    return await this.text("problem") || await this.text("verdict");
  }

  /** Gives files to the page, and waits for the verdict or the problem. */
  async check(...paths: string[]): Promise<string> {
    await this.choose("files", paths);
    return await this.verdict();
  }

  async steps(): Promise<readonly ShownStep[]> {
    return await this.evaluate(`[...document.querySelectorAll("#steps li")].map((row) => ({
      name: row.children[0].textContent, mark: row.children[1].textContent, detail: row.children[2].textContent,
    }))`) as readonly ShownStep[];
  }

  async step(name: string): Promise<ShownStep> {
    const step = (await this.steps()).find((step) => step.name === name);
    if (step === undefined) throw new Error(`There is no step "${name}"`);
    return step;
  }

  /** Retrains, and waits for what came of it. */
  async retrain(count: number, seed = ""): Promise<string> {
    await this.setValue("count", String(count));
    await this.setValue("seed", seed);
    await this.click("retrain");
    await this.until(
      "document.getElementById('outcome').textContent || document.getElementById('problem').textContent",
    );
    return await this.text("outcome") || await this.text("problem");
  }

  /** Addresses that anything in the browser asked for, workers' code out of the page itself left out. */
  requests(): string[] {
    return this.page.events.filter(({ method }) => method === "Network.requestWillBeSent")
      .map(({ params }) => (params?.["request"] as { url: string }).url)
      .filter((url) => !url.startsWith("blob:"));
  }

  /** What the browser complained of. */
  complaints(): string[] {
    return this.page.events.filter(({ method }) =>
      method === "Log.entryAdded" || method === "Runtime.exceptionThrown" || method === "Runtime.consoleAPICalled"
    ).map(({ params }) => JSON.stringify(params));
  }

  /** Nothing was asked for but the page, and nobody complained. */
  assertQuiet(): void {
    assert.deepEqual([...new Set(this.requests())], [this.url]);
    assert.deepEqual(this.asked, this.server === undefined ? [] : ["/verify.html"]);
    assert.deepEqual(this.complaints(), []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page[Symbol.asyncDispose]();
    await this.server?.shutdown();
  }
}

function serveThe(
  asked: string[],
  isIsolated: boolean,
  serve: (path: string) => Promise<Response> = () => Promise.resolve(new Response(null, { status: 404 })),
) {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async ({ url }) => {
    const path = decodeURIComponent(new URL(url).pathname);
    // A browser asks for it of its own accord, whatever the page is.
    if (path === "/favicon.ico") return new Response(null, { status: 404 });
    asked.push(path);
    if (path !== "/verify.html") return await serve(path);
    return new Response(await Deno.readFile(PAGE_URL), {
      headers: {
        "content-type": "text/html",
        ...(isIsolated
          ? { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" }
          : {}),
      },
    });
  });
}
