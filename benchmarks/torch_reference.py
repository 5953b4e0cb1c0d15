"""Losses of a small net in PyTorch, for test/train/step.test.ts: `python3 torch_reference.py`.

Weights and data come from a linear congruential generator, so both sides make the same numbers
without a file: s <- (1664525 s + 1013904223) mod 2^32, value = s / 2^32 - 1/2 (in float64).
"""

import json

import torch
import torch.nn.functional as F

STEPS, BATCH, SIDE, CLASSES = 20, 8, 8, 5
RECIPES = {
    "sgd": dict(momentum=0.9, nesterov=False, decay=0.01, smoothing=0.0, clip=0.0, rate=0.05),
    "nesterov, smoothed, clipped": dict(
        momentum=0.8, nesterov=True, decay=0.0, smoothing=0.2, clip=0.5, rate=0.1
    ),
    "adamw": dict(decay=0.1, smoothing=0.0, clip=0.0, rate=0.01),
    "adamw, smoothed, clipped": dict(decay=0.02, smoothing=0.1, clip=0.3, rate=0.02),
}


class Lcg:
    def __init__(self, seed):
        self.state = seed

    def uniform(self):
        self.state = (1664525 * self.state + 1013904223) % 2**32
        return self.state / 2**32 - 0.5

    def tensor(self, scale, *dims):
        count = 1
        for d in dims:
            count *= d
        values = [scale * self.uniform() for _ in range(count)]
        return torch.tensor(values, dtype=torch.float32).reshape(dims)


def train(name, recipe):
    lcg = Lcg(1)
    conv1 = lcg.tensor(1.0, 4, 1, 3, 3)
    conv2 = lcg.tensor(0.5, 6, 4, 3, 3)
    linear = lcg.tensor(1.0, CLASSES, 6)
    scale1, bias1, scale2, bias2 = torch.ones(4), torch.zeros(4), torch.ones(6), torch.zeros(6)
    bias = torch.zeros(CLASSES)
    stats = [torch.zeros(4), torch.ones(4), torch.zeros(6), torch.ones(6)]
    images = lcg.tensor(2.0, STEPS * BATCH, 1, SIDE, SIDE)
    labels = torch.tensor([int((lcg.uniform() + 0.5) * CLASSES) for _ in range(STEPS * BATCH)])
    decayed, plain = [conv1, conv2, linear], [scale1, bias1, scale2, bias2, bias]
    for p in decayed + plain:
        p.requires_grad_(True)
    groups = [dict(params=decayed, weight_decay=recipe["decay"]), dict(params=plain, weight_decay=0.0)]
    if name.startswith("adamw"):
        optimizer = torch.optim.AdamW(groups, lr=recipe["rate"])
    else:
        optimizer = torch.optim.SGD(
            groups, lr=recipe["rate"], momentum=recipe["momentum"], nesterov=recipe["nesterov"]
        )
    losses = []
    for step in range(STEPS):
        x = images[step * BATCH : (step + 1) * BATCH]
        x = F.batch_norm(F.conv2d(x, conv1, padding=1), stats[0], stats[1], scale1, bias1, True)
        x = F.max_pool2d(F.relu(x), 2)
        x = F.batch_norm(F.conv2d(x, conv2, stride=2, padding=1), stats[2], stats[3], scale2, bias2, True)
        x = F.relu6(x).mean((2, 3))
        target = labels[step * BATCH : (step + 1) * BATCH]
        loss = F.cross_entropy(F.linear(x, linear, bias), target, label_smoothing=recipe["smoothing"])
        optimizer.zero_grad()
        loss.backward()
        if recipe["clip"] > 0:
            torch.nn.utils.clip_grad_norm_(decayed + plain, recipe["clip"])
        optimizer.step()
        losses.append(round(loss.item(), 6))
    running = [[round(v, 6) for v in s.tolist()] for s in stats]
    return dict(losses=losses, running=running, linear=round(linear.sum().item(), 6))


print(json.dumps({name: train(name, recipe) for name, recipe in RECIPES.items()}, indent=1))
