#!/usr/bin/env python3
"""A step of each optimizer beside torch.optim, in turns, as a Markdown table.

    python3 -m venv ../peers && ../peers/bin/pip install torch
    ../peers/bin/python internal/bench/optimizers.py [--rounds 9] [--sizes 1e6,1e8] [--threads 2] [METHOD ...]

Run it in the root of the repository. All is float32, without gradients, on all cores unless --threads says otherwise (one
is steadier where others use the machine too); torch has the parameters as ten matrices. Saddle, torch's foreach and its
fused steps, and y = y + a x in memory take turns, round after round, as machines have slow moments: a time is the median
of the rounds, and a ratio the median of the ratios within a round; in parentheses the best round, and the ratio of the
best. "of memory" is how many times as long a step takes as memory needs for the vectors that it must read and write.
Saddle's steps refuse a gradient that is not finite by its length, which comes with it. Fused steps exist for some of torch's
methods on a CPU; - is a method that torch has not. torch's threads wait asleep (OMP_WAIT_POLICY), as they lose whole time
slices to each other where others use the machine too.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
# Saddle's word, and torch's class with its settings.
METHODS = {
    "sgd": ("SGD", {"lr": 1e-3}),
    "sgd:momentum=0.9": ("SGD", {"lr": 1e-3, "momentum": 0.9}),
    "aggmo": None,
    "asgd": ("ASGD", {}),
    "rprop": ("Rprop", {}),
    "adagrad": ("Adagrad", {}),
    "rmsprop": ("RMSprop", {}),
    "rmsprop:centered,momentum=0.9": ("RMSprop", {"centered": True, "momentum": 0.9}),
    "adadelta": ("Adadelta", {}),
    "adam": ("Adam", {}),
    "adam:amsgrad": ("Adam", {"amsgrad": True}),
    "adamw": ("AdamW", {}),
    "adamax": ("Adamax", {}),
    "nadam": ("NAdam", {}),
    "radam": ("RAdam", {}),
    "adabelief": None,
    "adan": None,
    "lion": None,
    "prodigy": None,
    "schedule_free_sgd": None,
    "schedule_free_adamw": None,
    "adafactor": ("Adafactor", {}),
}
FUSED = {"SGD", "Adam", "AdamW", "Adagrad"}
THREADS = {}  # environment variables


def torch_worker(name, kind, n):
    """Speaks as ./updates does."""
    import torch
    cls, settings = METHODS[name]
    params = [torch.full((n // 10000, 1000), 0.5) for _ in range(10)]
    for p in params:
        p.grad = torch.sin(torch.arange(p.numel(), dtype=torch.float32)).reshape(p.shape)
    opt = getattr(torch.optim, cls)(params, **settings, **{kind: True})
    with torch.no_grad():
        opt.step()
        opt.step()
        print("ready", 0, flush=True)
        for line in sys.stdin:
            start = time.perf_counter()
            for _ in range(int(line)):
                opt.step()
            print(int((time.perf_counter() - start) * 1e9), flush=True)


class Runner:
    """A process that takes steps when it is told to."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE", **THREADS})
        self.streams = int(self.process.stdout.readline().split()[1])

    def ms(self, steps):
        time.sleep(0.02)  # for the threads of the one before to go to sleep
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline()) / 1e6 / steps

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def row(binary, name, size, rounds):
    n, steps = int(float(size)), 1 if float(size) > 1e7 else 50
    runners = {"saddle": Runner([binary, name, size])}
    if METHODS[name]:
        for kind in ["foreach"] + ["fused"] * (METHODS[name][0] in FUSED):
            runners[kind] = Runner([sys.executable, __file__, "--worker", name, kind, str(n)])
    runners["axpy"] = Runner([binary, "axpy", size])
    times = {kind: [] for kind in runners}
    for _ in range(rounds):
        for kind, runner in runners.items():
            times[kind].append(runner.ms(steps))
    streams = runners["saddle"].streams
    for runner in runners.values():
        runner.close()

    def ms(kind):
        return f"{statistics.median(times[kind]):.3g} ({min(times[kind]):.3g})" if kind in times else "-"

    def ratio(kind):
        if kind not in times:
            return "-"
        median = statistics.median(t / s for t, s in zip(times[kind], times["saddle"]))
        return f"{median:.2f} ({min(times[kind]) / min(times['saddle']):.2f})"
    gbs = [4 * n * streams / t / 1e6 for t in (statistics.median(times["saddle"]), min(times["saddle"]))]
    bound = [t * streams / 3 for t in times["axpy"]]
    of_memory = statistics.median(s / b for s, b in zip(times["saddle"], bound))
    print(f"| {name} | {size} | {ms('saddle')} | {ms('foreach')} | {ms('fused')} | {ratio('foreach')} | {ratio('fused')} | "
          f"{gbs[0]:.1f} ({gbs[1]:.1f}) | {of_memory:.2f} ({min(times['saddle']) / min(bound):.2f}) |", flush=True)


def main():
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--rounds", type=int, default=9)
    flags.add_argument("--sizes", default="1e6,1e8")
    flags.add_argument("--threads", type=int)
    flags.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    flags.add_argument("method", nargs="*", default=list(METHODS))
    a = flags.parse_args()
    if a.worker:
        torch_worker(a.worker[0], a.worker[1], int(a.worker[2]))
        return
    if a.threads:
        THREADS.update(GOMAXPROCS=str(a.threads), OMP_NUM_THREADS=str(a.threads))
    for name in a.method:
        if name not in METHODS:
            flags.error(f"{name} is no method of the table; allowed are {', '.join(METHODS)}")
    with tempfile.TemporaryDirectory() as folder:
        binary = os.path.join(folder, "updates")
        subprocess.run(["go", "build", "-o", binary, "./internal/bench/updates"], check=True)
        for size in a.sizes.split(","):
            print("memory at " + size + ": " + ", ".join(bandwidth(binary, kind, size) for kind in ("copy", "triad", "axpy")) + "\n")
        print("| method | parameters | Saddle ms | foreach ms | fused ms | foreach/Saddle | fused/Saddle | GB/s | of memory |")
        print("|---|---|---|---|---|---|---|---|---|")
        for size in a.sizes.split(","):
            for name in a.method:
                row(binary, name, size, a.rounds)


def bandwidth(binary, kind, size):
    runner = Runner([binary, kind, size])
    times = [runner.ms(3) for _ in range(9)]
    runner.close()
    gbs = [4 * float(size) * runner.streams / t / 1e6 for t in (statistics.median(times), min(times))]
    return f"{kind} {gbs[0]:.1f} GB/s (best {gbs[1]:.1f})"


if __name__ == "__main__":
    main()
