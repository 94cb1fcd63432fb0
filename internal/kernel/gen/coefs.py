# The coefficients of coefs.go: minimax polynomials by Remez's exchange, in
# arithmetic of 200 bits. Needs mpmath; takes half a minute.
from mpmath import cos, erf, erfc, exp, expm1, log, lu_solve, matrix, mp, mpf, pi, polyval, sqrt

mp.prec = 200


def remez(f, w, a, b, n):
    """The polynomial p of degree n with the least maximum of |w (f-p)| on [a, b], and that maximum."""
    a, b = mpf(a), mpf(b)
    count = n + 2
    cheb = lambda m: [(a + b) / 2 - (b - a) / 2 * cos(pi * mpf(i) / m) for i in range(m + 1)]
    xs = cheb(count - 1)
    for _ in range(30):
        system, right = matrix(count, count), matrix(count, 1)
        for i, x in enumerate(xs):
            for j in range(n + 1):
                system[i, j] = x**j
            system[i, n + 1] = (-1)**i / w(x)
            right[i] = f(x)
        solution = lu_solve(system, right)
        c, level = [solution[j] for j in range(n + 1)], abs(solution[n + 1])
        runs = []  # the extremum of each run of errors of one sign
        for x in cheb(40 * count):
            e = w(x) * (f(x) - polyval(c[::-1], x))
            if runs and (e >= 0) == (runs[-1][1] >= 0):
                if abs(e) > abs(runs[-1][1]):
                    runs[-1] = (x, e)
            else:
                runs.append((x, e))
        worst = max(abs(e) for _, e in runs)
        while len(runs) > count:
            runs.pop(0 if abs(runs[0][1]) < abs(runs[-1][1]) else -1)
        if len(runs) < count:
            break
        xs = [x for x, _ in runs]
        if worst < level * mpf("1.001"):
            break
    return c, worst


def show(name, fit):
    c, worst = fit
    print(f"\t{name} = []float64{{ // {float(worst):.1e}")
    for i in range(0, len(c), 3):
        print("\t\t" + ", ".join(repr(float(x)) for x in c[i:i + 3]) + ",")
    print("\t}")


def exp_part(r):
    return (expm1(r) - r) / r**2 if abs(r) > mpf(10)**-25 else mpf(1) / 2 + r / 6


def log_part(z):
    s = sqrt(z)
    return (log((1 + s) / (1 - s)) - 2 * s) / s**3 if z > mpf(10)**-20 else mpf(2) / 3 + 2 * z / 5


def erf_part(z):
    x = sqrt(z)
    return erf(x) / x if z > mpf(10)**-30 else 2 / sqrt(pi) * (1 - z / 3)


def mills(x):
    """e^(x^2/2) Phi(-x)."""
    if x < 12:
        mp.prec = 200 + int(x * x)
        y = exp(x * x / 2) * erfc(x / sqrt(mpf(2))) / 2
        mp.prec = 200
        return y
    f = mpf(0)
    for k in range(400, 0, -1):
        f = k / (x + f)
    return 1 / (x + f) / sqrt(2 * pi)


half = log(2) / 2 * mpf("1.0005")
for name, n in ("exp32", 4), ("exp64", 9):
    show(name, remez(exp_part, lambda r: (r**2 + mpf(10)**-12) / exp(r), -half, half, n))
for name, n in ("expm32", 5), ("expm64", 10):
    show(name, remez(exp_part, lambda r: abs(r) + mpf(10)**-6, -half, half, n))
top = ((sqrt(2) - 1) / (sqrt(2) + 1))**2 * mpf("1.001")
for name, n in ("log32", 2), ("log64", 6):
    show(name, remez(log_part, lambda z: z / 2 + mpf(10)**-14, 0, top, n))
show("unit32", remez(log_part, lambda z: z / 2 + mpf(10)**-12, 0, mpf("1.001") / 9, 4))
for name, n in ("erf32", 6), ("erf64", 11):
    show(name, remez(erf_part, lambda z: 1 / erf_part(z), 0, mpf("1.0001"), n))
for name, b, last, n in ("mills32", 3, 15, 10), ("mills64", 4, 40, 23):
    seen = {}

    def f(t):
        if t not in seen:
            x = b * (1 + t) / (1 - t)
            seen[t] = mills(x) * (x + b)
        return seen[t]

    show(name, remez(f, lambda t: 1 / f(t), -1, mpf(last - b) / (last + b), n))
