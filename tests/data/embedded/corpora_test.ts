import { deepEqual, equal, ok } from "node:assert/strict";
import { describeCorpora, openCorpora } from "../../../src/data/corpora.ts";
import { withFolder } from "../../temporary_folder.ts";
import { documentsOf, preparedFolders } from "../fixtures.ts";

/** Of format version 1 of the corpora, sequence length 128 and data seed 1234. */
const GOLDEN = {
  upstream: {
    corpus: "0ae3e49ba70d0710881d60a57975247703c7941c0832aab93f243c8d6098048e",
    firstBatch: "8e91ca93ef17350a2b209948889244dd46bc315d7204ba3f72937b870e7d330a",
    validation: "bb6547d51573b105dcb4ef629d7dcc6eb5043c0648cee059ce62747fa8108100",
  },
  downstream: {
    corpus: "1bcfdd3e4c6a8d470088b27a51a0777b0c16e6b16f91cf3aba361cf122c016f8",
    firstBatch: "fa70bd10602f777ff806f2aaab2182875a916be3c79dd2ce627f7a886a85edf0",
    validation: "6506be842627d231f0ed398112983f9c5e6512bf1c5dc0f9e42a1fe53998cb54",
  },
};

Deno.test("the embedded corpora are 3 : 1 and 1 : 3 mixes without a common document, the same on every machine", () =>
  withFolder(async (folder) => {
    const options = { source: { kind: "npm" }, sequenceLength: 128, cacheFolder: folder } as const;
    const described = await describeCorpora(options);
    const corpora = await openCorpora(options);
    const { upstream, downstream } = corpora;
    for (const name of ["upstream", "downstream"] as const) {
      const corpus = corpora[name];
      const found = {
        corpus: corpus.digest,
        firstBatch: (await corpus.batch(0, 16, 1)).digest,
        validation: (await corpus.validationWindows(128)).digest,
      };
      deepEqual(found, GOLDEN[name]);
      equal(described[name].exact, true);
      equal(described[name].digest, corpus.digest);
      deepEqual(described[name].tokens, corpus.summary.tokens);
      deepEqual(described[name].bytes, corpus.summary.bytes);
      const { train, validation } = corpus.summary.documents;
      ok(Math.abs(validation / (train + validation) - 1 / 20) < 0.003);
    }
    const typescript = {
      up: (upstream.summary.domains["typescript"] ?? 0) * upstream.summary.tokens.train,
      down: (downstream.summary.domains["typescript"] ?? 0) * downstream.summary.tokens.train,
    };
    const node = {
      up: (upstream.summary.domains["node"] ?? 0) * upstream.summary.tokens.train,
      down: (downstream.summary.domains["node"] ?? 0) * downstream.summary.tokens.train,
    };
    ok(Math.abs(typescript.up / (typescript.up + typescript.down) - 3 / 4) < 0.01);
    ok(Math.abs(node.up / (node.up + node.down) - 1 / 4) < 0.01);

    const all = preparedFolders(folder).flatMap((path) => [
      ...documentsOf(path, "train"),
      ...documentsOf(path, "validation"),
    ]);
    equal(all.length, new Set(all).size);
    const { train, validation } = upstream.summary.documents;
    equal(
      all.length,
      train + validation + downstream.summary.documents.train + downstream.summary.documents.validation,
    );
    upstream.close();
    downstream.close();
  }));
