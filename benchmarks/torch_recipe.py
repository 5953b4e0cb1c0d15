"""Losses, their gradients and learning rates in PyTorch, for test/train/: `python3 torch_recipe.py`.

Predictions and targets come from the same generator as in torch_reference.py.
"""

import json

import torch
import torch.nn.functional as F


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
        return torch.tensor([scale * self.uniform() for _ in range(count)]).reshape(dims)

    def classes(self, count, *dims):
        return ((self.tensor(1.0, *dims) + 0.5) * count).long()


def rounded(t):
    return [round(v, 7) for v in t.flatten().tolist()]


def case(name, dims, target, loss):
    """`target` draws the targets as they are stored; `loss` maps prediction and targets to a scalar."""
    lcg = Lcg(7)
    x = lcg.tensor(6.0, *dims).requires_grad_(True)
    t = target(lcg)
    value = loss(x, t)
    value.backward()
    return dict(
        name=name,
        dims=dims,
        prediction=rounded(x),
        targetDims=list(t.shape),
        target=t.flatten().tolist() if t.dtype == torch.int64 else rounded(t),
        integer=t.dtype == torch.int64,
        loss=round(value.item(), 7),
        gradient=rounded(x.grad),
    )


def mixed(x, t):
    other, share = t.flip(0), 0.3
    return share * F.cross_entropy(x, t) + (1 - share) * F.cross_entropy(x, other)


def rates(make, steps):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    scheduler = make(optimizer)
    values = []
    for _ in range(steps):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return values


LOSSES = [
    case("cross-entropy", [3, 5], lambda g: g.classes(5, 3), F.cross_entropy),
    case(
        "cross-entropy smoothed",
        [3, 5],
        lambda g: g.classes(5, 3),
        lambda x, t: F.cross_entropy(x, t, label_smoothing=0.2),
    ),
    case("cross-entropy mixed", [4, 5], lambda g: g.classes(5, 4), mixed),
    case("cross-entropy planes", [2, 4, 3, 2], lambda g: g.classes(4, 2, 3, 2), F.cross_entropy),
    case(
        "cross-entropy sequence",
        [2, 3, 4],
        lambda g: g.classes(4, 2, 3),
        lambda x, t: F.cross_entropy(x.transpose(1, 2), t),
    ),
    case(
        "cross-entropy soft",
        [3, 4],
        lambda g: torch.softmax(g.tensor(2.0, 3, 4), 1),
        F.cross_entropy,
    ),
    case(
        "cross-entropy soft smoothed",
        [3, 4],
        lambda g: torch.softmax(g.tensor(2.0, 3, 4), 1),
        lambda x, t: F.cross_entropy(x, t, label_smoothing=0.2),
    ),
    case(
        "bce",
        [3, 4],
        lambda g: (g.tensor(1.0, 3, 4) > 0).float(),
        F.binary_cross_entropy_with_logits,
    ),
    case(
        "bce classes",
        [3, 4],
        lambda g: g.classes(4, 3),
        lambda x, t: F.binary_cross_entropy_with_logits(x, F.one_hot(t, 4).float()),
    ),
    case("mse", [3, 4], lambda g: g.tensor(4.0, 3, 4), F.mse_loss),
    case("mse column", [5, 1], lambda g: g.tensor(4.0, 5, 1), F.mse_loss),
    case(
        "huber",
        [3, 4],
        lambda g: g.tensor(4.0, 3, 4),
        lambda x, t: F.huber_loss(x, t, delta=0.7),
    ),
]
SCHEDULES = {
    "one-cycle": rates(
        lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.4, total_steps=20, pct_start=0.3), 20
    ),
    "step": rates(lambda o: torch.optim.lr_scheduler.StepLR(o, 6, 0.5), 20),
    "exponential": rates(lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.5 ** (1 / 6)), 20),
}
print(json.dumps(dict(losses=LOSSES, schedules=SCHEDULES)))
