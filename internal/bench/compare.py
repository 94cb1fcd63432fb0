#!/usr/bin/env python3
"""Saddle beside PyTorch and JAX, in turns, as a Markdown table.

    python3 -m venv ../peers && ../peers/bin/pip install torch jax optax
    ../peers/bin/python internal/bench/compare.py [--rounds 3] [--seconds 2] [WORK/WHAT ...]

Run it in the root of the repository. Without arguments it times W0 ... W3 with step, grad, hvp, ggn and hvp8; others are
W1/eval, 512x512x512/gemm and conv2/direct. The libraries take turns, as machines have slow moments: a figure is the
median of the rounds, and a ratio the better peer's over Saddle's.
"""
import argparse
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
WORKS = [f"{w}/{q}" for w in ("W0", "W1", "W2", "W3") for q in ("step", "grad", "hvp", "ggn", "hvp8")]
NAMES = {"conv2/direct": "BenchmarkConvolution$/^direct$", "conv2/winograd": "BenchmarkConvolution$/^winograd$"}


def saddle(binary, task, seconds):
    work, what = task.split("/")
    name = NAMES.get(task, f"BenchmarkSaddle$/^{work}$/^{what}$")
    out = subprocess.run([binary, "-test.run=^$", "-test.bench=^" + name, "-test.count=5", f"-test.benchtime={seconds / 5}s"],
                         capture_output=True, text=True, cwd=HERE).stdout
    times = [float(t) / 1e6 for t in re.findall(r"(\d+(?:\.\d+)?) ns/op", out)]
    if not times:
        sys.exit(f"no benchmark answers to {task}")
    return statistics.median(times)


def peer(library, task, seconds):
    work, what = task.replace("winograd", "direct").split("/")
    out = subprocess.run([sys.executable, os.path.join(HERE, "peers.py"), library, work, what, str(seconds)], capture_output=True, text=True)
    if out.returncode != 0:
        sys.exit(f"{library} {task}:\n{out.stderr}")
    return float(out.stdout.split()[-1])


def versions():
    import jax
    import torch
    cpu = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        found = re.search(r"model name\s*: (.*)", open("/proc/cpuinfo").read())
        cpu = found.group(1) if found else cpu
    go = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True).stdout.strip()
    return f"{cpu}, {os.cpu_count()} cores; {go}, PyTorch {torch.__version__}, JAX {jax.__version__}"


def main():
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--rounds", type=int, default=3)
    flags.add_argument("--seconds", type=float, default=2, help="of one turn")
    flags.add_argument("task", nargs="*", default=WORKS)
    a = flags.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        binary = os.path.join(folder, "bench.test")
        subprocess.run(["go", "test", "-c", "-o", binary, "./internal/bench"], check=True)
        print(versions() + "\n")
        print("| | Saddle ms | PyTorch ms | JAX ms | ratio |\n|---|---|---|---|---|")
        ratios = []
        for task in a.task:
            mine, torch, jax = [], [], []
            for _ in range(a.rounds):
                mine.append(saddle(binary, task, a.seconds))
                torch.append(peer("torch", task, a.seconds))
                jax.append(peer("jax", task, a.seconds))
                mine.append(saddle(binary, task, a.seconds))
            m, t, j = (statistics.median(x) for x in (mine, torch, jax))
            ratios.append(min(t, j) / m)
            print(f"| {task.replace('/', ' ')} | {m:.3g} | {t:.3g} | {j:.3g} | {ratios[-1]:.2f} |", flush=True)
        print(f"\ngeometric mean {statistics.geometric_mean(ratios):.2f}, lowest {min(ratios):.2f}")


if __name__ == "__main__":
    main()
