"""Hugging Face's datasets and tokenizers as one of the measured ways of preparing a corpus, in two processes.

Driven over standard input and output by lines of JSON. First comes {"files": [...], "tokenizer": path, "folder": path,
"processes": n}; the answer is a line with the versions. Then every line is answered by {"seconds": ..., "documents":
..., "tokens": ...} after the corpus was prepared once, from nothing: the files are read into an Arrow table, tokenised
in batches, shuffled, and written in that order. The caches lie in the folder and are removed before each pass. End of
input ends the process.
"""

import json
import os
import shutil
import sys
import time

for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_DATASETS_DISABLE_PROGRESS_BARS", "HF_HUB_DISABLE_TELEMETRY"):
    os.environ[name] = "1"
# Each process has one thread: together they have as many as there are processes.
os.environ["TOKENIZERS_PARALLELISM"] = "false"

try:
    import datasets
    import numpy
    import tokenizers
    import zstandard  # noqa: F401, datasets reads .zst by it
except ImportError as error:
    print(json.dumps({"unavailable": f"{sys.executable}: {error}"}), flush=True)
    sys.exit(0)


def prepare(task, tokenizer, cache, output):
    processes = task["processes"]
    # Without offsets, which nobody needs here.
    encode = getattr(tokenizer, "encode_batch_fast", tokenizer.encode_batch)
    end = tokenizer.token_to_id("<|endoftext|>")

    def tokens(batch):
        encodings = encode(batch["text"], add_special_tokens=False)
        return {"tokens": [numpy.array(encoding.ids + [end], dtype=numpy.uint16) for encoding in encodings]}

    corpus = datasets.load_dataset(
        "json", data_files=task["files"], split="train", cache_dir=cache, num_proc=processes
    )
    features = datasets.Features({"tokens": datasets.Sequence(datasets.Value("uint16"))})
    tokenised = corpus.map(
        tokens, batched=True, num_proc=processes, remove_columns=corpus.column_names, features=features
    )
    tokenised.shuffle(seed=1234).save_to_disk(output, num_proc=processes)
    return output


def count(output):
    documents = datasets.load_from_disk(output).with_format("arrow")
    tokens = sum(len(batch["tokens"].combine_chunks().flatten()) for batch in documents.iter(batch_size=10000))
    return {"documents": len(documents), "tokens": tokens}


def main():
    task = json.loads(sys.stdin.readline())
    datasets.disable_progress_bars()
    tokenizer = tokenizers.Tokenizer.from_file(task["tokenizer"])
    versions = f"datasets {datasets.__version__}, tokenizers {tokenizers.__version__}"
    print(json.dumps({"versions": versions}), flush=True)
    cache, output = os.path.join(task["folder"], "cache"), os.path.join(task["folder"], "output")
    for _ in sys.stdin:
        for folder in (cache, output):
            shutil.rmtree(folder, ignore_errors=True)
        start = time.perf_counter()
        prepare(task, tokenizer, cache, output)
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, **count(output)}), flush=True)


if __name__ == "__main__":
    main()
