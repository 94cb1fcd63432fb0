#!/usr/bin/env python3
"""The spectrum of the Hessian of a trained network, by cmd/landscape and by curvlinops in turn.

    landscape.py [mlp] [lenet]

In the root of the module. It trains each network for one epoch on 10,000 images of MNIST and measures, of the loss on
these, the ten largest eigenvalues to a residual of 1e-3, the trace with a standard error of 1 % and the density by 8
probes of 60 Lanczos steps. curvlinops gets as many products for its XTrace as ours has taken until it was as sure, and
the ends of the spectrum for its density. Both estimates of the trace are random, by a per cent or two: beside each
stands how far it is from the exact value, which these networks have in closed form (see exact_trace). Seconds of ours
are those of the whole command, with loading, checking, pictures and files; those of curvlinops are of the three
measurements alone. Memory is the largest resident set of each process. Both have two threads. Needs torch, scipy and
curvlinops-for-pytorch, and MNIST in Saddle's cache.
"""
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

THREADS = int(os.environ.get("THREADS", "2"))
os.environ["OMP_NUM_THREADS"] = os.environ["GOMAXPROCS"] = str(THREADS)
EXAMPLES, TOP, PROBES, STEPS = 10000, 10, 8, 60


def idx(name):
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "saddle" / "mnist"
    raw = next(folder.glob(name + "*ubyte")).read_bytes()
    return raw[4 + 4 * raw[3]:]


def weights(path):
    raw = path.read_bytes()
    size, = struct.unpack("<Q", raw[:8])
    for name, t in json.loads(raw[8:8 + size]).items():
        if name != "__metadata__":
            lo, hi = t["data_offsets"]
            yield name, t["shape"], raw[8 + size + lo:8 + size + hi]


def network(model, run):
    import numpy as np
    import torch
    from torch import nn
    if model == "mlp":
        net = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    else:
        net = nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
                            nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))
    ours = {name: torch.from_numpy(np.frombuffer(raw, np.float32).reshape(shape).copy()) for name, shape, raw in weights(run / "last.safetensors")}
    layers = sorted({name.split(".")[0] for name in ours}, key=lambda n: (n.startswith("dense"), n))
    for name, layer in zip(layers, [m for m in net if hasattr(m, "weight")]):
        w = ours[name + ".weight"]
        layer.weight.data = w.T.contiguous() if w.dim() == 2 else w
        layer.bias.data = ours[name + ".bias"]
    x = np.frombuffer(idx("train-images"), np.uint8)[:EXAMPLES * 784].reshape(EXAMPLES, 1, 28, 28).astype(np.float64) / 255
    y = np.frombuffer(idx("train-labels"), np.uint8)[:EXAMPLES].astype(np.int64)
    x = ((x - x.mean()) / x.std()).astype(np.float32)
    return net, torch.from_numpy(x), torch.from_numpy(y)


def exact_trace(net, x, chunk=50):
    """The trace of the Hessian of the mean cross-entropy. Each output of a network of linear layers, relus and
    max-pooling is piecewise linear in any single weight, so that the diagonal of its second derivatives is 0 and the
    trace is that of the Gauss-Newton matrix: the mean over examples of the sum of C * (J J'), with J the Jacobian of the
    outputs and C = diag(p) - pp' (p the probabilities)."""
    import torch
    from torch.func import functional_call, jacrev, vmap
    params = {name: p.detach() for name, p in net.named_parameters()}
    jacobian = vmap(jacrev(lambda w, one: functional_call(net, w, (one[None],))[0]), in_dims=(None, 0))
    total = 0.0
    for at in range(0, len(x), chunk):
        part = x[at:at + chunk]
        p = net(part).detach().softmax(1)
        c = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
        for j in jacobian(params, part).values():  # of each tensor
            total += float((c * (j.flatten(2) @ j.flatten(2).transpose(1, 2))).double().sum())
    return total / len(x)


