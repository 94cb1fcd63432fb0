package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// randomWindow fits a plane.
func randomWindow(r *rand.Rand) Window {
	for {
		w := Window{H: 1 + r.IntN(12), W: 1 + r.IntN(12), R: 1 + r.IntN(4), S: 1 + r.IntN(4),
			StrideH: 1 + r.IntN(3), StrideW: 1 + r.IntN(3), DilationH: 1 + r.IntN(2), DilationW: 1 + r.IntN(2),
			PadTop: r.IntN(3), PadLeft: r.IntN(3)}
		if r.IntN(2) == 0 {
			w.StrideH, w.StrideW, w.DilationH, w.DilationW = 1, 1, 1, 1
		}
		dh := w.H + w.PadTop + r.IntN(3) - w.DilationH*(w.R-1) - 1
		dw := w.W + w.PadLeft + r.IntN(3) - w.DilationW*(w.S-1) - 1
		if dh < 0 || dw < 0 {
			continue
		}
		w.OH, w.OW = dh/w.StrideH+1, dw/w.StrideW+1
		return w
	}
}

// eachTap calls f for all that meet in a convolution: pixels of the image and
// the result, the tap and the channels, as the layouts place them.
func eachTap(w *Window, c, k, groups int, f func(image, weight, turned, out int)) {
	in, out := c/groups, k/groups
	for oh := range w.OH {
		for ow := range w.OW {
			for r := range w.R {
				for s := range w.S {
					h, x := oh*w.StrideH+r*w.DilationH-w.PadTop, ow*w.StrideW+s*w.DilationW-w.PadLeft
					if h < 0 || h >= w.H || x < 0 || x >= w.W {
						continue
					}
					for ko := range k {
						g := ko / out
						for ci := range in {
							f((h*w.W+x)*c+g*in+ci, ((r*w.S+s)*in+ci)*k+ko,
								(((w.R-1-r)*w.S+w.S-1-s)*out+ko-g*out)*c+g*in+ci, (oh*w.OW+ow)*k+ko)
						}
					}
				}
			}
		}
	}
}

func TestConvolutions(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		t.Run("float32", testConvolutions[float32])
		t.Run("float64", testConvolutions[float64])
	})
}

