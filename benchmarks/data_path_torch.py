"""Crop, flip and normalisation of batches with PyTorch's tensor operations; see data-path.mjs.

Argument: a JSON object with the shape of the images. For each line on standard input, one line with the
milliseconds per batch of each pipeline.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F

spec = json.loads(sys.argv[1])
torch.set_num_threads(spec["threads"])
torch.manual_seed(1)
C, H, W = spec["channels"], spec["height"], spec["width"]
ROWS, BATCH, STEPS, PAD = spec["rows"], spec["batch"], spec["steps"], 4
images = torch.randint(0, 256, (ROWS, C, H, W), dtype=torch.uint8)
mean = torch.full((1, C, 1, 1), 0.5)
std = torch.full((1, C, 1, 1), 0.25)


def normalise_batch(rows):
    return (images[rows].float().div_(255) - mean) / std


def change_batch(rows):
    """The whole batch at once: crops as one gather, flips as a choice between two batches."""
    padded = F.pad(images[rows], (PAD, PAD, PAD, PAD))
    top = torch.randint(0, 2 * PAD + 1, (BATCH, 1, 1))
    left = torch.randint(0, 2 * PAD + 1, (BATCH, 1, 1))
    y = top + torch.arange(H).view(1, H, 1)
    x = left + torch.arange(W).view(1, 1, W)
    flip = torch.rand(BATCH, 1, 1) < 0.5
    x = torch.where(flip, x.flip(2), x)
    batch = torch.arange(BATCH).view(BATCH, 1, 1)
    cropped = padded.permute(0, 2, 3, 1)[batch, y, x].permute(0, 3, 1, 2)
    return (cropped.float().div_(255) - mean) / std


def change_images(rows):
    """Image by image, then stacked: what a Dataset with RandomCrop, flip and Normalize does."""
    out = []
    for row in rows.tolist():
        image = F.pad(images[row], (PAD, PAD, PAD, PAD))
        top, left = torch.randint(0, 2 * PAD + 1, (2,)).tolist()
        image = image[:, top : top + H, left : left + W]
        if torch.rand(1).item() < 0.5:
            image = image.flip(2)
        out.append((image.float().div_(255) - mean[0]) / std[0])
    return torch.stack(out)


pipelines = {
    "normalise, whole batch": normalise_batch,
    "crop, flip, whole batch": change_batch,
    "crop, flip, image by image": change_images,
}
for _ in sys.stdin:
    times = {}
    for name, pipeline in pipelines.items():
        order = [torch.randint(0, ROWS, (BATCH,)) for _ in range(STEPS)]
        start = time.perf_counter()
        for rows in order:
            pipeline(rows)
        times[name] = (time.perf_counter() - start) * 1e3 / STEPS
    print(json.dumps(times), flush=True)
