package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// same tells whether two numbers have the same bits, or are both NaN.
func same[T Float](x, y T) bool {
	return x != x && y != y || x == y && math.Signbit(float64(x)) == math.Signbit(float64(y))
}

// mixed are numbers of every kind.
func mixed[T Float](r *rand.Rand, x []T) {
	tiny, huge := math.SmallestNonzeroFloat32, math.MaxFloat32
	if sizeof[T]() == 8 {
		tiny, huge = math.SmallestNonzeroFloat64, math.MaxFloat64
	}
	special := []float64{0, math.Copysign(0, -1), 1, -1, math.Inf(1), math.Inf(-1), math.NaN(), tiny, -tiny, 1000 * tiny, huge, -huge, 0.5, -2.5, 3}
	for i := range x {
		switch r.IntN(5) {
		case 0:
			x[i] = T(special[r.IntN(len(special))])
		case 1:
			x[i] = T(r.NormFloat64() * 100)
		case 2:
			x[i] = T(math.Copysign(math.Exp(r.NormFloat64()*30), r.NormFloat64()))
		default:
			x[i] = T(r.NormFloat64())
		}
	}
}

var lengths = []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 47, 63, 64, 65, 100, 127, 130, 1000}

// TestMap: every function at every level, on slices of any length and alignment,
// with numbers in the place of slices and the result in the place of an operand,
// agrees with plain Go: exactly, or where Fn.Accuracy allows a difference within
// twice that; and the two vector levels agree exactly.
func TestMap(t *testing.T) {
	t.Run("float32", testMap[float32])
	t.Run("float64", testMap[float64])
}

func testMap[T Float](t *testing.T) {
	was := level
	defer func() { level = was }()
	r := rand.New(rand.NewPCG(1, 2))
	for f := range NumFn {
		for trial := range 60 {
			n := lengths[r.IntN(len(lengths))]
			if trial == 0 {
				n = 9000 // more than one call
			}
			in := make([]fenced[T], f.Arity())
			what := fmt.Sprintf("%s of %d", f, n)
			for k := range in {
				in[k] = newFenced[T](r, n)
				if r.IntN(4) == 0 && k+f.Arity() > 1 {
					in[k] = newFenced[T](r, 1)
					what += fmt.Sprintf(", operand %d a number", k)
				}
				mixed(r, in[k].x)
			}
			alias := r.IntN(2*len(in)+1) - 1 // the operand that dst is
			p, q := r.NormFloat64(), r.NormFloat64()
			var first []T
			for l := Generic; l <= detect(); l++ {
				level = l
				out := newFenced[T](r, n)
				ops := make([][]T, len(in))
				for k := range in {
					ops[k] = in[k].x
				}
				if alias >= 0 && alias < len(in) && len(in[alias].x) == n {
					copy(out.x, ops[alias])
					ops[alias] = out.x
				}
				applyFn(f, out.x, ops, p, q)
				out.check(t, what)
				for k := range in {
					in[k].check(t, what)
				}
				for i := range out.x {
					at := make([]T, len(in))
					for k := range in {
						at[k] = in[k].x[i%len(in[k].x)]
					}
					got := out.x[i]
					if l > Generic && !agree(f, got, first[i], at) || l > AVX2 && !same(got, first[i]) {
						t.Fatalf("%s, %s: at %v it is %v, want %v", what, l, at, got, first[i])
					}
				}
				if l != AVX512 {
					first = out.x
				}
			}
		}
	}
}

func applyFn[T Float](f Fn, dst []T, x [][]T, p, q float64) {
	switch len(x) {
	case 1:
		Map1(f, dst, x[0], p, q)
	case 2:
		Map2(f, dst, x[0], x[1])
	default:
		Map3(f, dst, x[0], x[1], x[2])
	}
}

// agree tells whether two values of f at x are as near as its accuracy promises.
func agree[T Float](f Fn, got, want T, x []T) bool {
	a32, a64 := f.Accuracy()
	if sizeof[T]() == 4 {
		a64 = a32
	}
	if a64 == 0.5 || got != got || want != want || math.IsInf(float64(want), 0) || got == 0 {
		return same(got, want) || got == 0 && math.Signbit(float64(got)) == math.Signbit(float64(want)) && a64 > 0.5 && want < 1e-300
	}
	size := math.Abs(float64(want))
	if f == Logistic {
		size = max(size, math.Abs(float64(x[0])*float64(x[1])), math.Abs(float64(x[0])))
	}
	ulp := max(size*0x1p-52, math.SmallestNonzeroFloat64)
	if sizeof[T]() == 4 {
		ulp = max(size*0x1p-23, math.SmallestNonzeroFloat32)
	}
	return math.Abs(float64(got)-float64(want)) <= 2*a64*ulp
}

// TestMapBits: what an element becomes does not depend on where in a slice it
// lies, so that work may be cut anywhere.
func TestMapBits(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		t.Run("float32", testMapBits[float32])
		t.Run("float64", testMapBits[float64])
	})
}

func testMapBits[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const n = 150
	for f := range NumFn {
		in := make([][]T, f.Arity())
		for k := range in {
			in[k] = newFenced[T](r, n).x
			mixed(r, in[k])
		}
		whole := make([]T, n)
		applyFn(f, whole, in, 0.25, 0.75)
		for range 40 {
			lo := r.IntN(n)
			hi := lo + 1 + r.IntN(min(40, n-lo))
			ops := make([][]T, len(in))
			for k := range in {
				ops[k] = in[k][lo:hi]
			}
			part := newFenced[T](r, hi-lo).x
			applyFn(f, part, ops, 0.25, 0.75)
			for i, got := range part {
				if !same(got, whole[lo+i]) {
					t.Fatalf("%s: element %d is %v in a slice from %d to %d and %v in the whole", f, lo+i, got, lo, hi, whole[lo+i])
				}
			}
		}
	}
}

// TestMapNames: every function has a name of its own.
func TestMapNames(t *testing.T) {
	seen := map[string]bool{}
	for f := range NumFn {
		if s := f.String(); s == "" || s == "unknown" || seen[s] {
			t.Errorf("function %d is called %q", f, s)
		} else {
			seen[s] = true
		}
	}
}
