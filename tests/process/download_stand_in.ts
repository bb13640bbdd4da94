/**
 * Serves a folder over HTTP on this machine, in place of the host that TensorFlow.js's install script downloads from:
 * `deno run --allow-read --allow-net=127.0.0.1 download_stand_in.ts FOLDER`. Prints its address, and each path that is
 * asked for.
 */
const [folder = "."] = Deno.args;

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`http://127.0.0.1:${port}`),
}, async (request) => {
  const { pathname } = new URL(request.url);
  console.log(pathname);
  try {
    return new Response(await Deno.readFile(`${folder}/${pathname.slice(pathname.lastIndexOf("/") + 1)}`));
  } catch {
    return new Response(null, { status: 404 });
  }
});
