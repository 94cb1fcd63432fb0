package main

import (
	"fmt"
	"slices"
)

// rules are all updates. Products and sums are rounded one by one.
var rules = slices.Concat(plainRules, adamRules, adaptiveRules, averagedRules)

// plainRules are combinations of vectors, and gradient descent.
var plainRules = []*rule{
	{
		name: "Axpy", signature: "y []T, a T, x []T",
		doc:    "adds a x to y.",
		slices: []string{"y", "x"}, numbers: [][2]string{{"a", ""}},
		code: func(t *terms) {
			t.set("y", t.add(t.of("y"), t.mul(t.of("a"), t.of("x"))))
		},
	},
	{
		name: "Axpby", signature: "dst []T, a T, x []T, b T, y []T",
		doc:    "sets dst to a x + b y.",
		slices: []string{"dst", "x", "y"}, numbers: [][2]string{{"a", ""}, {"b", ""}},
		code: func(t *terms) {
			t.set("dst", t.add(t.mul(t.of("a"), t.of("x")), t.mul(t.of("b"), t.of("y"))))
		},
	},
	{
		name: "Lerp", signature: "y []T, w T, x []T",
		doc:    "moves y by the share w of its way to x: y = y + w (x - y).",
		slices: []string{"y", "x"}, numbers: [][2]string{{"w", ""}},
		code: func(t *terms) { t.set("y", t.lerp("y", t.of("x"), "w")) },
	},
	{
		name: "SGDUpdate", signature: "x, g []T, rate, decay T",
		doc: `is a step of gradient descent with weight decay:

	x = x - rate (g + decay x)`,
		slices: []string{"x", "g"}, numbers: [][2]string{{"rate", ""}, {"decay", ""}},
		code: func(t *terms) {
			t.set("x", t.sub(t.of("x"), t.mul(t.of("rate"), t.decayed("decay"))))
		},
	},
	{
		name: "Momentum",
		doc: `is a step of gradient descent with heavy-ball or Nesterov momentum,
whose buffer is m:

	d = g + Decay x
	m = Mu m + Fresh d
	x = x - (OfGrad d + OfBuffer m)`,
		slices: []string{"x", "g", "m"},
		numbers: [][2]string{
			{"Mu", "what stays of the buffer"},
			{"Fresh", "what comes from the gradient: 1 - dampening"},
			{"Decay", "weight decay"},
			{"OfGrad", "the step along the gradient: the learning rate for Nesterov, else 0"},
			{"OfBuffer", "the step along the buffer: the learning rate, times Mu for Nesterov"},
		},
		code: func(t *terms) {
			d := t.decayed("Decay")
			m := t.add(t.mul(t.of("Mu"), t.of("m")), t.mul(t.of("Fresh"), d))
			t.set("m", m)
			t.set("x", t.sub(t.of("x"), t.add(t.mul(t.of("OfGrad"), d), t.mul(t.of("OfBuffer"), m))))
		},
	},
	aggMo(4),
	aggMo(3),
	aggMo(2),
}

// Numbers of several rules.
var (
	fresh1  = [2]string{"Fresh1", "1 - b1"}
	beta2   = [2]string{"Beta2", "b2"}
	fresh2  = [2]string{"Fresh2", "1 - b2"}
	eps     = [2]string{"Eps", "added to the denominator, times sqrt(1 - b2^t)"}
	coupled = [2]string{"Coupled", "weight decay added to the gradient"}
	keep    = [2]string{"Keep", "what decoupled weight decay leaves of x: 1 - lr decay"}

	adamRate      = [2]string{"Rate", "the learning rate times sqrt(1 - b2^t)/(1 - b1^t)"}
	adamNumbers   = [][2]string{fresh1, beta2, fresh2, adamRate, eps, coupled, keep}
	beliefNumbers = [][2]string{fresh1, beta2, fresh2, {"EpsIn", "added to the mean square in each step"}, adamRate, eps, coupled, keep}
)

// decayed is g with weight decay.
func (t *terms) decayed(decay string) val {
	return t.add(t.of("g"), t.mul(t.of(decay), t.of("x")))
}

// lerp is slice y moved by a share of its way to x.
func (t *terms) lerp(y string, x val, share string) val {
	return t.add(t.of(y), t.mul(t.of(share), t.sub(x, t.of(y))))
}

// moments are the running means of the gradient and its square, set.
func (t *terms) moments(d val) (m, v val) {
	m = t.lerp("m", d, "Fresh1")
	v = t.add(t.mul(t.of("Beta2"), t.of("v")), t.mul(t.mul(t.of("Fresh2"), d), d))
	t.set("m", m)
	t.set("v", v)
	return m, v
}

