#!/usr/bin/env python3
"""Writes optimizers_adaptive.json: settings of first-order methods that optimizers.json leaves at their defaults.

    pip install torch==2.15.0 pytorch_optimizer==4.1.0 schedulefree==1.4.1 prodigyopt==1.1.2
    python optimizers_adaptive.py

Objective, shapes and start are those of optimizers.json. All of it is computed in float64.
"""
import json
import os

import prodigyopt
import pytorch_optimizer as po
import schedulefree
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
torch.set_default_dtype(torch.float64)

with open(os.path.join(HERE, "optimizers.json")) as f:
    BASE = json.load(f)
A, M, C, K = (torch.tensor(BASE["objective"][name]) for name in ("A", "m", "c", "k"))


def loss(params):
    w = torch.cat([p.reshape(-1) for p in params])
    return 0.5 * (w - M) @ A @ (w - M) + (C * torch.sin(K * w)).sum()


def run(make, steps, averaged=False):
    """The parameters after every step, the last loss, and the weights for evaluation."""
    x0, params, at = torch.tensor(BASE["x0"]), [], 0
    for _, shape in BASE["shapes"]:
        n = torch.Size(shape).numel()
        params.append(x0[at:at + n].reshape(shape).clone().requires_grad_())
        at += n
    opt, path = make(params), []
    if hasattr(opt, "train"):
        opt.train()

    def flat():
        return torch.cat([p.detach().reshape(-1) for p in params])
    for _ in range(steps):
        opt.zero_grad()
        loss(params).backward()
        opt.step()
        path.append(flat().tolist())
    out = {"path": path, "final_loss": loss(params).item()}
    if averaged and hasattr(opt, "eval"):
        opt.eval()
        out["eval"] = flat().tolist()
    elif averaged:
        out["eval"] = torch.cat([opt.state[p]["ax"].reshape(-1) for p in params]).tolist()
    return out


