#!/usr/bin/env python3
"""Writes optimizers_matrix.json: methods for matrices, and wrappers around methods, on tensors of several shapes.

    pip install torch==2.15.0 optax==0.2.8 jax==0.10.2 numpy==2.4.6
    python optimizers_matrix.py

LAMB and LARS without weight decay are optax's, averages those of torch.optim.swa_utils. The rest are the published rules
written out in numpy, with bases and roots in float64, where no reference computes in it. Matrices are [out, in].
SOAP is given a max_dim that keeps it from sides of which a gradient has no unique basis.
"""
import json
import math
import os

import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import numpy as np
import optax
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
SHAPES = [["W", [4, 3]], ["K", [3, 2, 2, 1]], ["b", [4]], ["V", [2, 6]], ["U", [5, 2]]]
N = sum(int(np.prod(s)) for _, s in SHAPES)
R = np.random.default_rng(7)
B = R.normal(size=(N, N)) / math.sqrt(N)
A, M, C, K = B @ B.T + 0.3 * np.eye(N), R.normal(size=N), 0.2 * R.normal(size=N), R.uniform(1, 3, size=N)
X0 = R.normal(size=N)


def loss(w):
    return 0.5 * (w - M) @ A @ (w - M) + (C * np.sin(K * w)).sum()


def gradient(w):
    return A @ (w - M) + C * K * np.cos(K * w)


def split(w):
    parts, at = {}, 0
    for name, shape in SHAPES:
        n = int(np.prod(shape))
        parts[name] = w[at:at + n].reshape(shape)
        at += n
    return parts


def join(parts):
    return np.concatenate([np.asarray(parts[name]).reshape(-1) for name, _ in SHAPES])


def follow(step, steps=20):
    """The points of x, step(t, parts, gradients) -> parts."""
    w, path = X0.copy(), []
    for t in range(1, steps + 1):
        w = join(step(t, split(w), split(gradient(w))))
        path.append(w.tolist())
    return {"path": path, "final_loss": float(loss(w))}


def with_optax(transform):
    state = transform.init({k: jnp.asarray(v) for k, v in split(X0).items()})

    def step(_, x, g):
        nonlocal state
        x = {k: jnp.asarray(v) for k, v in x.items()}
        u, state = transform.update({k: jnp.asarray(v) for k, v in g.items()}, state, x)
        return {k: np.asarray(v) for k, v in optax.apply_updates(x, u).items()}
    return follow(step)


def each(make):
    """A rule for each tensor by itself: make(name) -> rule(t, x, g) -> x, on matrices, or vectors."""
    rules = {name: make(name) for name, _ in SHAPES}

    def step(t, x, g):
        out = {}
        for name, shape in SHAPES:
            flat = (shape[0],) if len(shape) == 1 else (shape[0], -1)
            out[name] = rules[name](t, x[name].reshape(flat), g[name].reshape(flat)).reshape(shape)
        return out
    return follow(step)


def adam(lr, b1, b2, eps, wd=0.0):
    m = v = 0.0

    def rule(t, x, g):
        nonlocal m, v
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        return (1 - lr * wd) * x - lr * m / (1 - b1 ** t) / (np.sqrt(v / (1 - b2 ** t)) + eps)
    return rule


def muon(lr, mu=0.95, nesterov=True, wd=0.0, steps=5, abc=(3.4445, -4.775, 2.0315), adjust="original"):
    b = 0.0

    def rule(t, x, g):
        nonlocal b
        b = b + (1 - mu) * (g - b)
        u = g + mu * (b - g) if nesterov else b
        y = u / max(np.linalg.norm(u), 1e-7)
        turned = y.shape[0] > y.shape[1]
        y = y.T if turned else y
        for _ in range(steps):
            s = y @ y.T
            y = abc[0] * y + (abc[1] * s + abc[2] * s @ s) @ y
        y = y.T if turned else y
        rows, cols = x.shape
        f = {"original": math.sqrt(max(1, rows / cols)), "match_rms_adamw": 0.2 * math.sqrt(max(rows, cols)), "none": 1}[adjust]
        return (1 - lr * wd) * x - lr * f * y
    return rule


