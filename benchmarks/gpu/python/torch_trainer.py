"""PyTorch as a measured trainer on a GPU: Hugging Face's GPT-NeoX, bf16 autocast, SDPA, torch.compile, fused AdamW.

Driven over standard input and output, a line of JSON each way. First comes the task (see peers.ts), whose answer is
{"version", "facts", "microBatchSequences"} or {"unavailable": reason}; then every {"steps": n} is answered by
{"seconds", "losses"}, and {"memory": true} by {"bytes"}, the peak of allocations. End of input ends the process.

Where Hugging Face or PyTorch would do worse than they can, they are helped:
- the causal mask is left to SDPA (is_causal), whose flash attention needs no mask: with torch.compile, GPT-NeoX would
  otherwise hand over a mask as a tensor, and get a slower kernel;
- tokens lie on the device before the clock starts; losses are read after it stopped.
"""

import json
import sys
import time

try:
    import torch
    import torch.nn.functional as F
    import transformers
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM
    from transformers.models.gpt_neox import modeling_gpt_neox
except ImportError as error:
    print(json.dumps({"unavailable": f"{sys.executable} lacks PyTorch or Transformers ({error})"}), flush=True)
    sys.exit(0)

CUDA = torch.cuda.is_available()
DEVICE = torch.device("cuda" if CUDA else "cpu")


def build(task, noise):
    """The model with the task's weights: element i is its tensor's standard deviation times noise[i], rounded once."""
    shape = task["model"]
    rotary = {"rope_type": "default", "rope_theta": float(shape["rotaryBase"])}
    config = GPTNeoXConfig(
        vocab_size=shape["vocabularySize"],
        hidden_size=shape["hiddenSize"],
        num_hidden_layers=shape["layers"],
        num_attention_heads=shape["heads"],
        intermediate_size=shape["intermediateSize"],
        max_position_embeddings=shape["sequenceLength"],
        layer_norm_eps=shape["layerNormEpsilon"],
        hidden_act="gelu",
        use_parallel_residual=True,
        attention_bias=True,
        tie_word_embeddings=False,
        use_cache=False,
        rope_parameters={**rotary, "partial_rotary_factor": shape["rotaryFraction"]},
        attn_implementation="sdpa",
    )
    modeling_gpt_neox.create_causal_mask = lambda *args, **kwargs: None
    with DEVICE:
        model = GPTNeoXForCausalLM(config).float().train()
    pairs = model.gpt_neox.rotary_emb.inv_freq.numel()
    half = int(shape["rotaryFraction"] * shape["hiddenSize"] // shape["heads"]) // 2
    if pairs != half:
        raise ValueError(f"this version of Transformers rotates {pairs} pairs of a head, not {half}")
    noise = noise.to(DEVICE)
    # Some versions of Transformers call the output head lm_head, though checkpoints have it as embed_out.
    parameters = {name.replace("lm_head.", "embed_out."): own for name, own in model.named_parameters()}
    if set(parameters) != {parameter["name"] for parameter in task["parameters"]}:
        raise ValueError("this version of Transformers has other parameters")
    with torch.no_grad():
        for parameter in task["parameters"]:
            target, initial = parameters[parameter["name"]], parameter["initial"]
            if initial["kind"] == "constant":
                target.fill_(initial["value"])
                continue
            places = (parameter["offset"] + torch.arange(parameter["size"], device=DEVICE)) % noise.numel()
            target.copy_((noise[places].double() * initial["standardDeviation"]).float().view(target.shape))
    return model


class Trainer:
    def __init__(self, task):
        noise = torch.from_file(task["noise"]["file"], size=task["noise"]["length"], dtype=torch.float32)
        self.sequences = task["batchSequences"]
        width = task["model"]["sequenceLength"] + 1
        tokens = torch.from_file(task["tokens"]["file"], size=task["tokens"]["length"], dtype=torch.uint16)
        self.batches = tokens.view(-1, self.sequences, width).to(torch.int64).to(DEVICE)
        self.model = build(task, noise)
        self.clip = task["optimizer"]["gradientClip"]
        options = task["optimizer"]
        parameters = list(self.model.parameters())
        self.optimizer = torch.optim.AdamW(
            [
                {"params": [p for p in parameters if p.dim() == 2], "weight_decay": options["weightDecay"]},
                {"params": [p for p in parameters if p.dim() != 2], "weight_decay": 0.0},
            ],
            lr=task["learningRate"],
            betas=(options["beta1"], options["beta2"]),
            eps=options["epsilon"],
            fused=True,
        )
        self.mode = task["mode"]
        loss_of = self.loss_of
        self.compiled = loss_of if self.mode == "eager" else torch.compile(loss_of, mode=self.mode, dynamic=False)
        self.step = 0

    def loss_of(self, inputs, targets):
        with torch.autocast(DEVICE.type, torch.bfloat16):
            logits = self.model(input_ids=inputs).logits
            return F.cross_entropy(logits.view(-1, logits.shape[-1]).float(), targets.reshape(-1))

    def accumulate(self, windows, micro_batch):
        """The batch's mean loss; its gradient in the parameters."""
        total = torch.zeros((), device=DEVICE)
        parts = self.sequences // micro_batch
        for window in windows.split(micro_batch):
            if self.mode == "reduce-overhead":
                torch.compiler.cudagraph_mark_step_begin()
            loss = self.compiled(window[:, :-1].contiguous(), window[:, 1:].contiguous()) / parts
            loss.backward()
            total += loss.detach()
        return total

    def find_micro_batch(self, wanted):
        """The largest that fits, of the wanted one and its halves; compiles on the way."""
        while True:
            try:
                self.accumulate(self.batches[0], wanted)
                self.optimizer.zero_grad(set_to_none=True)
                synchronize()
                return wanted
            except torch.OutOfMemoryError:
                if wanted == 1:
                    raise
            self.optimizer.zero_grad(set_to_none=True)
            torch.cuda.empty_cache()
            wanted //= 2

    def train(self, steps):
        losses = []
        synchronize()
        start = time.perf_counter()
        for _ in range(steps):
            losses.append(self.accumulate(self.batches[self.step % len(self.batches)], self.micro_batch))
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.clip, foreach=True)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            self.step += 1
        synchronize()
        return {"seconds": time.perf_counter() - start, "losses": [loss.item() for loss in losses]}


def synchronize():
    if CUDA:
        torch.cuda.synchronize()


def answer(message):
    print(json.dumps(message), flush=True)


def main():
    torch.set_float32_matmul_precision("high")
    task = json.loads(sys.stdin.readline())
    trainer = Trainer(task)
    trainer.micro_batch = trainer.find_micro_batch(task["microBatchSequences"])
    answer(
        {
            "version": torch.__version__,
            "microBatchSequences": trainer.micro_batch,
            "facts": {
                "PyTorch": torch.__version__,
                "Transformers": transformers.__version__,
                "CUDA": str(torch.version.cuda),
                "torch.compile": task["mode"],
                "precision": "bf16 autocast, f32 weights",
            },
        }
    )
    for line in sys.stdin:
        request = json.loads(line)
        if "memory" in request:
            answer({"bytes": torch.cuda.max_memory_allocated() if CUDA else 0})
        else:
            answer(trainer.train(request["steps"]))


main()
