package exec

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/parallel"
)

// crossEntropy writes the loss [...] of logits z [..., classes] and labels y
// [...], and its gradient in z times a number, as the operations lower them.
func crossEntropy(b *Builder, z, y Value, scale float64) (loss, grad Value) {
	shape := b.Shape(z)
	lead, last := shape[:len(shape)-1], len(shape)-1
	column := append(append([]int(nil), lead...), 1)
	repeat := func(v Value) Value { return b.Broadcast(b.Reshape(v, column), shape) }
	at := b.Reshape(y, column)
	c := b.Map2(Sub, z, repeat(b.Reduce(MaxRed, z, []int{last})))
	lse := b.Reduce(LogSumExpRed, c, []int{last})
	loss = b.Map2(Sub, lse, b.Reshape(b.Take(c, at, last), lead))
	p := b.Map1(Exp, b.Map2(Sub, c, repeat(lse)), 0, 0)
	grad = b.Map2(Add, b.Map2(Mul, p, b.Fill(scale, shape...)), b.PutAdd(b.Fill(-scale, column...), at, last, shape[last]))
	return loss, grad
}

func TestEntropyIsOneInstruction(t *testing.T) {
	b := newBuilder()
	loss, grad := crossEntropy(b, b.input(4, 3), b.input(4), 0.25)
	g := b.returns(b.Reduce(SumRed, loss, []int{0}), b.Map1(Neg, grad, 0, 0))
	simplify(g)
	prune(g)
	entropy(g)
	prune(g)
	text := g.String()
	if n := strings.Count(text, "cross_entropy_and_grad(0.25)"); n != 1 || strings.Contains(text, "exp") || strings.Contains(text, "take") {
		t.Errorf("the program is\n%s", text)
	}
}

// What reads the probabilities keeps them.
func TestEntropyStaysWhereItsPartsAreRead(t *testing.T) {
	b := newBuilder()
	z := b.input(4, 3)
	loss, grad := crossEntropy(b, z, b.input(4), 0.25)
	var p Value
	for i := range b.g.code {
		if one(b.g.code[i].op, Exp) {
			p = b.g.code[i].out
		}
	}
	g := b.returns(loss, grad, b.Map2(Mul, p, z))
	simplify(g)
	prune(g)
	before := g.String()
	entropy(g)
	expect(t, "after", g, before)
}

// TestEntropyKeepsValues compares programs as written with compiled ones: the
// loss, its gradient or both, read as they are or through views.
func TestEntropyKeepsValues(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 7))
		shape := []int{1 + r.IntN(70), 1 + r.IntN(12)}
		if r.IntN(3) == 0 {
			shape = []int{1 + r.IntN(4), 1 + r.IntN(30), 1 + r.IntN(12)}
		}
		if r.IntN(4) == 0 {
			shape[0] = 1
		}
		lead := shape[:len(shape)-1]
		wanted, reads := 1+r.IntN(3), r.IntN(3)
		b := newBuilder()
		z, y := b.input(shape...), b.input(lead...)
		loss, grad := crossEntropy(b, z, y, r.NormFloat64())
		var outs []Value
		if wanted&1 != 0 {
			switch reads {
			case 1:
				loss = b.Reduce(SumRed, loss, []int{0})
			case 2:
				loss = b.Reshape(loss, []int{Size(lead), 1})
			}
			outs = append(outs, loss)
		}
		if wanted&2 != 0 {
			switch reads {
			case 1:
				grad = b.Map1(Tanh, grad, 0, 0)
			case 2:
				grad = b.Reduce(SumRed, grad, []int{0})
			}
			outs = append(outs, grad)
		}
		plain := b.returns(outs...)
		g := plain.clone()
		g.improve()
		if classes := shape[len(shape)-1]; classes > 1 && !strings.Contains(g.String(), "cross_entropy") {
			t.Fatalf("seed %d: not joined:\n%s", seed, g)
		}
		logits, labels := make([]float64, Size(shape)), make([]float64, Size(lead))
		for i := range logits {
			logits[i] = 20 * r.NormFloat64()
		}
		for i := range labels {
			labels[i] = float64(r.IntN(shape[len(shape)-1]))
		}
		want, got := entropyValues[float64](t, plain, logits, labels), entropyValues[float64](t, g, logits, labels)
		single := entropyValues[float32](t, g, logits, labels)
		for i := range want {
			largest := 1e-300
			for _, v := range want[i] {
				largest = max(largest, math.Abs(v))
			}
			// Both are sums of at most 70 numbers of the size of the largest logit, about 80.
			for j, v := range want[i] {
				if d := math.Abs(got[i][j] - v); !(d <= 1e-12*max(1, largest)) {
					t.Fatalf("seed %d: output %d, element %d is %v, as written %v\n%s", seed, i, j, got[i][j], v, g)
				}
				if d := math.Abs(single[i][j] - v); !(d <= 1e-4*max(1, largest)) {
					t.Fatalf("seed %d, float32: output %d, element %d is %v, as written %v", seed, i, j, single[i][j], v)
				}
			}
		}
	}
}

func entropyValues[T Float](t *testing.T, g *graph, logits, labels []float64) [][]float64 {
	t.Helper()
	p, err := link[T](g.clone(), Options{Pool: parallel.New(2)})
	if err != nil {
		t.Fatal(err)
	}
	p.SetInput(0, converted[T](logits))
	p.SetInput(1, converted[T](labels))
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	var out [][]float64
	for i := range p.outputs {
		out = append(out, converted[float64](p.Output(i)))
	}
	return out
}

func converted[T, S Float](x []S) []T {
	y := make([]T, len(x))
	for i, v := range x {
		y[i] = T(v)
	}
	return y
}

func TestEntropyRefusesLabels(t *testing.T) {
	for _, bad := range []float64{-1, 3, 0.5, math.NaN(), math.Inf(1)} {
		b := newBuilder()
		loss, grad := crossEntropy(b, b.input(2, 3), b.input(2), 1)
		g := b.returns(loss, grad)
		g.improve()
		p, err := link[float64](g, Options{Pool: parallel.New(1)})
		if err != nil {
			t.Fatal(err)
		}
		p.SetInput(0, make([]float64, 6))
		p.SetInput(1, []float64{0, bad})
		if err := p.Run(); err == nil || !strings.Contains(err.Error(), "at place 1: want a whole number from 0 to 2") {
			t.Errorf("label %v gives %v", bad, err)
		}
	}
}