func testConvolutions[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	eps := 0x1p-24
	if sizeof[T]() == 8 {
		eps = 0x1p-53
	}
	for trial := range 300 {
		w := randomWindow(r)
		groups := []int{1, 1, 1, 2, 3}[r.IntN(5)]
		c, k := groups*(1+r.IntN(6)), groups*(1+r.IntN(20))
		if trial%10 == 0 {
			groups = 2 + r.IntN(40) // each channel by itself
			c, k = groups, groups
		}
		what := fmt.Sprintf("%+v, %d channels, %d filters, %d groups", w, c, k, groups)
		in, out := c/groups, k/groups
		image, result := newFenced[T](r, w.H*w.W*c), newFenced[T](r, w.OH*w.OW*k)
		weight, turned := newFenced[T](r, w.R*w.S*in*k), newFenced[T](r, w.R*w.S*out*c)

		// y = x * w; dx and dw for the cotangent result.
		y, dx, dw := newFenced[T](r, len(result.x)), newFenced[T](r, len(image.x)), newFenced[T](r, len(weight.x))
		sum := func(n int) (v, size []float64) { return make([]float64, n), make([]float64, n) }
		wantY, sizeY := sum(len(y.x))
		wantDX, sizeDX := sum(len(dx.x))
		wantDW, sizeDW := sum(len(dw.x))
		eachTap(&w, c, k, groups, func(i, wi, ti, o int) {
			add := func(v, size []float64, at int, a, b T) {
				v[at] += float64(a) * float64(b)
				size[at] += math.Abs(float64(a) * float64(b))
			}
			add(wantY, sizeY, o, image.x[i], weight.x[wi])
			add(wantDX, sizeDX, i, result.x[o], turned.x[ti])
			add(wantDW, sizeDW, wi, image.x[i], result.x[o])
		})

		p := NewConv[T](w, c, k, groups)
		s := newFenced[T](r, p.Scratch())
		cut := r.IntN(w.OH + 1)
		p.Rows(y.x, image.x, weight.x, s.x, cut, w.OH)
		p.Rows(y.x, image.x, weight.x, s.x, 0, cut)
		s.check(t, what)
		q := NewConvImage[T](w, c, k, groups)
		s = newFenced[T](r, q.Scratch())
		cut = r.IntN(w.H + 1)
		q.Rows(dx.x, result.x, turned.x, s.x, 0, cut)
		q.Rows(dx.x, result.x, turned.x, s.x, cut, w.H)
		s.check(t, what)
		v := NewConvWeights[T](w, c, k, groups)
		s = newFenced[T](r, v.Scratch())
		v.Image(dw.x, image.x, result.x, s.x, false)
		v.Image(dw.x, image.x, result.x, s.x, true) // twice the same
		for i := range wantDW {
			wantDW[i] *= 2
			sizeDW[i] *= 2
		}
		s.check(t, what)
		for _, x := range []struct {
			name       string
			got        fenced[T]
			want, size []float64
		}{{"result", y, wantY, sizeY}, {"image", dx, wantDX, sizeDX}, {"weights", dw, wantDW, sizeDW}} {
			x.got.check(t, what)
			// No sum here has more than some hundred terms.
			for i, got := range x.got.x {
				if !(math.Abs(float64(got)-x.want[i]) <= 500*eps*x.size[i]) {
					t.Fatalf("%s: element %d of the %s is %v, want %v", what, i, x.name, got, x.want[i])
				}
			}
		}
		image.check(t, what)
		result.check(t, what)
	}
}

// TestWinograd bounds the error relative to the root mean square of the result,
// as sums of other terms than those of the definition cancel.
func TestWinograd(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		t.Run("float32", func(t *testing.T) { testWinograd[float32](t, 5e-6) })
		t.Run("float64", func(t *testing.T) { testWinograd[float64](t, 1e-14) })
	})
}

func testWinograd[T Float](t *testing.T, limit float64) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 100 {
		w := Window{H: 2 + r.IntN(15), W: 2 + r.IntN(15), R: 3, S: 3, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, PadTop: r.IntN(3), PadLeft: r.IntN(3)}
		w.OH, w.OW = w.H+w.PadTop+r.IntN(3)-2, w.W+w.PadLeft+r.IntN(3)-2
		if !CanWinograd(w) {
			continue
		}
		c, k := 1+r.IntN(40), 1+r.IntN(40)
		what := fmt.Sprintf("%+v, %d channels, %d filters", w, c, k)
		image, result := newFenced[T](r, w.H*w.W*c), newFenced[T](r, w.OH*w.OW*k)
		weight, turned := newFenced[T](r, 9*c*k), newFenced[T](r, 9*c*k)
		y, dx := newFenced[T](r, len(result.x)), newFenced[T](r, len(image.x))
		wantY, wantDX := make([]float64, len(y.x)), make([]float64, len(dx.x))
		eachTap(&w, c, k, 1, func(i, wi, ti, o int) {
			wantY[o] += float64(image.x[i]) * float64(weight.x[wi])
			wantDX[i] += float64(result.x[o]) * float64(turned.x[ti])
		})
		u := newFenced[T](r, 16*c*k)
		for _, v := range []struct {
			p           *Winograd[T]
			to, from, w fenced[T]
			want        []float64
		}{{NewWinograd[T](w, c, k), y, image, weight, wantY}, {NewWinogradImage[T](w, c, k), dx, result, turned, wantDX}} {
			WinogradWeights(u.x, v.w.x)
			s := newFenced[T](r, v.p.Scratch())
			cut := r.IntN(v.p.TileRows() + 1)
			v.p.Rows(v.to.x, v.from.x, u.x, s.x, cut, v.p.TileRows())
			v.p.Rows(v.to.x, v.from.x, u.x, s.x, 0, cut)
			for _, f := range []fenced[T]{v.to, v.from, v.w, u, s} {
				f.check(t, what)
			}
			rms := 0.0
			for _, x := range v.want {
				rms += x * x / float64(len(v.want))
			}
			for i, got := range v.to.x {
				if d := math.Abs(float64(got) - v.want[i]); !(d <= limit*math.Sqrt(rms)) {
					t.Fatalf("%s: element %d is %v, want %v", what, i, got, v.want[i])
				}
			}
		}
	}
}

