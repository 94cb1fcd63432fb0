package main

import "fmt"

// rules are all updates. Products and sums are rounded one by one.
var rules = []*rule{
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
	{
		name: "Adam", flush: true,
		doc: `is a step of Adam or AdamW, with the running means m of the gradient
and v of its square:

	d = g + Coupled x
	m = m + Fresh1 (d - m)
	v = Beta2 v + Fresh2 d d
	x = Keep x - Rate m / (sqrt(v) + Eps)

With the learning rate lr, the decay rates b1 and b2, the number t of the step and
c = sqrt(1-b2^t) the usual step has Rate = lr c/(1-b1^t) and Eps = eps c, which is
lr m/(1-b1^t) / (sqrt(v/(1-b2^t)) + eps) with one division less.`,
		slices: []string{"x", "g", "m", "v"}, numbers: adamNumbers,
		code: func(t *terms) {
			m, v := t.moments(t.decayed("Coupled"))
			t.set("x", t.sub(t.kept(), t.div(t.mul(t.of("Rate"), m), t.root(v))))
		},
	},
	{
		name: "AdamMax", like: "Adam", flush: true,
		doc: `is [AdamUpdate] with the largest v so far, top, in the place of v in
the step (AMSGrad).`,
		slices: []string{"x", "g", "m", "v", "top"}, numbers: adamNumbers,
		code: func(t *terms) {
			m, v := t.moments(t.decayed("Coupled"))
			top := t.largest(t.of("top"), v)
			t.set("top", top)
			t.set("x", t.sub(t.kept(), t.div(t.mul(t.of("Rate"), m), t.root(top))))
		},
	},
	{
		name: "AdamMean", like: "Adam", flush: true,
		doc: `is [AdamUpdate] with a step along the mean alone, as RAdam's first
ones are:

	x = Keep x - Rate m`,
		slices:  []string{"x", "g", "m", "v"},
		numbers: [][2]string{fresh1, beta2, fresh2, {"Rate", "the learning rate over 1 - b1^t"}, coupled, keep},
		code: func(t *terms) {
			m, _ := t.moments(t.decayed("Coupled"))
			t.set("x", t.sub(t.kept(), t.mul(t.of("Rate"), m)))
		},
	},
	{
		name: "NAdam", flush: true,
		doc: `is [AdamUpdate] with a step along both the gradient and its mean:

	x = Keep x - (OfGrad d + OfMean m) / (sqrt(v) + Eps)`,
		slices: []string{"x", "g", "m", "v"},
		numbers: [][2]string{
			fresh1, beta2, fresh2, {"OfGrad", "the step along the gradient, times sqrt(1 - b2^t)"},
			{"OfMean", "the step along the mean, likewise"}, eps, coupled, keep,
		},
		code: func(t *terms) {
			d := t.decayed("Coupled")
			m, v := t.moments(d)
			along := t.add(t.mul(t.of("OfGrad"), d), t.mul(t.of("OfMean"), m))
			t.set("x", t.sub(t.kept(), t.div(along, t.root(v))))
		},
	},
	{
		name: "AdaMax", flush: true,
		doc: `is a step of AdaMax, with the running mean m of the gradient and the
largest decayed magnitude u:

	d = g + Coupled x
	m = m + Fresh1 (d - m)
	u = max(Beta2 u, |d| + Eps)
	x = x - Rate m / u`,
		slices: []string{"x", "g", "m", "u"},
		numbers: [][2]string{
			fresh1, beta2, {"Rate", "the learning rate over 1 - b1^t"},
			{"Eps", "added to each magnitude"}, coupled,
		},
		code: func(t *terms) {
			d := t.decayed("Coupled")
			m := t.lerp("m", d, "Fresh1")
			u := t.largest(t.mul(t.of("Beta2"), t.of("u")), t.add(t.abs(d), t.of("Eps")))
			t.set("m", m)
			t.set("u", u)
			t.set("x", t.sub(t.of("x"), t.div(t.mul(t.of("Rate"), m), u)))
		},
	},
	{
		name: "AdaBelief", flush: true,
		doc: `is a step of AdaBelief, with the running means m of the gradient and
s of its squared distance from m:

	d = g + Coupled x
	m = m + Fresh1 (d - m)
	s = Beta2 s + Fresh2 (d - m)² + EpsIn
	x = Keep x - Rate m / (sqrt(s) + Eps)`,
		slices: []string{"x", "g", "m", "s"}, numbers: beliefNumbers,
		code: func(t *terms) {
			m, s := t.belief()
			t.set("x", t.sub(t.kept(), t.div(t.mul(t.of("Rate"), m), t.root(s))))
		},
	},
	{
		name: "AdaBeliefMax", like: "AdaBelief", flush: true,
		doc: `is [AdaBeliefUpdate] with the largest s so far, top, in the place
of s in the step (AMSGrad).`,
		slices: []string{"x", "g", "m", "s", "top"}, numbers: beliefNumbers,
		code: func(t *terms) {
			m, s := t.belief()
			top := t.largest(t.of("top"), s)
			t.set("top", top)
			t.set("x", t.sub(t.kept(), t.div(t.mul(t.of("Rate"), m), t.root(top))))
		},
	},
	{
		name: "AdaBeliefMean", like: "AdaBelief", flush: true,
		doc: `is [AdaBeliefUpdate] with a step along the mean alone:

	x = Keep x - Rate m`,
		slices: []string{"x", "g", "m", "s"}, numbers: beliefNumbers, unused: []string{"Eps"},
		code: func(t *terms) {
			m, _ := t.belief()
			t.set("x", t.sub(t.kept(), t.mul(t.of("Rate"), m)))
		},
	},
	{
		name: "AdaGrad", flush: true,
		doc: `is a step of AdaGrad, with the sum s of squared gradients:

	d = g + Decay x
	s = s + d d
	x = x - Rate d / (sqrt(s) + Eps)`,
		slices:  []string{"x", "g", "s"},
		numbers: [][2]string{{"Rate", "the learning rate"}, {"Eps", "added to the denominator"}, {"Decay", "weight decay"}},
		code: func(t *terms) {
			d := t.decayed("Decay")
			s := t.add(t.of("s"), t.mul(d, d))
			t.set("s", s)
			t.set("x", t.sub(t.of("x"), t.div(t.mul(t.of("Rate"), d), t.root(s))))
		},
	},
	{
		name: "AdaDelta", flush: true,
		doc: `is a step of AdaDelta, with the running means s of squared gradients
and a of squared steps:

	d = g + Decay x
	s = Rho s + Fresh d d
	e = sqrt((a + Eps) / (s + Eps)) d
	a = Rho a + Fresh e e
	x = x - Rate e`,
		slices: []string{"x", "g", "s", "a"},
		numbers: [][2]string{
			{"Rho", "what stays of the means"}, {"Fresh", "1 - rho"}, {"Rate", "the learning rate"},
			{"Eps", "added to both means"}, {"Decay", "weight decay"},
		},
		code: func(t *terms) {
			d := t.decayed("Decay")
			mean := func(name string, v val) val {
				return t.add(t.mul(t.of("Rho"), t.of(name)), t.mul(t.mul(t.of("Fresh"), v), v))
			}
			s := mean("s", d)
			e := t.mul(t.sqrt(t.div(t.add(t.of("a"), t.of("Eps")), t.add(s, t.of("Eps")))), d)
			t.set("s", s)
			t.set("a", mean("a", e))
			t.set("x", t.sub(t.of("x"), t.mul(t.of("Rate"), e)))
		},
	},
	rmsProp("RMSProp", false, false),
	rmsProp("RMSPropCentered", true, false),
	rmsProp("RMSPropMomentum", false, true),
	rmsProp("RMSPropCenteredMomentum", true, true),
	{
		name: "Adan", flush: true,
		doc: `is a step of Adan, with the running means m of the gradient, v of its
change since the last one, p, and n of a squared combination of both:

	d = g - p
	m = m + Fresh1 (g - m)
	v = v + Fresh2 (d - v)
	n = n + Fresh3 ((g + Beta2 d)² - n)
	x = After (Keep x - (OfMean m + OfChange v) / (sqrt(n) + Eps))
	p = g`,
		slices: []string{"x", "g", "m", "v", "n", "p"},
		numbers: [][2]string{
			fresh1, {"Fresh2", "1 - b2"}, {"Beta2", "b2"}, {"Fresh3", "1 - b3"},
			{"OfMean", "the learning rate times sqrt(1 - b3^t)/(1 - b1^t)"},
			{"OfChange", "b2 times the learning rate times sqrt(1 - b3^t)/(1 - b2^t)"},
			{"Eps", "added to the denominator, times sqrt(1 - b3^t)"},
			{"Keep", "what weight decay leaves of x before the step"}, {"After", "and behind it"},
		},
		code: func(t *terms) {
			g := t.of("g")
			d := t.sub(g, t.of("p"))
			m, v := t.lerp("m", g, "Fresh1"), t.lerp("v", d, "Fresh2")
			both := t.add(g, t.mul(t.of("Beta2"), d))
			n := t.lerp("n", t.mul(both, both), "Fresh3")
			t.set("m", m)
			t.set("v", v)
			t.set("n", n)
			t.set("p", g)
			along := t.add(t.mul(t.of("OfMean"), m), t.mul(t.of("OfChange"), v))
			t.set("x", t.mul(t.of("After"), t.sub(t.kept(), t.div(along, t.root(n)))))
		},
	},
	{
		name: "Lion", flush: true,
		doc: `is a step of Lion, with the running mean m of the gradient:

	x = Keep x - Rate sign(m + Fresh1 (g - m))
	m = m + Fresh2 (g - m)`,
		slices: []string{"x", "g", "m"},
		numbers: [][2]string{
			{"Fresh1", "1 - b1"}, {"Fresh2", "1 - b2"}, {"Rate", "the learning rate"},
			{"Keep", "what weight decay leaves of x: 1 - lr decay"},
		},
		code: func(t *terms) {
			sign := signOf(t, t.lerp("m", t.of("g"), "Fresh1"))
			t.set("x", t.sub(t.kept(), t.mul(t.of("Rate"), sign)))
			t.set("m", t.lerp("m", t.of("g"), "Fresh2"))
		},
	},
	{
		name: "ASGD",
		doc: `is a step of gradient descent with averaged iterates a:

	d = g + Decay x
	x = Keep x - Rate d
	a = x + Old (a - x)`,
		slices: []string{"x", "g", "a"},
		numbers: [][2]string{
			{"Rate", "the step"}, {"Decay", "weight decay"}, {"Keep", "what the method's own decay leaves of x"},
			{"Old", "what the new iterate leaves of the average"},
		},
		code: func(t *terms) {
			x := t.sub(t.kept(), t.mul(t.of("Rate"), t.decayed("Decay")))
			t.set("x", x)
			t.set("a", t.add(x, t.mul(t.of("Old"), t.sub(t.of("a"), x))))
		},
	},
	{
		name: "Rprop",
		doc: `is a step of Rprop, with the gradient p of the last one and the
sizes s of the steps:

	s = min(Top, max(Bottom, s times Up, Down or 1 where p g is above, below or at 0))
	p = 0 where p g is below 0, else g
	x = x - s sign(p)`,
		slices: []string{"x", "g", "p", "s"},
		numbers: [][2]string{
			{"Up", "for steps in the same direction"}, {"Down", "for those that turned"},
			{"Bottom", "the smallest step"}, {"Top", "the largest"},
		},
		code: func(t *terms) {
			zero, g, s := t.k(0), t.of("g"), t.of("s")
			product := t.mul(t.of("p"), g)
			turned := t.above(zero, product)
			s = t.choose(t.above(product, zero), t.mul(t.of("Up"), s), t.choose(turned, t.mul(t.of("Down"), s), s))
			s = t.choose(t.above(t.of("Bottom"), s), t.of("Bottom"), s)
			s = t.choose(t.above(s, t.of("Top")), t.of("Top"), s)
			p := t.choose(turned, zero, g)
			t.set("s", s)
			t.set("p", p)
			t.set("x", t.sub(t.of("x"), t.mul(s, signOf(t, p))))
		},
	},
	{
		name: "Averaged",
		doc: `is a step of gradient descent whose iterate is z, taken from gradients
at x, which lies between z and the mean of its iterates (schedule-free):

	d = g + Decay x
	x = x + Share (z - x) - Mixed d
	z = z - Rate d`,
		slices: []string{"x", "g", "z"},
		numbers: [][2]string{
			{"Decay", "weight decay"}, {"Share", "the newest iterate's in the mean"},
			{"Mixed", "the learning rate times 1 - momentum (1 - Share)"}, {"Rate", "the learning rate"},
		},
		code: func(t *terms) {
			t.averaged(t.decayed("Decay"))
		},
	},
	{
		name: "AveragedAdam", flush: true,
		doc: `is [AveragedUpdate] with gradients divided by the root of their mean
square v:

	v = Beta2 v + Fresh2 g g
	d = Scale g / (sqrt(v) + Eps) + Decay x`,
		slices: []string{"x", "g", "z", "v"},
		numbers: [][2]string{
			beta2, fresh2, {"Scale", "sqrt(1 - b2^t)"}, eps, {"Decay", "weight decay"}, {"Share", "the newest iterate's in the mean"},
			{"Mixed", "the learning rate times 1 - b1 (1 - Share)"}, {"Rate", "the learning rate"},
		},
		code: func(t *terms) {
			g := t.of("g")
			v := t.add(t.mul(t.of("Beta2"), t.of("v")), t.mul(t.mul(t.of("Fresh2"), g), g))
			t.set("v", v)
			d := t.div(t.mul(t.of("Scale"), g), t.root(v))
			t.averaged(t.add(d, t.mul(t.of("Decay"), t.of("x"))))
		},
	},
	{
		name: "ProdigyMoments", flush: true,
		doc: `is the first half of a step of Prodigy, which began at x0: the running
means m of the gradient, v of its square and s of its steps, and, for sums over all
parameters, how each has come along the gradient, p, and the magnitude a of s:

	d = g + Coupled x
	m = Beta1 m + Fresh1 d
	v = Beta2 v + Fresh2 d d
	s = Beta3 s + Fresh3 d
	p = d (x0 - x)
	a = |s|`,
		slices: []string{"x", "g", "x0", "m", "v", "s", "p", "a"},
		numbers: [][2]string{
			{"Beta1", "b1"}, {"Fresh1", "d (1 - b1), where d is the estimated distance"}, beta2, {"Fresh2", "d² (1 - b2)"},
			{"Beta3", "b3"}, {"Fresh3", "d/d0 times the step"}, coupled,
		},
		code: func(t *terms) {
			d := t.decayed("Coupled")
			t.set("m", t.add(t.mul(t.of("Beta1"), t.of("m")), t.mul(t.of("Fresh1"), d)))
			t.set("v", t.add(t.mul(t.of("Beta2"), t.of("v")), t.mul(t.mul(t.of("Fresh2"), d), d)))
			s := t.add(t.mul(t.of("Beta3"), t.of("s")), t.mul(t.of("Fresh3"), d))
			t.set("s", s)
			t.set("p", t.mul(d, t.sub(t.of("x0"), t.of("x"))))
			t.set("a", t.abs(s))
		},
	},
	{
		name: "AddSquare", signature: "s, g []T",
		doc:    "adds the squares of g to s.",
		slices: []string{"s", "g"},
		code: func(t *terms) {
			t.set("s", t.add(t.of("s"), t.mul(t.of("g"), t.of("g"))))
		},
	},
	{
		name: "MeanSquare", flush: true,
		doc: `updates a running mean of squares:

	v = v + Fresh (g g - v)`,
		slices: []string{"v", "g"}, numbers: [][2]string{{"Fresh", "the newest square's share"}},
		code: func(t *terms) { t.set("v", t.lerp("v", t.mul(t.of("g"), t.of("g")), "Fresh")) },
	},
	{
		name: "RootQuotient", flush: true,
		doc: `divides by roots of mean squares v:

	u = g / sqrt(max(v, Bottom))`,
		slices:  []string{"u", "g", "v"},
		numbers: [][2]string{{"Bottom", "the smallest mean square, above 0"}},
		code: func(t *terms) {
			t.set("u", t.div(t.of("g"), t.sqrt(t.largest(t.of("v"), t.of("Bottom")))))
		},
	},
	{
		name: "FactoredQuotient", flush: true,
		doc: `is [RootQuotientUpdate] for mean squares that are a row's factor
times a column's, whose inverse roots are Row and w:

	u = g min(Row w, Top)`,
		slices:  []string{"u", "g", "w"},
		numbers: [][2]string{{"Row", "the inverse root of the row's factor"}, {"Top", "the inverse root of the smallest mean square"}},
		code: func(t *terms) {
			root := t.mul(t.of("Row"), t.of("w"))
			t.set("u", t.mul(t.of("g"), t.choose(t.above(t.of("Top"), root), root, t.of("Top"))))
		},
	},
	{
		name: "RootStep", flush: true,
		doc: `is a step along m over the root of v:

	x = Keep x - Rate m / (sqrt(v) + Eps)`,
		slices:  []string{"x", "m", "v"},
		numbers: [][2]string{{"Rate", "the learning rate"}, {"Eps", "added to the denominator"}, keep},
		code: func(t *terms) {
			t.set("x", t.sub(t.kept(), t.div(t.mul(t.of("Rate"), t.of("m")), t.root(t.of("v")))))
		},
	},
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