def soap(lr, b1=0.95, b2=0.95, sb=None, eps=1e-8, wd=0.01, freq=10, one=False, normalize=False, bias=True, most=10000):
    sb = b2 if sb is None else sb
    s = {}

    def turn(g, q, back=False):
        for i, p in enumerate(q):
            if p is not None:
                g = np.moveaxis(np.tensordot(g, p, axes=(0, 1 if back else 0)), -1, g.ndim - 1)
            else:
                g = np.moveaxis(g, 0, -1)
        return g

    def rule(t, x, g):
        sides = [n <= most and (g.ndim > 1 or one) for n in g.shape]
        gram = [np.tensordot(g, g, axes=[[k for k in range(g.ndim) if k != i]] * 2) if on else None for i, on in enumerate(sides)]
        if not s:
            s.update(m=np.zeros_like(g), v=np.zeros_like(g), gram=[None if u is None else (1 - sb) * u for u in gram])
            s["q"] = [None if u is None else np.linalg.eigh(u + 1e-30 * np.eye(len(u)))[1][:, ::-1] for u in s["gram"]]
            return x
        t -= 1
        r = turn(g, s["q"])
        s["m"], s["v"] = b1 * s["m"] + (1 - b1) * r, b2 * s["v"] + (1 - b2) * r * r
        step = lr * (math.sqrt(1 - b2 ** t) / (1 - b1 ** t) if bias else 1)
        u = turn(s["m"] / (np.sqrt(s["v"]) + eps), s["q"], back=True)
        if normalize:
            u = u / (1e-30 + math.sqrt((u * u).mean()))
        x = (x - step * u) * (1 - lr * wd)
        s["gram"] = [None if u is None else sb * a + (1 - sb) * u for a, u in zip(s["gram"], gram)]
        if t % freq == 0:
            m = turn(s["m"], s["q"], back=True)
            for i, (a, q) in enumerate(zip(s["gram"], s["q"])):
                if a is None:
                    continue
                order = np.argsort(-np.diag(q.T @ a @ q), kind="stable")
                s["v"] = np.take(s["v"], order, axis=i)
                s["q"][i] = np.linalg.qr(a @ q[:, order])[0]
            s["m"] = turn(m, s["q"])
        return x
    return rule


def power(a, p, eps, relative):
    e, q = np.linalg.eigh(a)
    return q @ np.diag((e - min(0, e[0]) + eps + relative * max(0, e[-1])) ** p) @ q.T


