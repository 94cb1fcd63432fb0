package main

// adamRules divide a mean of the gradient by the root of one of its square.
var adamRules = []*rule{
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
}
