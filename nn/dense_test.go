package nn_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/nn"
)

// zooBatch is the number of examples, which are split unequally in two.
const zooBatch, zooFirst = 7, 4

// dense is Hessian and Gauss-Newton matrix of a problem, written out: the first
// as the Jacobian of the gradient, the second as J' H J of dense factors.
func (p problem) dense(t *testing.T) (h, gn *mat.Dense) {
	t.Helper()
	g := p.graph(t)
	n, z := len(p.m.Params), volume(g.Output.Shape())
	hessian := must[*nn.Node](t)(autodiff.Hessian(g.Loss, g.Params...))
	jacobian := must[*nn.Node](t)(autodiff.Jacobian(g.Output, g.Params...))
	outer := must[*nn.Node](t)(autodiff.Hessian(g.Loss, g.Output))
	out := run(t, p.m, g, p.at(g), p.row, hessian, jacobian, outer)
	j := mat.NewDense(z, n, out[1])
	var hj mat.Dense
	hj.Mul(mat.NewDense(z, z, out[2]), j)
	gn = new(mat.Dense)
	gn.Mul(j.T(), &hj)
	return mat.NewDense(n, n, out[0]), gn
}

// TestProductsAreThoseOfDenseMatrices compares, on nets that together use every
// layer, Hessian and Gauss-Newton products with dense matrices. Errors are
// relative to the largest element of the product.
func TestProductsAreThoseOfDenseMatrices(t *testing.T) {
	const tol = 1e-9
	for i, z := range zoo {
		t.Run(z.name, func(t *testing.T) {
			p := newProblem(t, uint64(i), z.net, z.loss, zooBatch, z.input...)
			h, gn := p.dense(t)
			r := rand.New(rand.NewPCG(uint64(i), 9))
			for _, c := range []struct {
				name string
				f    multiply
				a    mat.Matrix
			}{{"hvp", hvp, h}, {"ggn", ggn, gn}, {"ggn by the loss's own Hessian", ownGGN, gn}} {
				mul := p.product(t, c.f)
				for range 5 {
					v := uniform(r, len(p.m.Params), -1, 1)
					near(t, c.name, mul(v), times(c.a, v), tol)
				}
			}
			// Nets are not so small that the two could be confused.
			var diff mat.Dense
			diff.Sub(h, gn)
			sizeH, sizeGN, gap := largest(h), largest(gn), largest(&diff)
			if sizeGN < 1e-3*sizeH || gap < 1e-3*sizeH {
				t.Errorf("largest elements: Hessian %g, Gauss-Newton matrix %g, their difference %g", sizeH, sizeGN, gap)
			}
		})
	}
}

func largest(a *mat.Dense) float64 { return maxAbs(a.RawMatrix().Data...) }

// TestBatchesAddUp holds where examples do not depend on each other: loss,
// gradient and both products of seven examples are those of four and of three,
// put together by their numbers, dropout included. Errors are relative to the
// largest element.
func TestBatchesAddUp(t *testing.T) {
	const tol = 1e-12
	for i, z := range zoo {
		if z.coupled {
			continue
		}
		t.Run(z.name, func(t *testing.T) {
			p := newProblem(t, uint64(i), z.net, z.loss, zooBatch, z.input...)
			first, second := p.part(0, zooFirst), p.part(zooFirst, zooBatch)
			v := uniform(rand.New(rand.NewPCG(uint64(i), 10)), len(p.m.Params), -1, 1)
			loss := func(p problem) []float64 {
				g := p.graph(t)
				return run(t, p.m, g, p.at(g), p.row, g.Loss)[0]
			}
			of := func(f multiply) func(p problem) []float64 {
				return func(p problem) []float64 { return slices.Clone(p.product(t, f)(v)) }
			}
			for _, c := range []struct {
				name string
				f    func(p problem) []float64
			}{{"loss", loss}, {"gradient", func(p problem) []float64 { return p.grad(t) }}, {"hvp", of(hvp)}, {"ggn", of(ggn)}} {
				want := c.f(first)
				for k, w := range c.f(second) {
					want[k] = (zooFirst*want[k] + (zooBatch-zooFirst)*w) / zooBatch
				}
				near(t, c.name, c.f(p), want, tol)
			}
		})
	}
}

// TestManyDirectionsAtOnceAreOneAtATime tests HVPs. The same operations are done
// in both, but matrix products may be joined, so sums may be ordered anew.
func TestManyDirectionsAtOnceAreOneAtATime(t *testing.T) {
	const k, tol = 3, 1e-13
	for i, z := range zoo {
		t.Run(z.name, func(t *testing.T) {
			p := newProblem(t, uint64(i), z.net, z.loss, zooBatch, z.input...)
			g := p.graph(t)
			r := rand.New(rand.NewPCG(uint64(i), 11))
			in := p.at(g)
			var vs [][]*nn.Node
			var numbers [][]float64
			for range k {
				v := uniform(r, len(p.m.Params), -1, 1)
				nodes, _ := p.direction(g, []string{"a", "b", "c"}[len(vs)])
				for j, q := range p.m.Parameters() {
					in[nodes[j]] = v[q.Offset : q.Offset+q.Size()]
				}
				vs, numbers = append(vs, nodes), append(numbers, v)
			}
			var all []*nn.Node
			for _, hv := range must[[][]*nn.Node](t)(autodiff.HVPs(g.Loss, g.Params, vs)) {
				all = append(all, hv...)
			}
			var got []float64
			for _, x := range run(t, p.m, g, in, p.row, all...) {
				got = append(got, x...)
			}
			mul, n := p.product(t, hvp), len(p.m.Params)
			for j, v := range numbers {
				near(t, "direction", got[j*n:(j+1)*n], mul(v), tol)
			}
		})
	}
}