def main():
    O, cases = torch.optim, []

    def case(method, settings, reference, make, steps=20, averaged=False):
        r = run(make, steps, averaged)
        cases.append({"name": f"{method}_{len(cases)}", "method": method, "settings": settings, "steps": steps,
                      "reference": reference, **r})

    case("adagrad", {"lr": 0.1, "eps": 0.1, "lr_decay": 0.5}, "torch", lambda p: O.Adagrad(p, lr=0.1, eps=0.1, lr_decay=0.5))
    case("rmsprop", {"lr": 0.01, "alpha": 0.9, "eps": 0.01, "centered": True}, "torch",
         lambda p: O.RMSprop(p, lr=0.01, alpha=0.9, eps=0.01, centered=True))
    case("rmsprop", {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.1}, "torch",
         lambda p: O.RMSprop(p, lr=0.01, momentum=0.9, weight_decay=0.1))
    case("adadelta", {"lr": 0.5, "rho": 0.8, "eps": 0.01}, "torch", lambda p: O.Adadelta(p, lr=0.5, rho=0.8, eps=0.01))
    case("adam", {"lr": 0.05, "beta1": 0.8, "beta2": 0.9, "eps": 0.01, "amsgrad": True, "weight_decay": 0.1}, "torch",
         lambda p: O.Adam(p, lr=0.05, betas=(0.8, 0.9), eps=0.01, amsgrad=True, weight_decay=0.1))
    case("adamw", {"lr": 0.05, "beta1": 0.8, "beta2": 0.9, "eps": 0.01, "weight_decay": 0.5}, "torch",
         lambda p: O.AdamW(p, lr=0.05, betas=(0.8, 0.9), eps=0.01, weight_decay=0.5))
    case("adamax", {"lr": 0.05, "beta1": 0.8, "beta2": 0.9, "eps": 0.1}, "torch",
         lambda p: O.Adamax(p, lr=0.05, betas=(0.8, 0.9), eps=0.1))
    for decoupled in (False, True):
        case("nadam", {"lr": 0.05, "beta1": 0.8, "beta2": 0.9, "eps": 0.01, "momentum_decay": 0.1, "weight_decay": 0.1,
                       "decoupled": decoupled}, "torch",
             lambda p: O.NAdam(p, lr=0.05, betas=(0.8, 0.9), eps=0.01, momentum_decay=0.1, weight_decay=0.1,
                               decoupled_weight_decay=decoupled))
        case("radam", {"lr": 0.05, "beta1": 0.8, "beta2": 0.9, "eps": 0.01, "weight_decay": 0.1, "decoupled": decoupled}, "torch",
             lambda p: O.RAdam(p, lr=0.05, betas=(0.8, 0.9), eps=0.01, weight_decay=0.1, decoupled_weight_decay=decoupled))
    case("rprop", {"lr": 0.1, "etas": [0.3, 1.5], "step_sizes": [0.01, 0.2]}, "torch",
         lambda p: O.Rprop(p, lr=0.1, etas=(0.3, 1.5), step_sizes=(0.01, 0.2)))
    case("asgd", {"lr": 0.05, "lambd": 0.1, "alpha": 0.6, "t0": 5, "weight_decay": 0.1}, "torch",
         lambda p: O.ASGD(p, lr=0.05, lambd=0.1, alpha=0.6, t0=5, weight_decay=0.1), averaged=True)
    case("adafactor", {"lr": 0.5, "beta2_decay": -0.6, "eps1": 0.1, "eps2": 0.5, "d": 2, "weight_decay": 0.1}, "torch",
         lambda p: O.Adafactor(p, lr=0.5, beta2_decay=-0.6, eps=(0.1, 0.5), d=2.0, weight_decay=0.1))
    for decoupled in (False, True):
        case("adabelief", {"lr": 0.05, "eps": 1e-8, "weight_decay": 0.1, "decoupled": decoupled, "amsgrad": decoupled},
             "pytorch_optimizer", lambda p: po.AdaBelief(p, lr=0.05, eps=1e-8, weight_decay=0.1, weight_decouple=decoupled,
                                                         ams_bound=decoupled, foreach=False))
    case("adabelief", {"lr": 0.05, "beta1": 0.8, "beta2": 0.9, "eps": 1e-8, "rectify": True}, "pytorch_optimizer",
         lambda p: po.AdaBelief(p, lr=0.05, betas=(0.8, 0.9), eps=1e-8, rectify=True, adam_debias=False))
    for no_prox in (False, True):
        case("adan", {"lr": 0.05, "beta1": 0.9, "beta2": 0.8, "beta3": 0.95, "eps": 0.01, "weight_decay": 0.5, "no_prox": no_prox},
             "pytorch_optimizer", lambda p: po.Adan(p, lr=0.05, betas=(0.9, 0.8, 0.95), eps=0.01, weight_decay=0.5,
                                                    weight_decouple=no_prox))
    case("lion", {"lr": 0.05, "beta1": 0.8, "beta2": 0.9, "weight_decay": 0.5}, "pytorch_optimizer",
         lambda p: po.Lion(p, lr=0.05, betas=(0.8, 0.9), weight_decay=0.5))
    case("aggmo", {"lr": 0.01, "betas": [0, 0.5, 0.9, 0.99, 0.999], "weight_decay": 0.5}, "pytorch_optimizer",
         lambda p: po.AggMo(p, lr=0.01, betas=(0, 0.5, 0.9, 0.99, 0.999), weight_decay=0.5))
    case("schedule_free_sgd", {"lr": 0.1, "momentum": 0.8, "weight_decay": 0.1, "warmup_steps": 7, "r": 1, "weight_lr_power": 1},
         "schedulefree", lambda p: schedulefree.SGDScheduleFree(p, lr=0.1, momentum=0.8, weight_decay=0.1, warmup_steps=7, r=1,
                                                                weight_lr_power=1), averaged=True)
    case("schedule_free_adamw", {"lr": 0.05, "beta1": 0.8, "beta2": 0.9, "eps": 0.01, "weight_decay": 0.5, "warmup_steps": 7, "r": 1,
                                 "weight_lr_power": 1}, "schedulefree",
         lambda p: schedulefree.AdamWScheduleFree(p, lr=0.05, betas=(0.8, 0.9), eps=0.01, weight_decay=0.5, warmup_steps=7, r=1,
                                                  weight_lr_power=1), averaged=True)

    def prodigy(settings, **arguments):
        case("prodigy", {"lr": 1, **settings}, "prodigyopt", lambda p: prodigyopt.Prodigy(p, lr=1.0, **arguments), steps=40)
    prodigy({"weight_decay": 0.1, "bias_correction": True}, weight_decay=0.1, use_bias_correction=True)
    prodigy({"weight_decay": 0.1, "decoupled": False, "safeguard_warmup": True, "d0": 0.001}, weight_decay=0.1, decouple=False,
            safeguard_warmup=True, d0=0.001)
    prodigy({"growth_rate": 1.1, "d0": 0.001, "d_coef": 2, "beta3": 0.9, "eps": 0.01}, growth_rate=1.1, d0=0.001, d_coef=2.0,
            beta3=0.9, eps=0.01)
    prodigy({"beta1": 0, "beta2": 0.99, "d0": 0.001}, betas=(0.0, 0.99), d0=0.001)
    with open(os.path.join(HERE, "optimizers_adaptive.json"), "w") as f:
        json.dump({**{k: BASE[k] for k in ("objective", "shapes", "x0")}, "cases": cases}, f)
        f.write("\n")


if __name__ == "__main__":
    main()