def shampoo(lr, b1=0.9, b2=1.0, eps=1e-12, relative=None, wd=0.0, freq=10, graft="none", gb2=0.999, geps=1e-8, one=False, most=1024):
    relative = (1e-6 if freq != 1 else 0.0) if relative is None else relative

    def whole():
        s = {"m": 0.0, "v": 0.0, "d": 0.0}

        def rule(t, x, g):
            s["m"] = b1 * s["m"] + (1 - b1) * g
            m = s["m"] / (1 - b1 ** t)
            keep, fresh, second = (1, 1, 1) if b2 == 1 else (b2, 1 - b2, 1 - b2 ** t)
            direction = m
            if graft == "adagrad":
                s["v"] = s["v"] + g * g
                direction = m / (np.sqrt(s["v"]) + geps)
            elif graft in ("rmsprop", "adam"):
                s["v"] = gb2 * s["v"] + (1 - gb2) * g * g
                direction = m / (np.sqrt(s["v"] / (1 - gb2 ** t if graft == "adam" else 1)) + geps)
            if g.ndim == 1 and not one:
                if graft == "none":
                    s["d"] = keep * s["d"] + fresh * g * g
                    direction = m / np.sqrt(s["d"] / second + eps)
                return x - lr * (direction + wd * x)
            sides = [i for i, n in enumerate(g.shape) if n > 1] or [0]
            p = m
            for i in sides:
                others = [k for k in range(g.ndim) if k != i]
                s[i] = keep * s.get(i, 0.0) + fresh * np.tensordot(g, g, axes=[others] * 2)
                if (t - 1) % freq == 0:
                    s["root", i] = power(s[i] / second, -0.5 / len(sides), eps, relative)
                p = np.moveaxis(np.tensordot(s["root", i], p, axes=(1, i)), 0, i)
            if graft != "none":
                p = p * np.linalg.norm(direction) / (np.linalg.norm(p) + 1e-16)
            return x - lr * (p + wd * x)
        return rule
    blocks = {}

    def rule(t, x, g):
        cuts = [[n * i // -(-n // most) for i in range(-(-n // most) + 1)] for n in g.shape]
        out = x.copy()
        for i in range(len(cuts[0]) - 1):
            for j in range(len(cuts[1]) - 1 if g.ndim > 1 else 1):
                at = (slice(cuts[0][i], cuts[0][i + 1]),) + ((slice(cuts[1][j], cuts[1][j + 1]),) if g.ndim > 1 else ())
                out[at] = blocks.setdefault((i, j), whole())(t, x[at], g[at])
        return out
    return rule if most < 1024 else whole()


def lars(lr, mu=0.9, wd=0.0, trust=0.001, eps=0.0, adapted=True, nesterov=False):
    b = 0.0

    def rule(_, x, g):
        nonlocal b
        rate = lr
        if adapted:
            rate *= trust * np.linalg.norm(x) / (np.linalg.norm(g) + wd * np.linalg.norm(x) + eps)
            g = g + wd * x
        b = mu * b + rate * g
        return x - (rate * g + mu * b if nesterov else b)
    return rule


def averaged(make, avg):
    p = torch.tensor(X0, dtype=torch.float64, requires_grad=True)
    model = torch.nn.ParameterList([p])
    mean, opt, path = torch.optim.swa_utils.AveragedModel(model, **avg), make([p]), []
    for _ in range(20):
        p.grad = torch.tensor(gradient(p.detach().numpy()))
        opt.step()
        mean.update_parameters(model)
        path.append(p.tolist())
    return {"path": path, "final_loss": float(loss(p.detach().numpy())), "eval": next(mean.parameters()).tolist()}


def main():
    cases = []

    def case(method, settings, reference, result):
        cases.append({"name": f"{method}_{len(cases)}", "method": method, "settings": settings, "steps": len(result["path"]),
                      "reference": reference, **result})
    rule = "the published rule, float64"
    for s in ({}, {"weight_decay": 0.1, "beta1": 0.8, "beta2": 0.9, "eps": 0.01}):
        a = {"weight_decay": s.get("weight_decay", 0.0), "b1": s.get("beta1", 0.9), "b2": s.get("beta2", 0.999), "eps": s.get("eps", 1e-6)}
        case("lamb", {"lr": 0.05, "all": True, **s}, "optax", with_optax(optax.lamb(0.05, **a)))
    case("lars", {"lr": 10, "all": True}, "optax", with_optax(optax.lars(10.0)))
    case("lars", {"lr": 1, "all": True, "trust": 0.02, "momentum": 0.8, "nesterov": True}, "optax",
         with_optax(optax.lars(1.0, trust_coefficient=0.02, momentum=0.8, nesterov=True)))
    mask = {name: len(shape) > 1 for name, shape in SHAPES}
    case("lars", {"lr": 0.1, "trust": 0.2}, "optax", with_optax(optax.lars(0.1, trust_coefficient=0.2, trust_ratio_mask=mask)))
    case("lars", {"lr": 0.1, "trust": 0.2, "weight_decay": 0.3, "eps": 0.1, "nesterov": True}, rule,
         each(lambda n: lars(0.1, wd=0.3, trust=0.2, eps=0.1, adapted=mask[n], nesterov=True)))

    vector = lambda n, m, lr, b1=0.9, b2=0.95, eps=1e-10, wd=0.0: m() if mask[n] else adam(lr, b1, b2, eps, wd)
    case("muon", {}, rule, each(lambda n: vector(n, lambda: muon(0.02), 3e-4)))
    case("muon", {"preset": "torch", "lr": 0.05, "adjust": "match_rms_adamw"}, rule,
         each(lambda n: vector(n, lambda: muon(0.05, wd=0.1, adjust="match_rms_adamw"), 0.001, 0.9, 0.999, 1e-8, 0.01)))
    case("muon", {"lr": 0.1, "momentum": 0.8, "nesterov": False, "weight_decay": 0.2, "ns_steps": 9, "a": 1.5, "b": -0.5, "c": 0,
                  "adjust": "none", "vector_lr": 0.05, "vector_beta1": 0.5, "vector_weight_decay": 0.1, "vector_eps": 0.01}, rule,
         each(lambda n: vector(n, lambda: muon(0.1, 0.8, False, 0.2, 9, (1.5, -0.5, 0), "none"), 0.05, 0.5, 0.95, 0.01, 0.1)))

    case("soap", {"lr": 0.05, "eps": 0.01, "frequency": 3, "weight_decay": 0.1, "max_dim": 4}, rule,
         each(lambda _: soap(0.05, eps=0.01, freq=3, wd=0.1, most=4)))
    case("soap", {"lr": 0.05, "eps": 0.01, "frequency": 1, "weight_decay": 0, "beta1": 0.8, "beta2": 0.9, "shampoo_beta": 0.7,
                  "correct_bias": False, "normalize_grads": True, "max_dim": 3}, rule,
         each(lambda _: soap(0.05, 0.8, 0.9, 0.7, 0.01, 0.0, 1, normalize=True, bias=False, most=3)))

    case("shampoo", {"frequency": 1, "lr": 0.1, "eps": 1e-6}, rule, each(lambda _: shampoo(0.1, freq=1, eps=1e-6)))
    case("shampoo", {"lr": 0.1, "weight_decay": 0.1, "beta2": 0.9, "frequency": 3, "eps": 0.01, "relative_eps": 0.1}, rule,
         each(lambda _: shampoo(0.1, b2=0.9, eps=0.01, relative=0.1, wd=0.1, freq=3)))
    for g in ("sgd", "adagrad", "rmsprop", "adam"):
        case("shampoo", {"lr": 0.1, "graft": g, "frequency": 2, "beta1": 0.5, "graft_beta2": 0.9, "graft_eps": 0.01, "eps": 0.001}, rule,
             each(lambda _: shampoo(0.1, b1=0.5, freq=2, graft=g, gb2=0.9, geps=0.01, eps=0.001)))
    case("shampoo", {"lr": 0.1, "precondition_1d": True, "max_dim": 3, "frequency": 1, "eps": 0.001}, rule,
         each(lambda _: shampoo(0.1, freq=1, one=True, most=3, eps=0.001)))

    sgd = {"method": "sgd", "lr": 0.05, "momentum": 0.9}
    make = lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9)
    case("ema", {"decay": 0.8, "inner": sgd}, "torch",
         averaged(make, {"multi_avg_fn": torch.optim.swa_utils.get_ema_multi_avg_fn(0.8)}))
    case("polyak", {"inner": sgd}, "torch", averaged(make, {}))
    with open(os.path.join(HERE, "optimizers_matrix.json"), "w") as f:
        json.dump({"objective": {"A": A.tolist(), "m": M.tolist(), "c": C.tolist(), "k": K.tolist()}, "shapes": SHAPES, "x0": X0.tolist(),
                   "cases": cases}, f)
        f.write("\n")


if __name__ == "__main__":
    main()
