#!/usr/bin/env python3
"""One workload of package bench in PyTorch or JAX.

    peers.py torch|jax WORK WHAT [seconds]

WORK and WHAT are those of BenchmarkSaddle: W0 ... W3 with step, grad, hvp, ggn, hvp8 or eval; a shape MxKxN with gemm,
gemm_tn or gemm_nt; conv2 with direct. Prints the median milliseconds of one operation. Products are those at a point that is linearised
already, as inside conjugate gradients.
"""
import os
import statistics
import sys
import time

THREADS = int(os.environ.get("THREADS", "2"))
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(THREADS)
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import numpy as np  # noqa: E402  (threads are set first)

SIZES = {"W0": (784, 128, 10), "W1": (784, 512, 512, 10), "W3": (784, 1000, 500, 250, 30, 250, 500, 1000, 784)}
STEP = {"W0": 64, "W1": 128, "W2": 128, "W3": 1000}
PRODUCT = {"W0": 64, "W1": 512, "W2": 256, "W3": 1000}
EXAMPLES, EVALUATED, PART = 20000, 10000, 1000


def examples():
    r = np.random.default_rng(1)
    x = r.random((EXAMPLES, 784), dtype=np.float32)
    x *= r.random((EXAMPLES, 784)) < 0.2
    return x, r.integers(0, 10, EXAMPLES)


def timed(run, wait, seconds):
    """The median of rounds of about 30 ms each, after the first calls."""
    for _ in range(3):
        wait(run())
    start = time.perf_counter()
    wait(run())
    calls = max(1, round(0.03 / max(time.perf_counter() - start, 1e-6)))
    rounds, end = [], time.perf_counter() + seconds
    while len(rounds) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(calls):
            out = run()
        wait(out)
        rounds.append((time.perf_counter() - start) / calls)
    return 1e3 * statistics.median(rounds)


def minibatches(size):
    """Endless random minibatches of indices, epoch by epoch."""
    r = np.random.default_rng(2)
    while True:
        order = r.permutation(EXAMPLES)
        for at in range(0, EXAMPLES - size + 1, size):
            yield order[at:at + size]


def torch_task(work, what):
    import torch
    from torch import nn
    import torch.nn.functional as F
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    if what.startswith("gemm"):
        m, k, n = (int(s) for s in work.split("x"))
        a = torch.randn(k, m).t() if what == "gemm_tn" else torch.randn(m, k)
        b = torch.randn(n, k).t() if what == "gemm_nt" else torch.randn(k, n)
        c = torch.empty(m, n)
        return lambda: torch.mm(a, b, out=c)
    if work == "conv2":
        layer = nn.Conv2d(32, 64, 3, padding=1).to(memory_format=torch.channels_last)
        x = torch.randn(128, 32, 14, 14).to(memory_format=torch.channels_last)

        def convolve():
            with torch.inference_mode():
                return layer(x)
        return convolve

    if work == "W2":
        net = nn.Sequential(nn.Conv2d(1, 32, 3, padding="same"), nn.ReLU(), nn.MaxPool2d(2),
                            nn.Conv2d(32, 64, 3, padding="same"), nn.ReLU(), nn.MaxPool2d(2),
                            nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10))
    else:
        layers = []
        for i, (n, units) in enumerate(zip(SIZES[work], SIZES[work][1:])):
            layers.append(nn.Linear(n, units))
            if i < len(SIZES[work]) - 2 and units != 30:
                layers.append(nn.Sigmoid() if work == "W3" else nn.ReLU())
        net = nn.Sequential(*layers)
    x, y = examples()
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    if work == "W2":
        x = x.reshape(-1, 1, 28, 28)

    def loss_of(z, x, y):
        if work == "W3":
            return F.binary_cross_entropy_with_logits(z, x, reduction="sum") / len(x)
        return F.cross_entropy(z, y)

    params = list(net.parameters())
    if what == "step":
        optimizer = torch.optim.Adam(params)
        batches = minibatches(STEP[work])

        def step():
            i = torch.from_numpy(next(batches))
            bx, by = x[i], y[i]
            optimizer.zero_grad(set_to_none=True)
            loss_of(net(bx), bx, by).backward()
            optimizer.step()
        return step
    if what == "eval":
        def evaluate():
            with torch.inference_mode():
                return sum(float(loss_of(net(x[i:i + PART]), x[i:i + PART], y[i:i + PART])) for i in range(0, EVALUATED, PART))
        return evaluate

    x, y = x[:PRODUCT[work]], y[:PRODUCT[work]]
    if what == "grad":
        return lambda: torch.autograd.grad(loss_of(net(x), x, y), params)
    directions = [[torch.randn_like(p) for p in params] for _ in range(8)]
    if what in ("hvp", "hvp8"):
        gradient = torch.autograd.grad(loss_of(net(x), x, y), params, create_graph=True)
        count = 8 if what == "hvp8" else 1
        return lambda: [torch.autograd.grad(gradient, params, v, retain_graph=True) for v in directions[:count]]
    # J v as the derivative of J' u in u, the loss's own Hessian, and J' of that.
    z = net(x)
    u = torch.zeros_like(z).requires_grad_()
    pulled = torch.autograd.grad(z, params, u, create_graph=True)
    at = z.detach().requires_grad_()
    slope = torch.autograd.grad(loss_of(at, x, y), at, create_graph=True)[0]

    def gauss_newton():
        jv = torch.autograd.grad(pulled, u, directions[0], retain_graph=True)[0]
        hjv = torch.autograd.grad(slope, at, jv, retain_graph=True)[0]
        return torch.autograd.grad(z, params, hjv, retain_graph=True)
    return gauss_newton


