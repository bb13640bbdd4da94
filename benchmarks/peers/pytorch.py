"""PyTorch on the CPU as one of the measured trainers: GPT-NeoX and AdamW in f32, eager mode.

With "ranks" in the task, as many processes share each batch by DistributedDataParallel over gloo, each pinned to a core.

Driven over standard input and output. First comes a line of JSON, the task (see pytorch.ts), then its weights as raw
little-endian f32 and its batches as raw u16; the answer is a line with the version. Then every line {"steps": n} is
answered by a line {"seconds": ..., "losses": [...]}. End of input ends the process.
"""

import json
import os
import sys
import tempfile
import time

try:
    import torch
    import torch.nn.functional as F
except ImportError as error:
    print(json.dumps({"unavailable": f"{sys.executable} has no PyTorch ({error})"}), flush=True)
    sys.exit(0)


def read_exactly(stream, count):
    data = stream.read(count)
    if len(data) != count:
        raise EOFError(f"expected {count} bytes, found {len(data)}")
    return bytearray(data)


class Model:
    """Forward pass; parameters by Hugging Face's names. B sequences, T tokens, h hidden, d head dimension."""

    def __init__(self, config, parameters):
        self.config = config
        self.parameters = parameters
        self.head_size = config["hiddenSize"] // config["heads"]
        half = int(config["rotaryFraction"] * self.head_size) // 2
        frequencies = config["rotaryBase"] ** (-torch.arange(half, dtype=torch.float64) / half)
        positions = torch.arange(config["sequenceLength"], dtype=torch.float64)
        angles = torch.outer(positions, frequencies)
        self.cosines, self.sines = angles.cos().float(), angles.sin().float()  # (T, half)

    def rotate(self, x):
        """(B, heads, T, d): turns pairs (i, i + half) of the first dimensions."""
        half = self.cosines.shape[1]
        a, b, rest = x.split([half, half, self.head_size - 2 * half], dim=-1)
        return torch.cat((a * self.cosines - b * self.sines, b * self.cosines + a * self.sines, rest), dim=-1)

    def linear(self, x, name):
        return F.linear(x, self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"])

    def layer_norm(self, x, name):
        weight, bias = self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"]
        return F.layer_norm(x, weight.shape, weight, bias, self.config["layerNormEpsilon"])

    def attend(self, x, name):
        batch, length, hidden = x.shape
        fused = self.linear(x, f"{name}.query_key_value")
        fused = fused.view(batch, length, self.config["heads"], 3 * self.head_size).transpose(1, 2)
        query, key, value = fused.split(self.head_size, dim=-1)
        output = F.scaled_dot_product_attention(self.rotate(query), self.rotate(key), value, is_causal=True)
        return self.linear(output.transpose(1, 2).reshape(batch, length, hidden), f"{name}.dense")

    def loss(self, inputs, targets):
        """Mean cross-entropy; inputs and targets (B, T)."""
        x = F.embedding(inputs, self.parameters["gpt_neox.embed_in.weight"])
        for layer in range(self.config["layers"]):
            prefix = f"gpt_neox.layers.{layer}"
            attention = self.attend(self.layer_norm(x, f"{prefix}.input_layernorm"), f"{prefix}.attention")
            hidden = self.linear(self.layer_norm(x, f"{prefix}.post_attention_layernorm"), f"{prefix}.mlp.dense_h_to_4h")
            x = x + attention + self.linear(F.gelu(hidden), f"{prefix}.mlp.dense_4h_to_h")
        logits = F.linear(self.layer_norm(x, "gpt_neox.final_layer_norm"), self.parameters["embed_out.weight"])
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.reshape(-1))


class Loss(torch.nn.Module):
    """The model as DistributedDataParallel takes it: a module whose parameters it knows."""

    def __init__(self, model, parameters):
        super().__init__()
        self.model = [model]  # hidden from the module: its parameters are listed below
        self.held = torch.nn.ParameterList(parameters.values())

    def forward(self, windows):
        return self.model[0].loss(windows[:, :-1], windows[:, 1:])


def join(ranks):
    """Starts the other ranks as copies of this process, before it has threads; the number of this one."""
    meeting = os.path.join(tempfile.mkdtemp(), "meeting")
    rank = next((other for other in range(1, ranks) if os.fork() == 0), 0)
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[rank % len(cores)]})
    torch.distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=ranks)
    return rank


def main():
    stream = sys.stdin.buffer
    task = json.loads(stream.readline())
    ranks = task.get("ranks", 1)
    torch.set_num_threads(task["threads"])
    shapes = task["parameters"]
    count = sum(shape["size"] for shape in shapes)
    weights = torch.frombuffer(read_exactly(stream, 4 * count), dtype=torch.float32)
    parameters = {
        shape["name"]: weights[shape["offset"] : shape["offset"] + shape["size"]]
        .view(shape["shape"])
        .clone()
        .requires_grad_()
        for shape in shapes
    }
    width = task["model"]["sequenceLength"] + 1
    batches = [
        torch.frombuffer(read_exactly(stream, 2 * task["batchSequences"] * width), dtype=torch.uint16)
        .to(torch.int64)
        .view(-1, width)
        for _ in range(task["batches"])
    ]
    options = task["optimizer"]
    rank = join(ranks) if ranks > 1 else 0
    if ranks > 1:
        parameters = {name: torch.nn.Parameter(tensor.detach()) for name, tensor in parameters.items()}
    model = Model(task["model"], parameters)
    compute = Loss(model, parameters)
    if ranks > 1:
        compute = torch.nn.parallel.DistributedDataParallel(compute)
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in parameters.values() if p.dim() == 2], "weight_decay": options["weightDecay"]},
            {"params": [p for p in parameters.values() if p.dim() != 2], "weight_decay": 0.0},
        ],
        lr=task["learningRate"],
        betas=(options["beta1"], options["beta2"]),
        eps=options["epsilon"],
        fused=True,
    )
    if rank == 0:
        print(json.dumps({"version": torch.__version__}), flush=True)
    share = task["batchSequences"] // ranks

    step = 0
    while True:
        steps = 0
        if rank == 0:
            line = stream.readline()
            steps = json.loads(line)["steps"] if line else 0
        if ranks > 1:
            told = torch.tensor([steps])
            torch.distributed.broadcast(told, 0)
            steps = int(told.item())
        if steps == 0:
            break
        losses = []
        start = time.perf_counter()
        for _ in range(steps):
            windows = batches[step % len(batches)][rank * share : (rank + 1) * share]
            optimizer.zero_grad(set_to_none=True)
            loss = compute(windows)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters.values(), options["gradientClip"])
            optimizer.step()
            losses.append(loss.detach())
            step += 1
        total = torch.stack(losses)
        if ranks > 1:
            torch.distributed.all_reduce(total)
            total /= ranks
        seconds = time.perf_counter() - start
        if rank == 0:
            print(json.dumps({"seconds": seconds, "losses": total.tolist()}), flush=True)


main()
