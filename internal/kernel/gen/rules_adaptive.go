package main

// adaptiveRules have other measures of the gradient's size.
var adaptiveRules = []*rule{
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
}