def peer(model, run, products, low):
    """The measurements by curvlinops, in a process of their own."""
    import torch
    from curvlinops import HessianLinearOperator, lanczos_approximate_spectrum, xtrace
    from scipy.sparse.linalg import LinearOperator, eigsh
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    net, x, y = network(model, run)
    loss = torch.nn.CrossEntropyLoss()
    data = [(x[i:i + 2500], y[i:i + 2500]) for i in range(0, EXAMPLES, 2500)]
    began = time.perf_counter()
    a = HessianLinearOperator(net, loss, [p for p in net.parameters()], data, check_deterministic=False)
    scipy, count = a.to_scipy(), 0

    def product(v):
        nonlocal count
        count += 1
        return scipy @ v

    values = eigsh(LinearOperator(a.shape, matvec=product, dtype=scipy.dtype), k=TOP, which="LA", tol=1e-3, return_eigenvectors=False)[::-1]
    eigen = time.perf_counter()
    trace = float(xtrace(a, products))
    traced = time.perf_counter()
    lanczos_approximate_spectrum(a, STEPS, num_repeats=PROBES, boundaries=(low, float(values[0])))
    end = time.perf_counter()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"values": [float(v) for v in values], "trace": trace, "exact": exact_trace(net, x), "products": [count, products, STEPS * PROBES],
                      "parts": [eigen - began, traced - eigen, end - traced], "seconds": end - began,
                      "memory": memory}))


def timed(args):
    """Seconds and the largest resident set, in KiB, of a command."""
    began = time.perf_counter()
    p = subprocess.Popen(args, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(p.pid, 0)
    if status:
        sys.exit(f"{' '.join(args)}: status {status}")
    return time.perf_counter() - began, usage.ru_maxrss


def compare(model, folder):
    run = folder / model
    timed([str(folder / "train"), "-data", "mnist", "-model", model, "-limit", str(EXAMPLES), "-epochs", "1", "-out", str(run)])
    seconds, memory = timed([str(folder / "landscape"), "spectrum", str(run), "-quiet", "-matrix", "hessian", "-top", str(TOP), "-bottom", "0",
                             "-probes", str(PROBES), "-steps", str(STEPS)])
    h = json.loads((run / "landscape" / "spectrum.json").read_text())["matrices"][0]
    products = [h["largest"]["products"], h["trace"]["products"], h["density"]["products"]]
    low = min(r["Nodes"][0] for r in h["density"]["rules"])
    out = subprocess.run([sys.executable, "-W", "ignore", __file__, "peer", model, str(run), str(products[1]), str(low)], check=True, stdout=subprocess.PIPE)
    p = json.loads(out.stdout)
    print(f"{model}, {EXAMPLES} examples, {THREADS} threads")
    print(f"  {'':12}{'seconds':>9}{'products':>20}{'memory':>10}{'largest':>10}{'10th':>10}{'trace':>10}{'off':>9}")
    for name, s, n, m, v, t in (("saddle", seconds, products, memory, h["largest"]["values"], h["trace"]["value"]),
                                ("curvlinops", p["seconds"], p["products"], p["memory"], p["values"], p["trace"])):
        print(f"  {name:12}{s:9.1f}{' + '.join(map(str, n)):>20}{m / 1024:7.0f} MB{v[0]:10.4f}{v[-1]:10.4f}{t:10.2f}{100 * (t / p['exact'] - 1):+7.2f} %")
    print(f"  the trace is {p['exact']:.3f} exactly; saddle says it is within {h['trace']['standard_error']:.2f} (a standard error)")
    print("  curvlinops took {:.1f}, {:.1f} and {:.1f} seconds for the three".format(*p["parts"]))
    print(f"  saddle is {p['seconds'] / seconds:.1f} times as fast", flush=True)


def main():
    if sys.argv[1:2] == ["peer"]:
        peer(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
        return
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for name in ("train", "landscape"):
            subprocess.run(["go", "build", "-o", str(folder / name), "./cmd/" + name], check=True)
        for model in sys.argv[1:] or ["mlp", "lenet"]:
            compare(model, folder)


main()
