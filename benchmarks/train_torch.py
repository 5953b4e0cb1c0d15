"""PyTorch's side of train-step.mjs: trains the graph in a folder, a round of steps per line of input.

graph.json holds nodes and tensor places as train-step.mjs wrote them; data.bin all floats. For each
line on standard input one round of steps is run from where the last one ended; the answer is a line
of JSON with the losses and the milliseconds of each step. Arguments: the folder, float32 or float64.

With a third argument `memory` it prints instead the most resident bytes while the optimiser is built
and three steps run, above what was resident before, with the library loaded and weights and batches
in memory (Linux); with `profile`, PyTorch's own table of operators; with `accuracy`, for
train-accuracy.mjs, the losses of one round and the share of test rows that are right after it.
"""

import json
import sys
import time

import numpy
import torch
import torch.nn.functional as F


def attribute(node, name, default):
    return node["attributes"].get(name, {"value": default})["value"]


# PyTorch 2 computes attention in one kernel.
SDPA = getattr(F, "scaled_dot_product_attention", None)


def resident(field):
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(field + ":"):
                return 1024 * int(line.split()[1])


class Net:
    def __init__(self, folder, dtype):
        with open(f"{folder}/graph.json") as file:
            self.spec = json.load(file)
        raw = torch.from_numpy(numpy.fromfile(f"{folder}/data.bin", dtype=numpy.float32))
        self.training = True
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
            return F.batch_norm(x[0], x[3], x[4], x[1], x[2], self.training, 0.1, attribute(node, "epsilon", 1e-5))
        if op == "LayerNormalization":
            return F.layer_norm(x[0], x[1].shape, x[1], x[2], attribute(node, "epsilon", 1e-5))
        if op == "MaxPool":
            return F.max_pool2d(x[0], attribute(node, "kernel_shape", None), attribute(node, "strides", [1, 1]))
        if op == "Gemm":
            return F.linear(x[0], x[1], x[2])
        if op == "MatMul":
            return torch.matmul(x[0], x[1])
        if op == "Linear":
            return F.linear(x[0], x[1].t(), x[2])
        if op == "Attention":
            # SDPA takes keys as rows; the graph has them as columns.
            scale = attribute(node, "scale", None)
            if SDPA is not None:
                return SDPA(x[0], x[1].transpose(-1, -2), x[2], scale=scale)
            return torch.matmul(torch.softmax(torch.matmul(x[0], x[1]) * scale, -1), x[2])
        if op == "Reshape":
            dims = [d or x[0].shape[i] for i, d in enumerate(x[1].tolist())]
            return torch.reshape(x[0], dims)
        if op == "ReduceMean":
            return torch.mean(x[0], attribute(node, "axes", None), attribute(node, "keepdims", 1) == 1)
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
            "Gelu": F.gelu,
            "Add": torch.add,
            "Mul": torch.mul,
            "Div": torch.div,
        }
        return plain[op](*x)


class Trainer:
    def __init__(self, net):
        self.net = net
        recipe = net.spec["recipe"]
        parameters = net.parameters.values()
        self.parameters = [p for p in parameters if p.dim() > 1]
        plain = [p for p in parameters if p.dim() <= 1]
        groups = [
            {"params": self.parameters, "weight_decay": recipe["weightDecay"]},
            {"params": plain, "weight_decay": 0.0},
        ]
        self.parameters = self.parameters + plain
        if recipe["optimizer"] == "sgd":
            self.optimizer = torch.optim.SGD(
                groups, lr=0.1, momentum=recipe["momentum"], nesterov=recipe["nesterov"]
            )
        else:
            self.optimizer = torch.optim.AdamW(
                groups, lr=0.1, betas=(recipe["beta1"], recipe["beta2"]), eps=recipe["epsilon"]
            )
        self.done = 0

    def step(self):
        spec, recipe = self.net.spec, self.net.spec["recipe"]
        images, labels = self.net.values["images"], self.net.values["labels"]
        for group in self.optimizer.param_groups:
            group["lr"] = spec["rates"][self.done % len(spec["rates"])]
        first = self.done * recipe["batch"] % len(labels)
        logits = self.net.forward(images[first : first + recipe["batch"]])
        target = labels[first : first + recipe["batch"]]
        loss = F.cross_entropy(logits, target, label_smoothing=recipe["labelSmoothing"])
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if recipe["clipNorm"] > 0:
            torch.nn.utils.clip_grad_norm_(self.parameters, recipe["clipNorm"])
        self.optimizer.step()
        self.done += 1
        return loss.item()


def rounds(trainer):
    for line in sys.stdin:
        losses = []
        times = []
        for _ in range(int(line)):
            start = time.perf_counter()
            losses.append(trainer.step())
            times.append(1e3 * (time.perf_counter() - start))
        print(json.dumps({"losses": losses, "stepMs": times}), flush=True)


def warm_up():
    """A step of the smallest net: what a library sets up once is no part of a step's memory."""
    layer = torch.nn.Linear(4, 10)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9)
    for _ in range(2):
        loss = F.cross_entropy(layer(torch.ones(64, 4)), torch.zeros(64, dtype=torch.long), label_smoothing=0.1)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(layer.parameters(), 5.0)
        optimizer.step()


def memory(net):
    warm_up()
    # From here on the high-water mark is that of the training.
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before = resident("VmRSS")
    trainer = Trainer(net)
    for _ in range(3):
        trainer.step()
    print(json.dumps({"peakBytes": resident("VmHWM") - before}))


def profile(trainer):
    for _ in range(2):
        trainer.step()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as record:
        for _ in range(3):
            trainer.step()
    print(record.key_averages().table(sort_by="self_cpu_time_total", row_limit=15))


def accuracy(net):
    # One round over all rates, then the test rows in inference form.
    trainer = Trainer(net)
    losses = [trainer.step() for _ in net.spec["rates"]]
    net.training = False
    images, labels = net.values["test.images"], net.values["test.labels"]
    right = 0
    with torch.no_grad():
        for first in range(0, len(labels), 250):
            guess = net.forward(images[first : first + 250]).argmax(1)
            right += (guess == labels[first : first + 250]).sum().item()
    print(json.dumps({"losses": losses, "accuracy": right / len(labels)}))


def main():
    folder, dtype = sys.argv[1:3]
    task = sys.argv[3] if len(sys.argv) > 3 else "rounds"
    net = Net(folder, getattr(torch, dtype))
    torch.set_num_threads(net.spec["threads"])
    if task == "memory":
        memory(net)
    elif task == "accuracy":
        accuracy(net)
    elif task == "profile":
        profile(Trainer(net))
    else:
        rounds(Trainer(net))


main()