// belief are AdaBelief's.
func (t *terms) belief() (m, s val) {
	d := t.decayed("Coupled")
	m = t.lerp("m", d, "Fresh1")
	e := t.sub(d, m)
	s = t.add(t.mul(t.of("Beta2"), t.of("s")), t.mul(t.mul(t.of("Fresh2"), e), e))
	s = t.add(s, t.of("EpsIn"))
	t.set("m", m)
	t.set("s", s)
	return m, s
}

// kept is what weight decay leaves of x.
func (t *terms) kept() val { return t.mul(t.of("Keep"), t.of("x")) }

// root is the usual denominator.
func (t *terms) root(v val) val { return t.add(t.sqrt(v), t.of("Eps")) }

// averaged is a schedule-free step along d.
func (t *terms) averaged(d val) {
	t.set("x", t.sub(t.lerp("x", t.of("z"), "Share"), t.mul(t.of("Mixed"), d)))
	t.set("z", t.sub(t.of("z"), t.mul(t.of("Rate"), d)))
}

// aggMo is AggMo with count velocities.
func aggMo(count int) *rule {
	r := &rule{name: fmt.Sprint("AggMo", count), slices: []string{"x", "g"}}
	if count < 4 {
		r.like = "AggMo4"
	}
	for i := 1; i <= 4; i++ {
		beta := fmt.Sprint("Beta", i)
		r.numbers = append(r.numbers, [2]string{beta, fmt.Sprintf("what stays of velocity %d, if there is one", i)})
		if i <= count {
			r.slices = append(r.slices, fmt.Sprint("u", i))
		} else {
			r.unused = append(r.unused, beta)
		}
	}
	r.numbers = append(r.numbers, [2]string{"Rate", "the learning rate over the number of velocities"}, [2]string{"Decay", "weight decay"})
	r.doc = fmt.Sprintf("is a step along %d velocities, u1 to u%[1]d, each with a momentum of its own:\n\n\td = g + Decay x\n\tui = Betai ui + d\n\tx = x - Rate (u1 + ... + u%[1]d)", count)
	r.code = func(t *terms) {
		d, x := t.decayed("Decay"), t.of("x")
		for i := 1; i <= count; i++ {
			u := fmt.Sprint("u", i)
			v := t.add(t.mul(t.of(fmt.Sprint("Beta", i)), t.of(u)), d)
			t.set(u, v)
			x = t.sub(x, t.mul(t.of("Rate"), v))
		}
		t.set("x", x)
	}
	return r
}

// rmsProp is RMSProp and its variants.
func rmsProp(name string, centered, momentum bool) *rule {
	r := &rule{
		name: name, flush: true, slices: []string{"x", "g", "v"},
		numbers: [][2]string{
			{"Alpha", "what stays of the means"}, {"Fresh", "1 - alpha"}, {"Rate", "the learning rate"},
			{"Eps", "added to the denominator"}, {"Decay", "weight decay"}, {"Mu", "what stays of the buffer, if there is one"},
		},
	}
	if name != "RMSProp" {
		r.like = "RMSProp"
	}
	mean, center, step := "", "v", ""
	if centered {
		r.slices = append(r.slices, "a")
		mean, center = "\ta = a + Fresh (d - a)\n", "max(0, v - a a)"
	}
	step = fmt.Sprintf("x = x - Rate d / (sqrt(%s) + Eps)", center)
	what := "is a step of RMSProp, with the running mean v of the squared gradient"
	if centered {
		what = "is a step of RMSProp with the running means v of the squared\ngradient and a of the gradient, whose square is taken off"
	}
	if momentum {
		r.slices = append(r.slices, "b")
		step = fmt.Sprintf("b = Mu b + d / (sqrt(%s) + Eps)\n\tx = x - Rate b", center)
		what += ",\nand a buffer b of momentum"
	}
	if !momentum {
		r.unused = []string{"Mu"}
	}
	r.doc = what + ":\n\n\td = g + Decay x\n\tv = Alpha v + Fresh d d\n" + mean + "\t" + step
	r.code = func(t *terms) {
		d := t.decayed("Decay")
		v := t.add(t.mul(t.of("Alpha"), t.of("v")), t.mul(t.mul(t.of("Fresh"), d), d))
		t.set("v", v)
		if centered {
			a := t.lerp("a", d, "Fresh")
			t.set("a", a)
			v = t.largest(t.k(0), t.sub(v, t.mul(a, a)))
		}
		if !momentum {
			t.set("x", t.sub(t.of("x"), t.div(t.mul(t.of("Rate"), d), t.root(v))))
			return
		}
		b := t.add(t.mul(t.of("Mu"), t.of("b")), t.div(d, t.root(v)))
		t.set("b", b)
		t.set("x", t.sub(t.of("x"), t.mul(t.of("Rate"), b)))
	}
	return r
}