func TestPooling(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		t.Run("float32", testPooling[float32])
		t.Run("float64", testPooling[float64])
	})
}

func testPooling[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for trial := range 400 {
		w := randomWindow(r)
		c := 1 + r.IntN(40)
		what := fmt.Sprintf("%+v, %d channels", w, c)
		x := newFenced[T](r, w.H*w.W*c)
		for i := range x.x { // ties, and now and then what is no number
			x.x[i] = T(r.IntN(5))
			if trial%3 == 0 && r.IntN(20) == 0 {
				x.x[i] = T([]float64{math.NaN(), math.Inf(1), math.Inf(-1)}[r.IntN(3)])
			}
		}
		n := w.OH * w.OW * c
		at, y, dx, dy := newFenced[T](r, n), newFenced[T](r, n), newFenced[T](r, len(x.x)), newFenced[T](r, n)
		cut := r.IntN(w.OH + 1)
		MaxIndex(&w, c, at.x, x.x, cut, w.OH)
		MaxIndex(&w, c, at.x, x.x, 0, cut)
		PoolTake(&w, c, y.x, x.x, at.x, 0, cut)
		PoolTake(&w, c, y.x, x.x, at.x, cut, w.OH)
		PoolPut(&w, c, dx.x, dy.x, at.x)
		sum, dsum := newFenced[T](r, n), newFenced[T](r, len(x.x))
		SumPool(&w, c, sum.x, x.x, cut, w.OH)
		SumPool(&w, c, sum.x, x.x, 0, cut)
		SumPoolT(&w, c, dsum.x, dy.x)
		for _, f := range []fenced[T]{x, at, y, dx, dy, sum, dsum} {
			f.check(t, what)
		}

		wantDX, wantDSum := make([]float64, len(x.x)), make([]float64, len(x.x))
		same := func(a, b float64) bool { return a == b || a != a && b != b }
		for oh := range w.OH {
			for ow := range w.OW {
				for ch := range c {
					best, o := -1, (oh*w.OW+ow)*c+ch
					total := 0.0
					for i := range w.R {
						for j := range w.S {
							h, l := oh*w.StrideH+i*w.DilationH-w.PadTop, ow*w.StrideW+j*w.DilationW-w.PadLeft
							if h < 0 || h >= w.H || l < 0 || l >= w.W {
								continue
							}
							p := h*w.W + l
							v := x.x[p*c+ch]
							total += float64(v)
							wantDSum[p*c+ch] += float64(dy.x[o])
							if best < 0 {
								best = p
							} else if m := x.x[best*c+ch]; v > m || v != v && m == m {
								best = p
							}
						}
					}
					if at.x[o] != T(best) {
						t.Fatalf("%s: index (%d, %d, %d) is %v, want %d", what, oh, ow, ch, at.x[o], best)
					}
					want := 0.0
					if best >= 0 {
						want = float64(x.x[best*c+ch])
						wantDX[best*c+ch] += float64(dy.x[o])
					}
					if !same(float64(y.x[o]), want) {
						t.Fatalf("%s: (%d, %d, %d) is %v, want %v", what, oh, ow, ch, y.x[o], want)
					}
					if !same(float64(sum.x[o]), total) { // small whole numbers: exact
						t.Fatalf("%s: sum (%d, %d, %d) is %v, want %v", what, oh, ow, ch, sum.x[o], total)
					}
				}
			}
		}
		for i := range wantDX {
			if d := math.Abs(float64(dx.x[i]) - wantDX[i]); !(d <= 1e-5) {
				t.Fatalf("%s: element %d is put to %v, want %v", what, i, dx.x[i], wantDX[i])
			}
			if d := math.Abs(float64(dsum.x[i]) - wantDSum[i]); !(d <= 1e-5) {
				t.Fatalf("%s: element %d is spread to %v, want %v", what, i, dsum.x[i], wantDSum[i])
			}
		}
	}
}