def jax_task(work, what):
    import jax
    import jax.numpy as jnp
    import optax
    keys = iter(jax.random.split(jax.random.PRNGKey(0), 64))
    if what.startswith("gemm"):
        m, k, n = (int(s) for s in work.split("x"))
        ta, tb = what == "gemm_tn", what == "gemm_nt"
        a = jax.random.normal(next(keys), (k, m) if ta else (m, k))
        b = jax.random.normal(next(keys), (n, k) if tb else (k, n))
        mul = jax.jit(lambda a, b: jnp.matmul(a.T if ta else a, b.T if tb else b))
        return lambda: mul(a, b)

    def convolve(x, w):
        return jax.lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    if work == "conv2":
        x, w = jax.random.normal(next(keys), (128, 14, 14, 32)), jax.random.normal(next(keys), (3, 3, 32, 64))
        run = jax.jit(convolve)
        return lambda: run(x, w)

    if work == "W2":
        shapes = [(3, 3, 1, 32), (3, 3, 32, 64), (3136, 128), (128, 10)]
    else:
        shapes = list(zip(SIZES[work], SIZES[work][1:]))
    params = [(jax.random.normal(next(keys), s) * np.prod(s[:-1]) ** -0.5, jnp.zeros(s[-1])) for s in shapes]

    def net(params, x):
        if work == "W2":
            x = x.reshape(-1, 28, 28, 1)
        for i, (w, b) in enumerate(params):
            if w.ndim == 4:
                x = jax.nn.relu(convolve(x, w) + b)
                x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
                continue
            x = x.reshape(len(x), -1) @ w + b
            if i < len(params) - 1 and w.shape[1] != 30:
                x = jax.nn.sigmoid(x) if work == "W3" else jax.nn.relu(x)
        return x

    def of_outputs(z, x, y):
        if work == "W3":
            return optax.sigmoid_binary_cross_entropy(z, x).sum() / len(x)
        return optax.softmax_cross_entropy_with_integer_labels(z, y).mean()

    def loss(params, x, y):
        return of_outputs(net(params, x), x, y)

    host_x, host_y = examples()
    if what == "step":
        adam = optax.adam(1e-3)

        def update(params, state, x, y):
            value, slope = jax.value_and_grad(loss)(params, x, y)
            change, state = adam.update(slope, state)
            return optax.apply_updates(params, change), state, value
        update = jax.jit(update, donate_argnums=(0, 1))
        batches = minibatches(STEP[work])
        at = [params, adam.init(params)]

        def step():
            i = next(batches)
            at[0], at[1], value = update(at[0], at[1], host_x[i], host_y[i])
            return value
        return step
    x, y = jnp.asarray(host_x), jnp.asarray(host_y)
    if what == "eval":
        score = jax.jit(loss)
        return lambda: sum(float(score(params, x[i:i + PART], y[i:i + PART])) for i in range(0, EVALUATED, PART))
    x, y = x[:PRODUCT[work]], y[:PRODUCT[work]]
    if what == "grad":
        run = jax.jit(jax.value_and_grad(loss))
        return lambda: run(params, x, y)
    # linearize gives a function of the direction with what it needs inside: a
    # value that can leave one compiled function and enter another.
    leading = (8,) if what == "hvp8" else ()
    v = jax.tree.map(lambda p: jax.random.normal(next(keys), leading + p.shape), params)
    if what in ("hvp", "hvp8"):
        linear = jax.jit(lambda q: jax.linearize(lambda p: jax.grad(loss)(p, x, y), q)[1])(params)
        run = jax.jit(jax.vmap(lambda f, v: f(v), in_axes=(None, 0)) if what == "hvp8" else lambda f, v: f(v))
        return lambda: run(linear, v)

    def parts(q):
        z, push = jax.linearize(lambda p: net(p, x), q)
        return push, jax.linearize(jax.grad(lambda z: of_outputs(z, x, y)), z)[1], jax.vjp(lambda p: net(p, x), q)[1]
    fixed = jax.jit(parts)(params)
    run = jax.jit(lambda fixed, v: fixed[2](fixed[1](fixed[0](v)))[0])
    return lambda: run(fixed, v)


def main():
    library, work, what = sys.argv[1:4]
    seconds = float(sys.argv[4]) if len(sys.argv) > 4 else 2
    if library == "jax":
        import jax
        print(timed(jax_task(work, what), jax.block_until_ready, seconds))
    else:
        print(timed(torch_task(work, what), lambda out: None, seconds))


if __name__ == "__main__":
    main()
