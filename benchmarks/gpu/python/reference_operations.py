"""The mixed mode's operations in float64, and how far what the GPU computed is from them.

Argument: a folder with `cases.json` (a list of the CaseFile of case_files.ts) and the arrays' files. Prints a JSON list of
deviations, one for each output, or {"unavailable": reason}.
"""

import json
import math
import sys

try:
    import torch
except ImportError as error:
    print(json.dumps({"unavailable": f"{sys.executable} has no PyTorch ({error})"}))
    sys.exit(0)

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
TYPES = {
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
    "f32": torch.float32,
    "u16": torch.uint16,
    "u32": torch.int32,
}


def matmul_nt(inputs, numbers):
    return {"c": inputs["a"] @ inputs["b"].T + inputs.get("old", 0)}


def matmul_nn(inputs, numbers):
    return {"c": inputs["a"] @ inputs["b"] + inputs.get("old", 0)}


def matmul_tn(inputs, numbers):
    return {"c": inputs["a"].T @ inputs["b"] + inputs.get("old", 0)}


def attention(inputs, numbers):
    """qkv (rows, heads, 3, d), dOutput (rows, heads, d); one window and head at a time, whose square fits everywhere."""
    windows = int(numbers["windows"])
    qkv, d_output = inputs["qkv"], inputs["dOutput"]
    rows, heads, _, d = qkv.shape
    length = rows // windows
    output, gradient = torch.empty_like(d_output), torch.empty_like(qkv)
    log_sums = torch.empty(windows, heads, length, dtype=torch.float64, device=DEVICE)
    hidden = torch.ones(length, length, dtype=torch.bool, device=DEVICE).triu(1)
    for window in range(windows):
        here = slice(window * length, (window + 1) * length)
        for head in range(heads):
            q, k, v = (qkv[here, head, part] for part in range(3))
            d_o = d_output[here, head]
            scores = (q @ k.T / math.sqrt(d)).masked_fill_(hidden, -math.inf)
            sums = torch.logsumexp(scores, 1, keepdim=True)
            p = torch.exp(scores - sums)
            o = p @ v
            d_s = p * (d_o @ v.T - (d_o * o).sum(1, keepdim=True)) / math.sqrt(d)
            output[here, head] = o
            log_sums[window, head] = sums[:, 0] / math.log(2)
            gradient[here, head, 0] = d_s @ k
            gradient[here, head, 1] = d_s.T @ q
            gradient[here, head, 2] = p.T @ d_o
    return {"output": output, "logSums": log_sums, "gradient": gradient}


def layer_norm_pair(inputs, numbers):
    x = inputs["residual"] + inputs["carried"]
    centred = x - x.mean(1, keepdim=True)
    rstds = torch.rsqrt((centred**2).mean(1) + numbers["epsilon"])
    unit = centred * rstds[:, None]
    return {
        "normalized": unit,
        "rstds": rstds,
        "y1": unit * inputs["gain1"] + inputs["shift1"],
        "y2": unit * inputs["gain2"] + inputs["shift2"],
    }


def layer_norm_pair_backward(inputs, numbers):
    unit, dy1, dy2 = inputs["normalized"], inputs["dy1"], inputs["dy2"]
    g = dy1 * inputs["gain1"] + dy2 * inputs["gain2"]
    own = inputs["rstds"][:, None] * (g - g.mean(1, keepdim=True) - unit * (g * unit).mean(1, keepdim=True))
    stream = inputs["stream"] + own
    norm_sums = torch.cat([(dy1 * unit).sum(0), dy1.sum(0), (dy2 * unit).sum(0), dy2.sum(0)])
    return {"dStream": stream, "rounded": stream, "normSums": norm_sums, "streamSums": stream.sum(0)}


def gelu(inputs, numbers):
    x = inputs["hidden"] + inputs["bias"]
    distribution = 0.5 * torch.erfc(-x / math.sqrt(2))
    density = torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    d_hidden = inputs["dActivation"] * (distribution + x * density)
    return {"activation": x * distribution, "dHidden": d_hidden, "dBias": d_hidden.sum(0)}


