"""Hugging Face's tokenizers (Rust) as one of the measured tokenizers, on one thread.

Driven over standard input and output by lines of JSON. First comes {"tokenizer": path, "texts": [...]}; the answer is a
line with the version. Then every line is answered by a line {"seconds": ..., "sha256": ...} after all texts were
encoded once; the digest is that of all ids as little-endian u16, and not timed. End of input ends the process.
"""

import hashlib
import json
import os
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"

try:
    import tokenizers
except ImportError as error:
    print(json.dumps({"unavailable": f"{sys.executable} has no tokenizers ({error})"}), flush=True)
    sys.exit(0)


def main():
    task = json.loads(sys.stdin.readline())
    tokenizer = tokenizers.Tokenizer.from_file(task["tokenizer"])
    texts = task["texts"]
    # Without offsets, which nobody needs here.
    encode = getattr(tokenizer, "encode_batch_fast", tokenizer.encode_batch)
    print(json.dumps({"version": tokenizers.__version__}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        encodings = encode(texts, add_special_tokens=False)
        seconds = time.perf_counter() - start
        digest = hashlib.sha256()
        for encoding in encodings:
            digest.update(b"".join(token.to_bytes(2, "little") for token in encoding.ids))
        print(json.dumps({"seconds": seconds, "sha256": digest.hexdigest()}), flush=True)


main()
