/** Headless Chromium by its DevTools protocol, as little of it as the tests need. */
import { withFolder } from "../temporary_folder.ts";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--remote-debugging-port=0",
];

/** What the browser answers or reports. */
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** Whether a Chromium can be started. */
async function hasChromium(): Promise<boolean> {
  try {
    return (await new Deno.Command("chromium", { args: ["--version"], stdout: "null", stderr: "null" }).output())
      .success;
  } catch {
    return false;
  }
}

/** Whether there is no Chromium: what needs one is skipped. */
export const noChromium: boolean = !(await hasChromium());

/** A test that drives a browser, with a folder of its own. */
export function chromiumTest(name: string, use: (folder: string) => Promise<void>): void {
  Deno.test({
    name: name + (noChromium ? " (skipped: no chromium)" : ""),
    ignore: noChromium,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: () => withFolder(use),
  });
}

/** A page in a browser of its own. */
export class Page implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<Record<string, unknown>>>();
  /** everything that the browser reported on its own */
  readonly events: Message[] = [];
  #next = 1;

  private constructor(process: Deno.ChildProcess, profile: string, socket: WebSocket) {
    this.#process = process;
    this.#profile = profile;
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(String(data)) as Message;
      if (message.id === undefined) this.events.push(message);
      else if (message.error !== undefined) this.#waiting.get(message.id)?.reject(new Error(message.error.message));
      else this.#waiting.get(message.id)?.resolve(message.result ?? {});
    };
  }

  /** Starts a browser with an empty profile and one page. */
  static async open(): Promise<Page> {
    const profile = await Deno.makeTempDir();
    const args = [...FLAGS, `--user-data-dir=${profile}`, "about:blank"];
    const process = new Deno.Command("chromium", { args, stdout: "null", stderr: "piped" }).spawn();
    const port = await debuggingPort(process.stderr);
    const pages = await (await fetch(`http://127.0.0.1:${port}/json/list`)).json();
    const socket = new WebSocket(pages.find((page: { type: string }) => page.type === "page").webSocketDebuggerUrl);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    const page = new Page(process, profile, socket);
    for (const domain of ["Page", "Log", "Runtime", "Network"]) await page.send(`${domain}.enable`);
    return page;
  }

  /** One command of the protocol. */
  async send(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const id = this.#next++;
    const waiting = Promise.withResolvers<Record<string, unknown>>();
    this.#waiting.set(id, waiting);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return await waiting.promise;
  }

  /** Opens a page at a width in CSS pixels and waits until it is laid out. */
  async show(url: string, width: number, dark = false): Promise<void> {
    await this.send("Emulation.setDeviceMetricsOverride", {
      width,
      height: 900,
      deviceScaleFactor: 1,
      mobile: width < 500,
    });
    await this.send("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }],
    });
    await this.send("Page.navigate", { url });
    await this.evaluate("new Promise((done) => document.readyState === 'complete' ? done(1) : onload = () => done(1))");
  }

  /** The value of an expression in the page. */
  async evaluate(expression: string): Promise<unknown> {
    const { result } = await this.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    return (result as { value?: unknown }).value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    this.#process.kill("SIGKILL");
    await this.#process.status;
    await Deno.remove(this.#profile, { recursive: true }).catch(() => {});
  }
}

/** The port that Chromium announces on its standard error. */
async function debuggingPort(stderr: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stderr.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (true) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`Chromium did not start: ${text}`);
    text += value;
    const port = /ws:\/\/127\.0\.0\.1:(\d+)\//.exec(text)?.[1];
    if (port === undefined) continue;
    // The rest of what it says is drained, so that it never waits for a reader.
    (async () => {
      while (!(await reader.read()).done);
    })().catch(() => {});
    return port;
  }
}
