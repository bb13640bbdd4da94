"""Loss and gradient of one batch in float64, from an implementation that shares nothing with the project's, and how far
what an engine found is from them.

Argument: a folder with `gradient.json` (model, parameters, sequences, engines and bounds), `noise.bin` (f32),
`tokens.bin` (u16), and a gradient (f32) for each engine. Prints a JSON list of deviations, or {"unavailable": reason}.
"""

import json
import math
import sys

try:
    import torch
    import torch.nn.functional as F
except ImportError as error:
    print(json.dumps({"unavailable": f"{sys.executable} has no PyTorch ({error})"}))
    sys.exit(0)

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def initial_parameters(shapes, noise):
    """As fillWeights() of task.ts: standard deviation times noise, rounded once to f32."""
    noise = noise.to(DEVICE, torch.float64)
    parameters = {}
    for shape in shapes:
        size, initial = shape["size"], shape["initial"]
        if initial["kind"] == "constant":
            flat = torch.full((size,), float(initial["value"]), dtype=torch.float64, device=DEVICE)
        else:
            places = (shape["offset"] + torch.arange(size, device=DEVICE)) % noise.numel()
            flat = (noise[places] * initial["standardDeviation"]).float().double()
        parameters[shape["name"]] = flat.view(shape["shape"]).requires_grad_()
    return parameters


def loss_of(model, parameters, inputs, targets):
    """Mean cross-entropy of inputs and targets (B, T); x (B, T, h)."""
    batch, length = inputs.shape
    heads, hidden = model["heads"], model["hiddenSize"]
    size = hidden // heads
    half = int(model["rotaryFraction"] * size) // 2
    frequencies = model["rotaryBase"] ** (-torch.arange(half, dtype=torch.float64, device=DEVICE) / half)
    angles = torch.outer(torch.arange(length, dtype=torch.float64, device=DEVICE), frequencies)
    cosines, sines = angles.cos(), angles.sin()
    mask = torch.full((length, length), -math.inf, dtype=torch.float64, device=DEVICE).triu(1)

    def linear(x, name):
        return F.linear(x, parameters[f"{name}.weight"], parameters[f"{name}.bias"])

    def norm(x, name):
        weight, bias = parameters[f"{name}.weight"], parameters[f"{name}.bias"]
        return F.layer_norm(x, (hidden,), weight, bias, model["layerNormEpsilon"])

    def rotate(x):
        a, b, rest = x.split([half, half, size - 2 * half], dim=-1)
        return torch.cat((a * cosines - b * sines, b * cosines + a * sines, rest), dim=-1)

    x = F.embedding(inputs, parameters["gpt_neox.embed_in.weight"])
    for layer in range(model["layers"]):
        prefix = f"gpt_neox.layers.{layer}"
        fused = linear(norm(x, f"{prefix}.input_layernorm"), f"{prefix}.attention.query_key_value")
        fused = fused.view(batch, length, heads, 3, size).permute(3, 0, 2, 1, 4)
        query, key, value = rotate(fused[0]), rotate(fused[1]), fused[2]
        scores = torch.softmax(query @ key.transpose(-1, -2) / math.sqrt(size) + mask, dim=-1)
        attended = (scores @ value).transpose(1, 2).reshape(batch, length, hidden)
        inner = F.gelu(linear(norm(x, f"{prefix}.post_attention_layernorm"), f"{prefix}.mlp.dense_h_to_4h"))
        x = x + linear(attended, f"{prefix}.attention.dense") + linear(inner, f"{prefix}.mlp.dense_4h_to_h")
    logits = F.linear(norm(x, "gpt_neox.final_layer_norm"), parameters["embed_out.weight"])
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1))


def finite(value):
    return value if math.isfinite(value) else None


def main():
    folder = sys.argv[1]
    with open(f"{folder}/gradient.json") as file:
        task = json.load(file)
    model, shapes, sequences = task["model"], task["parameters"], task["sequences"]
    noise = torch.from_file(f"{folder}/noise.bin", size=task["noise"], dtype=torch.float32)
    width = model["sequenceLength"] + 1
    tokens = torch.from_file(f"{folder}/tokens.bin", size=sequences * width, dtype=torch.uint16)
    tokens = tokens.view(sequences, width).to(torch.int64).to(DEVICE)
    parameters = initial_parameters(shapes, noise)
    loss = 0.0
    for sequence in tokens.split(1):
        part = loss_of(model, parameters, sequence[:, :-1], sequence[:, 1:]) / sequences
        part.backward()
        loss += part.item()

    found = []
    for engine in task["engines"]:
        count = sum(shape["size"] for shape in shapes)
        flat = torch.from_file(f"{folder}/{engine['name']}.bin", size=count, dtype=torch.float32).to(DEVICE).double()
        # By what a tensor is, all layers together: one that is wrong in one layer shows.
        groups = {}
        for shape in shapes:
            kind = ".".join(part for part in shape["name"].split(".") if not part.isdigit())
            own = flat[shape["offset"] : shape["offset"] + shape["size"]].view(shape["shape"])
            groups.setdefault(kind, []).append((own, parameters[shape["name"]].grad))
        groups["all"] = [pair for group in list(groups.values()) for pair in group]
        rows = [("loss", abs(engine["loss"] - loss) / loss, abs(engine["loss"] - loss) / loss)]
        for kind, pairs in groups.items():
            difference = math.sqrt(sum(((own - grad) ** 2).sum().item() for own, grad in pairs))
            norm = math.sqrt(sum((grad**2).sum().item() for _, grad in pairs))
            largest = max((own - grad).abs().max().item() for own, grad in pairs)
            most = max(grad.abs().max().item() for _, grad in pairs)
            rows.append((f"gradient of {kind}", difference / norm, largest / most))
        for output, relative, largest in rows:
            bound = engine["lossBound"] if output == "loss" else engine["gradientBound"]
            found.append(
                {
                    "operation": f"whole model, {engine['name']}",
                    "shape": task["shape"],
                    "precision": engine["precision"],
                    "output": output,
                    "relative": finite(relative),
                    "largest": finite(largest),
                    "bound": bound,
                    "passed": relative <= bound,
                }
            )
    print(json.dumps(found))


main()
