"""The CUDA library beside PyTorch on one NVIDIA GPU, in one command:

    python3 benchmarks/cuda_roofline.py [--json FILE] [--side 8192]

Builds kernels/cuda, tests every kernel against float64 in a process of its own, then measures copies
and matrix products, ours and PyTorch's in turn on the same sizes, and prints both with their ratio
and whether it is within 5 %. Speaks to the library through its C interface, so it needs Python,
PyTorch, CMake and nvcc, but neither Node nor the addon.

Exit code 0: all kernels are right and all pairs within 5 %, or there is no GPU; else 1.
"""

import argparse
import ctypes
import json
import math
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "cuda"
WITHIN = 0.05
PRODUCTS = 20
COPIES = 30
ROUNDS = 3
COPY_BYTES = 1 << 31
HOST_BYTES = 1 << 28
WARMUP_SECONDS = 0.3

# Number of the kernel, PyTorch's type, whether PyTorch may use tf32, greatest error of a self-test.
KERNELS = {
    "float32": (0, "float32", False, 2**-20),
    "tf32-mma": (1, "float32", True, 2**-18),
    "bf16-mma": (2, "bfloat16", False, 2**-8),
    "tf32-wgmma": (3, "float32", True, 2**-18),
    "bf16-wgmma": (4, "bfloat16", False, 2**-8),
}
SELF_TESTS = [
    (1, 1, 1),
    (3, 5, 7),
    (127, 255, 33),
    (129, 257, 65),
    (64, 16, 1025),
    (300, 200, 100),
    (512, 512, 512),
    (4100, 2050, 300),
    (8192, 8192, 1024),
]


class Facts(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char * 256),
        ("pci_bus_id", ctypes.c_char * 32),
        *[
            (name, ctypes.c_int32)
            for name in (
                "capability_major",
                "capability_minor",
                "multiprocessors",
                "sm_clock_khz",
                "memory_clock_khz",
                "memory_bus_bits",
                "ecc",
                "driver_version",
                "runtime_version",
            )
        ],
        ("memory_bytes", ctypes.c_int64),
        ("l2_bytes", ctypes.c_int64),
        ("shared_bytes_per_block", ctypes.c_int64),
    ]


class State(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_int64)
        for name in (
            "clock_event_reasons",
            "power_milliwatts",
            "energy_millijoules",
            "memory_used_bytes",
            "memory_total_bytes",
            "sm_clock_mhz",
            "memory_clock_mhz",
            "temperature_celsius",
            "utilization_percent",
        )
    ]


def fields(structure):
    values = {name: getattr(structure, name) for name, *_ in structure._fields_}
    return {k: v.decode() if isinstance(v, bytes) else v for k, v in values.items()}


class Library:
    def __init__(self):
        self.c = ctypes.CDLL(str(BUILD / "libarchwright_cuda.so"))
        self.c.aw_cuda_last_error.restype = ctypes.c_char_p

    def call(self, name, *arguments):
        if getattr(self.c, name)(*arguments) != 0:
            raise RuntimeError(self.c.aw_cuda_last_error().decode())

    def devices(self):
        count = ctypes.c_int32()
        self.call("aw_cuda_device_count", ctypes.byref(count))
        return count.value

    def facts(self):
        facts = Facts()
        self.call("aw_cuda_device_facts", 0, ctypes.byref(facts))
        return fields(facts)

    def state(self):
        state = State()
        self.call("aw_cuda_device_state", 0, ctypes.byref(state))
        return fields(state)

    def sample(self, quantity, size, count):
        samples = (ctypes.c_double * count)()
        self.call("aw_cuda_sample", 0, quantity, ctypes.c_int64(size), count, samples)
        return list(samples)

    def supported(self, kernel):
        supported = ctypes.c_int32()
        self.call("aw_cuda_kernel_supported", 0, kernel, ctypes.byref(supported))
        return supported.value == 1

    def matrix_rate(self, kernel, side, count):
        samples = (ctypes.c_double * count)()
        sides = [ctypes.c_int64(side)] * 3
        self.call("aw_cuda_matrix_rate", 0, kernel, *sides, count, samples)
        return list(samples)

    def self_test(self, kernel, size, seed):
        error = ctypes.c_double()
        sides = [ctypes.c_int64(side) for side in size]
        seed = ctypes.c_uint64(seed)
        self.call("aw_cuda_self_test", 0, kernel, *sides, seed, ctypes.byref(error))
        return error.value

    def flush_ns(self):
        timer = ctypes.c_void_p()
        ns = ctypes.c_double()
        self.call("aw_cuda_timer_create", 0, ctypes.byref(timer))
        self.call("aw_cuda_timer_start", timer, None)
        self.call("aw_cuda_flush_l2", 0)
        self.call("aw_cuda_timer_stop", timer, None)
        self.call("aw_cuda_timer_elapsed", timer, ctypes.byref(ns))
        self.c.aw_cuda_timer_destroy(timer)
        return ns.value