// TestGaussNewtonIsSymmetricAndNotNegative holds for any net, as all losses are
// convex in the output. Rounding leaves 1e-12 of the largest element.
func TestGaussNewtonIsSymmetricAndNotNegative(t *testing.T) {
	const tol = 1e-12
	losses := []nn.Loss{nn.SoftmaxCrossEntropy{}, nn.SoftmaxCrossEntropy{Smoothing: 0.3}, nn.SoftmaxCrossEntropy{Probs: true},
		nn.SigmoidCrossEntropy{}, nn.MeanSquaredError{}, nn.Huber{Delta: 3}}
	for i, z := range zoo {
		for _, loss := range losses {
			t.Run(z.name+", "+loss.String(), func(t *testing.T) {
				p := newProblem(t, uint64(i), z.net, loss, zooBatch, z.input...)
				a := columns(len(p.m.Params), p.product(t, ggn))
				eigenvalues := symmetric(t, a, tol)
				if largest := slices.Max(eigenvalues); largest <= 0 {
					t.Fatalf("the largest eigenvalue is %g", largest)
				} else if least := slices.Min(eigenvalues); least < -tol*largest {
					t.Errorf("eigenvalues from %g to %g", least, largest)
				}
			})
		}
	}
}

// TestHessianIsSymmetric tests the matrix that products give.
func TestHessianIsSymmetric(t *testing.T) {
	for i, z := range zoo {
		t.Run(z.name, func(t *testing.T) {
			p := newProblem(t, uint64(i), z.net, z.loss, zooBatch, z.input...)
			symmetric(t, columns(len(p.m.Params), p.product(t, hvp)), 1e-12)
		})
	}
}

// symmetric fails unless a is, to tol of its largest element, and gives its
// eigenvalues.
func symmetric(t *testing.T, a *mat.Dense, tol float64) []float64 {
	t.Helper()
	n, _ := a.Dims()
	s := mat.NewSymDense(n, nil)
	scale := largest(a)
	for i := range n {
		for j := range i + 1 {
			if e := math.Abs(a.At(i, j) - a.At(j, i)); !(e <= tol*scale) {
				t.Fatalf("element %d %d is %v, its mirror image %v: error %.2g of %.3g", i, j, a.At(i, j), a.At(j, i), e, scale)
			}
			s.SetSym(i, j, (a.At(i, j)+a.At(j, i))/2)
		}
	}
	var e mat.EigenSym
	if !e.Factorize(s, false) {
		t.Fatal("no eigenvalues")
	}
	return e.Values(nil)
}

// TestGaussNewtonOfALinearModelIsTheHessian: the second derivative of the
// output, which it leaves out, is zero.
func TestGaussNewtonOfALinearModelIsTheHessian(t *testing.T) {
	nets := []struct {
		name  string
		net   nn.Layer
		input []int
	}{
		{"dense", nn.Dense{Units: 3}, []int{4}},
		{"convolution and mean", nn.Sequential{nn.Conv2D{Filters: 3, Kernel: 2, Padding: nn.Same}, nn.AvgPool2D{Size: 2}, nn.GlobalAvgPool{}}, []int{2, 4, 4}},
	}
	for i, c := range nets {
		for _, loss := range []nn.Loss{nn.SoftmaxCrossEntropy{}, nn.SigmoidCrossEntropy{}, nn.MeanSquaredError{}} {
			t.Run(c.name+", "+loss.String(), func(t *testing.T) {
				p := newProblem(t, uint64(i), c.net, loss, zooBatch, c.input...)
				h, gn := columns(len(p.m.Params), p.product(t, hvp)), columns(len(p.m.Params), p.product(t, ggn))
				near(t, "ggn", gn.RawMatrix().Data, h.RawMatrix().Data, 1e-13)
			})
		}
	}
}

// TestASharedWeightAddsItsPlaces compares the gradient of a weight used three
// times with the sum of those of three weights of equal values.
func TestASharedWeightAddsItsPlaces(t *testing.T) {
	net := func(names ...string) nn.Layer {
		at := func(i int) nn.Layer { return nn.Shared{Name: names[i], Layer: nn.Dense{Units: 3}} }
		return nn.Sequential{at(0), nn.Tanh{}, at(1), nn.Sigmoid{}, at(2)}
	}
	tied := newProblem(t, 1, net("w", "w", "w"), nn.SoftmaxCrossEntropy{}, 5, 3)
	loose := newProblem(t, 1, net("a", "b", "c"), nn.SoftmaxCrossEntropy{}, 5, 3)
	n := len(tied.m.Params)
	if n != 12 || len(loose.m.Params) != 3*n {
		t.Fatalf("%d and %d parameters", n, len(loose.m.Params))
	}
	loose.x, loose.y = tied.x, tied.y
	for i := range 3 {
		copy(loose.m.Params[i*n:], tied.m.Params)
	}
	want := make([]float64, n)
	for i, g := range loose.grad(t) {
		want[i%n] += g
	}
	near(t, "gradient", tied.grad(t), want, 1e-13)
	// The Hessian likewise, over all pairs of places.
	v := uniform(rand.New(rand.NewPCG(1, 12)), n, -1, 1)
	clear(want)
	for i, h := range loose.product(t, hvp)(slices.Concat(v, v, v)) {
		want[i%n] += h
	}
	near(t, "hvp", tied.product(t, hvp)(v), want, 1e-13)
}
