package main

// averagedRules go by signs, average, or are parts of larger rules.
var averagedRules = []*rule{
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
