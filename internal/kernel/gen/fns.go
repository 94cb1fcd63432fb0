package main

// unary, binary and ternary make a mapFn of code on so many operands.
func unary(name string, code func(b *body, x val) val) mapFn {
	return mapFn{name, 1, false, func(b *body, x ...val) val { return code(b, x[0]) }}
}

func binary(name string, code func(b *body, x, y val) val) mapFn {
	return mapFn{name, 2, false, func(b *body, x ...val) val { return code(b, x[0], x[1]) }}
}

func ternary(name string, code func(b *body, x, y, z val) val) mapFn {
	return mapFn{name, 3, false, func(b *body, x ...val) val { return code(b, x[0], x[1], x[2]) }}
}

// wide makes f compute float32 in float64.
func wide(f mapFn) mapFn { f.wide = true; return f }

func compare(name string, predicate int) mapFn {
	return binary(name, func(b *body, x, y val) val {
		return b.keep(b.cmp(predicate, x, y), b.pin(b.k(1)))
	})
}

// mapFns are all that there are in assembly.
var mapFns = []mapFn{
	unary("Copy", func(b *body, x val) val { return x }),
	unary("Neg", func(b *body, x val) val { return b.neg(x) }),
	unary("Abs", func(b *body, x val) val { return b.abs(x) }),
	unary("Sign", func(b *body, x val) val {
		one := b.or(b.and(x, b.sign()), b.pin(b.k(1)))
		// Zeros and NaN stay.
		return b.blend(b.cmp(apart, x, b.k(0)), one, x)
	}),
	unary("Square", func(b *body, x val) val { return b.mul(x, x) }),
	unary("Sqrt", func(b *body, x val) val { return b.sqrt(x) }),
	wide(unary("Rsqrt", func(b *body, x val) val { return b.div(b.pin(b.k(1)), b.sqrt(x)) })),
	unary("Recip", func(b *body, x val) val { return b.div(b.pin(b.k(1)), x) }),
	wide(unary("Exp", (*body).expOf)),
	wide(unary("Expm1", (*body).expm1Of)),
	wide(unary("Log", (*body).logOf)),
	wide(unary("Log1p", (*body).log1pOf)),
	wide(unary("Tanh", (*body).tanhOf)),
	wide(unary("Sigmoid", (*body).sigmoidOf)),
	wide(unary("Softplus", (*body).softplusOf)),
	wide(unary("Erf", (*body).erfOf)),
	unary("Relu", func(b *body, x val) val { return b.max(b.pin(b.k(0)), x) }),
	unary("LeakyRelu", func(b *body, x val) val {
		return b.blend(b.cmp(less, x, b.k(0)), b.mul(x, b.param(mapP)), x)
	}),
	wide(unary("Elu", func(b *body, x val) val {
		return b.blend(b.cmp(lessEqual, x, b.k(0)), b.mul(b.expm1Of(x), b.param(mapP)), x)
	})),
	wide(unary("Gelu", (*body).geluOf)),
	wide(unary("GeluTanh", (*body).geluTanhOf)),
	wide(unary("Silu", (*body).siluOf)),
	unary("Clamp", func(b *body, x val) val { return b.min(b.param(mapQ), b.max(b.param(mapP), x)) }),
	unary("Ceil", func(b *body, x val) val { return b.round(x, 2) }),
	unary("Floor", func(b *body, x val) val { return b.round(x, 1) }),

	binary("Add", (*body).add),
	binary("Sub", (*body).sub),
	binary("Mul", (*body).mul),
	binary("Div", (*body).div),
	binary("Max", func(b *body, x, y val) val {
		// Both orders differ in zeros and NaN only.
		m := b.and(b.max(x, y), b.max(y, x))
		return b.orMask(b.cmp(unordered, x, y), m)
	}),
	binary("Min", func(b *body, x, y val) val { return b.or(b.min(x, y), b.min(y, x)) }),
	compare("Gt", greater),
	compare("Ge", greaterEq),
	compare("Lt", less),
	compare("Le", lessEqual),
	compare("Eq", equal),
	compare("Ne", notEqual),
	wide(binary("Logistic", (*body).logisticOf)),
	binary("ReluGrad", func(b *body, g, y val) val { return b.keep(b.cmp(greater, y, b.k(0)), g) }),
	binary("SigmoidGrad", func(b *body, g, y val) val {
		return b.mul(g, b.mul(y, b.sub(b.pin(b.k(1)), y)))
	}),
	binary("TanhGrad", func(b *body, g, y val) val {
		return b.mul(g, b.sub(b.pin(b.k(1)), b.mul(y, y)))
	}),

	ternary("Where", func(b *body, c, x, y val) val { return b.blend(b.cmp(notEqual, c, b.k(0)), x, y) }),
	ternary("MulAdd", func(b *body, x, y, z val) val { return b.add(b.mul(x, y), z) }),
	ternary("MulSub", func(b *body, x, y, z val) val { return b.sub(b.mul(x, y), z) }),
	ternary("SubMul", func(b *body, x, y, z val) val { return b.sub(z, b.mul(x, y)) }),
}