// The second convolution of a small MNIST network, one core.
func BenchmarkConv(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, s := range []struct{ size, c, k int }{{28, 1, 32}, {14, 32, 64}} {
		w := Window{H: s.size, W: s.size, R: 3, S: 3, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, PadTop: 1, PadLeft: 1, OH: s.size, OW: s.size}
		image, result := newFenced[float32](r, w.H*w.W*s.c), newFenced[float32](r, w.OH*w.OW*s.k)
		weight := newFenced[float32](r, 9*s.c*s.k)
		report := func(b *testing.B) {
			b.ReportMetric(2*float64(w.OH*w.OW*9*s.c*s.k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		}
		name := fmt.Sprintf("%dx%d-%d-%d", s.size, s.size, s.c, s.k)
		b.Run(name+"/out", func(b *testing.B) {
			p := NewConv[float32](w, s.c, s.k, 1)
			scratch := make([]float32, p.Scratch())
			for b.Loop() {
				p.Rows(result.x, image.x, weight.x, scratch, 0, w.OH)
			}
			report(b)
		})
		if s.c > 1 {
			b.Run(name+"/winograd", func(b *testing.B) {
				p := NewWinograd[float32](w, s.c, s.k)
				scratch, u := make([]float32, p.Scratch()), make([]float32, 16*s.c*s.k)
				WinogradWeights(u, weight.x)
				for b.Loop() {
					p.Rows(result.x, image.x, u, scratch, 0, p.TileRows())
				}
				report(b)
			})
			b.Run(name+"/winograd-weights", func(b *testing.B) {
				u := make([]float32, 16*s.c*s.k)
				for b.Loop() {
					WinogradWeights(u, weight.x)
				}
			})
		}
		b.Run(name+"/image", func(b *testing.B) {
			p := NewConvImage[float32](w, s.c, s.k, 1)
			scratch := make([]float32, p.Scratch())
			for b.Loop() {
				p.Rows(image.x, result.x, weight.x, scratch, 0, w.H)
			}
			report(b)
		})
		b.Run(name+"/weights", func(b *testing.B) {
			p := NewConvWeights[float32](w, s.c, s.k, 1)
			scratch := make([]float32, p.Scratch())
			for b.Loop() {
				p.Image(weight.x, image.x, result.x, scratch, true)
			}
			report(b)
		})
	}
}

// A convolution of each of 64 channels by itself, one core.
func BenchmarkDepthwise(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 8))
	const size, c = 28, 64
	w := Window{H: size, W: size, R: 3, S: 3, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, PadTop: 1, PadLeft: 1, OH: size, OW: size}
	image, result, weight := newFenced[float32](r, size*size*c), newFenced[float32](r, size*size*c), newFenced[float32](r, 9*c)
	p, q := NewConv[float32](w, c, c, c), NewConvWeights[float32](w, c, c, c)
	scratch := make([]float32, max(p.Scratch(), q.Scratch()))
	for name, f := range map[string]func(){
		"out":     func() { p.Rows(result.x, image.x, weight.x, scratch, 0, w.OH) },
		"weights": func() { q.Image(weight.x, image.x, result.x, scratch, true) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f()
			}
			b.ReportMetric(2*size*size*9*c*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