def build():
    source = ROOT / "kernels" / "cuda"
    configure = ["cmake", "-S", source, "-B", BUILD, "-DCMAKE_BUILD_TYPE=Release"]
    for command in (configure, ["cmake", "--build", BUILD, "--parallel"]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{done.stdout}{done.stderr}\ncuda_roofline: kernels/cuda did not build")


def run_self_tests(name):
    """In a process of its own: a fault of a kernel ends its CUDA context, a hang its process."""
    try:
        done = subprocess.run(
            [sys.executable, __file__, "--self-test", name],
            capture_output=True,
            text=True,
            timeout=180,
        )
    except subprocess.TimeoutExpired:
        return {"supported": True, "right": False, "fault": "it hangs"}
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return {"supported": True, "right": False, "fault": lines[-1]}
    return json.loads(done.stdout)


def self_test(name):
    library = Library()
    kernel, _, _, tolerance = KERNELS[name]
    if not library.supported(kernel):
        return {"supported": False}
    errors = {}
    for seed, size in enumerate(SELF_TESTS):
        error = library.self_test(kernel, size, seed + 1)
        errors["x".join(map(str, size))] = error if math.isfinite(error) else str(error)
    right = all(isinstance(error, float) and error <= tolerance for error in errors.values())
    return {"supported": True, "right": right, "tolerance": tolerance, "errors": errors}


def torch_seconds(torch, work, count):
    """Seconds of each of `count` pieces of work, one behind the other, as the library times its own."""
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    elapsed = 0
    while elapsed < WARMUP_SECONDS:
        start.record()
        for _ in range(3):
            work()
        end.record()
        torch.cuda.synchronize()
        elapsed += start.elapsed_time(end) / 1e3
    events = [torch.cuda.Event(enable_timing=True) for _ in range(count + 1)]
    work()
    for event in events[:-1]:
        event.record()
        work()
    events[-1].record()
    torch.cuda.synchronize()
    return [a.elapsed_time(b) / 1e3 for a, b in zip(events, events[1:])]


def torch_matrix_rate(torch, dtype, tf32, side, count):
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
    dtype = getattr(torch, dtype)
    a, b = (torch.randn(side, side, device="cuda", dtype=dtype) for _ in range(2))
    c = torch.empty(side, side, device="cuda", dtype=dtype)
    seconds = torch_seconds(torch, lambda: torch.mm(a, b.t(), out=c), count)
    return [2 * side**3 / s for s in seconds]


def torch_copy_rate(torch, kind, size, count):
    def empty(pinned):
        return torch.ones(size, dtype=torch.uint8, device="cpu" if pinned else "cuda",
                          pin_memory=pinned)

    to, source = empty(kind == "to-host"), empty(kind == "to-device")
    seconds = torch_seconds(torch, lambda: to.copy_(source, non_blocking=True), count)
    counted = 2 * size if kind == "within" else size
    return [counted / s for s in seconds]


def compare(ours, theirs):
    """Both in turn, several times; medians over all samples."""
    pairs = [(ours(), theirs()) for _ in range(ROUNDS)]
    a, b = ([x for pair in pairs for x in pair[i]] for i in (0, 1))
    return {"ours": summarize(a), "torch": summarize(b)}


def summarize(samples):
    ordered = sorted(samples)
    at = lambda q: ordered[round(q * (len(ordered) - 1))]
    return {
        "median": statistics.median(ordered),
        "p10": at(0.1),
        "p90": at(0.9),
        "count": len(ordered),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", help="write all numbers to this file")
    parser.add_argument("--side", type=int, default=8192, help="side of the square matrices")
    parser.add_argument("--self-test", choices=KERNELS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.self_test:
        return print(json.dumps(self_test(options.self_test)))

    build()
    library = Library()
    try:
        library.devices()
    except RuntimeError as error:
        return print(f"cuda_roofline: nothing measured, no GPU here: {error}")

    facts = library.facts()
    print(f"{facts['name']}, {facts['multiprocessors']} multiprocessors", flush=True)
    tests = {name: run_self_tests(name) for name in KERNELS}
    for name, test in tests.items():
        told = "not on this device"
        if test["supported"]:
            worst = max(test.get("errors", {}).values(), default="", key=float)
            told = f"right, error {worst:.1e}" if test["right"] else f"WRONG {test}"
        print(f"  {name:12} {told}", flush=True)

    import torch

    torch.manual_seed(1)
    rows = {}
    for name, quantity, kind, size in (
        ("copy", 0, "within", COPY_BYTES),
        ("copy by kernel", 1, "within", COPY_BYTES),
        ("to device", 2, "to-device", HOST_BYTES),
        ("to host", 3, "to-host", HOST_BYTES),
    ):
        rows[name] = compare(
            lambda: library.sample(quantity, size, COPIES),
            lambda: torch_copy_rate(torch, kind, size, COPIES),
        )
    for name, (kernel, dtype, tf32, _) in KERNELS.items():
        if not (tests[name]["supported"] and tests[name]["right"]):
            continue
        rows[name] = compare(
            lambda: library.matrix_rate(kernel, options.side, PRODUCTS),
            lambda: torch_matrix_rate(torch, dtype, tf32, options.side, PRODUCTS),
        )
    state = library.state()

    # Of kernels for the same unit, the better one is the library's rate.
    best = {}
    for name, row in rows.items():
        row["ratio"] = row["ours"]["median"] / row["torch"]["median"]
        unit = {"copy by kernel": "copy"}.get(name, name.split("-")[0])
        best[unit] = max(best.get(unit, 0), row["ratio"])
    print(f"{'':16} {'ours T/s':>10} {'PyTorch T/s':>12} {'ratio':>7}")
    for name, row in rows.items():
        ours, theirs = (row[who]["median"] / 1e12 for who in ("ours", "torch"))
        print(f"{name:16} {ours:10.3f} {theirs:12.3f} {row['ratio']:7.3f}")

    launch = {
        name: summarize(library.sample(quantity, 0, 1000))
        for name, quantity in (("enqueueNs", 6), ("startNs", 7), ("roundTripNs", 8))
    }
    clock = summarize(library.sample(9, 200_000, 20))
    print("launch ns:", {name: round(times["median"]) for name, times in launch.items()})
    print(f"SM clock {clock['median'] / 1e6:.0f} MHz by kernel; L2 flush {library.flush_ns():.0f} ns")
    print("state:", state)

    wrong = [name for name, test in tests.items() if test["supported"] and not test["right"]]
    off = {unit: round(ratio, 3) for unit, ratio in best.items() if abs(ratio - 1) > WITHIN}
    if options.json:
        document = {
            "schema": "archwright.cuda-roofline/1",
            "facts": facts,
            "torch": torch.__version__,
            "side": options.side,
            "selfTests": tests,
            "rates": rows,
            "launch": launch,
            "smClockHz": clock,
            "state": state,
        }
        Path(options.json).write_text(json.dumps(document, indent=2) + "\n")
    verdict = "all kernels right, all rates within 5 % of PyTorch's"
    if wrong or off:
        verdict = f"wrong kernels: {wrong or 'none'}; ratios to PyTorch beyond 5 %: {off or 'none'}"
    print(f"cuda_roofline: {verdict}")
    return 1 if wrong or off else 0


if __name__ == "__main__":
    sys.exit(main())