def turn(x, cosines, sines, direction):
    """x (rows, heads, 3, d), tables (T, half): pairs (i, i + half) of queries and keys."""
    half = cosines.shape[1]
    windows = x.shape[0] // cosines.shape[0]
    cosine, sine = (table.repeat(windows, 1)[:, None, None, :] for table in (cosines, direction * sines))
    a, b = x[:, :, :2, :half], x[:, :, :2, half : 2 * half]
    turned = x.clone()
    turned[:, :, :2, :half] = a * cosine - b * sine
    turned[:, :, :2, half : 2 * half] = b * cosine + a * sine
    return turned


def rotary(inputs, numbers):
    tables = inputs["cosines"], inputs["sines"]
    back = turn(inputs["gradient"], *tables, -1)
    return {"turned": turn(inputs["qkv"] + inputs["bias"], *tables, 1), "turnedBack": back, "dBias": back.sum(0)}


def cross_entropy(inputs, numbers):
    logits, first = inputs["logits"], int(numbers["first"])
    targets = inputs["tokens"][:, 1:].reshape(-1)[first : first + logits.shape[0]]
    rows = torch.arange(logits.shape[0], device=DEVICE)
    gradient = torch.softmax(logits, 1)
    gradient[rows, targets] -= 1
    losses = torch.logsumexp(logits, 1) - logits[rows, targets]
    return {"losses": losses, "gradient": gradient * numbers["weight"]}


def embedding(inputs, numbers):
    tokens = inputs["tokens"][:, :-1].reshape(-1)
    return {
        "residual": inputs["table"][tokens],
        "dTable": inputs["gradient"].index_add(0, tokens, inputs["stream"]),
    }


def adamw(inputs, numbers):
    gradient = inputs["gradient"] / numbers["divisor"]
    norm = gradient.norm()
    gradient = gradient * min(1.0, numbers["gradientClip"] / (norm.item() + 1e-6))
    beta1, beta2, rate, t = numbers["beta1"], numbers["beta2"], numbers["learningRate"], numbers["step"] + 1
    first = beta1 * inputs["firstMoments"] + (1 - beta1) * gradient
    second = beta2 * inputs["secondMoments"] + (1 - beta2) * gradient**2
    direction = first / (1 - beta1**t) / (torch.sqrt(second / (1 - beta2**t)) + numbers["epsilon"])
    weights = inputs["weights"] * (1 - rate * numbers["weightDecay"] * inputs["decayed"]) - rate * direction
    return {
        "newWeights": weights,
        "newFirstMoments": first,
        "newSecondMoments": second,
        "rounded": weights,
    }


OPERATIONS = {
    function.__name__: function
    for function in (
        matmul_nt, matmul_nn, matmul_tn, attention, layer_norm_pair, layer_norm_pair_backward, gelu, rotary,
        cross_entropy, embedding, adamw,
    )
}


def read(folder, array):
    """An array as float64, or its integers."""
    data = torch.from_file(f"{folder}/{array['file']}", size=math.prod(array["shape"]), dtype=TYPES[array["type"]])
    data = data.view(array["shape"])
    # A GPU need not know unsigned integers, nor the CPU be asked for everything else.
    return data.to(torch.int64).to(DEVICE) if array["type"].startswith("u") else data.to(DEVICE).double()


def finite(value):
    return value if math.isfinite(value) else None


def deviations(folder, case):
    inputs = {name: read(folder, array) for name, array in case["inputs"].items()}
    expected = OPERATIONS[case["operation"]](inputs, case["numbers"])
    for name, array in case["outputs"].items():
        actual, reference = read(folder, array), expected[name].reshape(array["shape"])
        difference = actual - reference
        relative = (difference.norm() / reference.norm()).item()
        largest = (difference.abs().max() / reference.abs().max()).item()
        yield {
            "operation": case["title"],
            "shape": case["shape"],
            "precision": case["precision"],
            "output": name,
            "relative": finite(relative),
            "largest": finite(largest),
            "bound": array["bound"],
            "passed": relative <= array["bound"],
        }


def main():
    folder = sys.argv[1]
    with open(f"{folder}/cases.json") as file:
        cases = json.load(file)
    print(json.dumps([deviation for case in cases for deviation in deviations(folder, case)]))


main()
