"""PyTorch's side of train-step.mjs: trains the graph in a folder, a round of steps per line of input.

graph.json holds nodes and tensor places as train-step.mjs wrote them; data.bin all floats. For each
line on standard input one round of steps is run from where the last one ended; the answer is a line
of JSON with the losses and the milliseconds of each step. Arguments: the folder, float32 or float64.
"""

import json
import sys
import time

import numpy
import torch
import torch.nn.functional as F


def attribute(node, name, default):
    return node["attributes"].get(name, {"value": default})["value"]


class Net:
    def __init__(self, folder, dtype):
        with open(f"{folder}/graph.json") as file:
            self.spec = json.load(file)
        raw = torch.from_numpy(numpy.fromfile(f"{folder}/data.bin", dtype=numpy.float32))
        self.values = {}
        for t in self.spec["tensors"]:
            count = 1
            for d in t["dims"]:
                count *= d
            value = raw[t["offset"] : t["offset"] + count].to(dtype, copy=True).reshape(t["dims"])
            if t["role"] == "int":
                value = value.long()
            self.values[t["name"]] = value
        self.parameters = {
            t["name"]: self.values[t["name"]].requires_grad_(True)
            for t in self.spec["tensors"]
            if t["role"] == "weight"
        }

    def forward(self, image):
        values = dict(self.values, image=image)
        for node in self.spec["nodes"]:
            inputs = [values[name] if name else None for name in node["inputs"]]
            values[node["outputs"][0]] = self.run(node, inputs)
        return values[self.spec["output"]]

    def run(self, node, x):
        op = node["op"]
        if op == "Conv":
            pads = attribute(node, "pads", [0, 0, 0, 0])
            return F.conv2d(
                x[0],
                x[1],
                x[2] if len(x) > 2 else None,
                attribute(node, "strides", [1, 1]),
                pads[:2],
                attribute(node, "dilations", [1, 1]),
                attribute(node, "group", 1),
            )
        if op == "BatchNormalization":
            return F.batch_norm(x[0], x[3], x[4], x[1], x[2], True, 0.1, attribute(node, "epsilon", 1e-5))
        if op == "LayerNormalization":
            return F.layer_norm(x[0], x[1].shape, x[1], x[2], attribute(node, "epsilon", 1e-5))
        if op == "MaxPool":
            return F.max_pool2d(x[0], attribute(node, "kernel_shape", None), attribute(node, "strides", [1, 1]))
        if op == "Gemm":
            return F.linear(x[0], x[1], x[2])
        if op == "MatMul":
            return torch.matmul(x[0], x[1])
        if op == "Clip":
            return F.hardtanh(x[0], float(x[1]), float(x[2]))
        if op == "GlobalAveragePool":
            return F.adaptive_avg_pool2d(x[0], 1)
        if op == "Flatten":
            return torch.flatten(x[0], 1)
        if op == "Transpose":
            return x[0].permute(attribute(node, "perm", None))
        plain = {
            "Relu": torch.relu,
            "Sigmoid": torch.sigmoid,
            "HardSwish": F.hardswish,
            "HardSigmoid": F.hardsigmoid,
            "Erf": torch.erf,
            "Add": torch.add,
            "Mul": torch.mul,
            "Div": torch.div,
        }
        return plain[op](*x)


def main():
    folder = sys.argv[1]
    net = Net(folder, getattr(torch, sys.argv[2]))
    recipe = net.spec["recipe"]
    torch.set_num_threads(net.spec["threads"])
    decayed = [p for p in net.parameters.values() if p.dim() > 1]
    plain = [p for p in net.parameters.values() if p.dim() <= 1]
    groups = [
        {"params": decayed, "weight_decay": recipe["weightDecay"]},
        {"params": plain, "weight_decay": 0.0},
    ]
    if recipe["optimizer"] == "sgd":
        optimizer = torch.optim.SGD(
            groups, lr=0.1, momentum=recipe["momentum"], nesterov=recipe["nesterov"]
        )
    else:
        optimizer = torch.optim.AdamW(
            groups, lr=0.1, betas=(recipe["beta1"], recipe["beta2"]), eps=recipe["epsilon"]
        )
    images = net.values["images"]
    labels = net.values["labels"]
    batch = recipe["batch"]
    everything = decayed + plain
    done = 0
    for line in sys.stdin:
        losses = []
        times = []
        for _ in range(int(line)):
            start = time.perf_counter()
            for group in optimizer.param_groups:
                group["lr"] = net.spec["rates"][done % len(net.spec["rates"])]
            first = done * batch % len(labels)
            logits = net.forward(images[first : first + batch])
            target = labels[first : first + batch]
            loss = F.cross_entropy(logits, target, label_smoothing=recipe["labelSmoothing"])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            if recipe["clipNorm"] > 0:
                torch.nn.utils.clip_grad_norm_(everything, recipe["clipNorm"])
            optimizer.step()
            losses.append(loss.item())
            times.append(1e3 * (time.perf_counter() - start))
            done += 1
        print(json.dumps({"losses": losses, "stepMs": times}), flush=True)


main()
