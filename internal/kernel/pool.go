package kernel

// Pooling kernels work on images whose channels lie together, [h, w, c], and
// give results [oh, ow, c]. Padding is never chosen.

// windows calls f for the results of the rows [lo, hi) in runs whose windows lie
// equally: those of a run have the taps [r0, r1) x [s0, s1) in the plane, and at
// is the first of these taps, as a pixel. A window in padding alone has none.
func (w *Window) windows(lo, hi int, f func(oh, ow, count, r0, r1, s0, s1, at int)) {
	for oh := lo; oh < hi; oh++ {
		top := oh*w.StrideH - w.PadTop
		r0, r1 := taps(w.R, w.H, top, w.DilationH)
		for ow := 0; ow < w.OW; {
			left := ow*w.StrideW - w.PadLeft
			s0, s1 := taps(w.S, w.W, left, w.DilationW)
			n := 1
			for ; ow+n < w.OW; n++ {
				if a, b := taps(w.S, w.W, left+n*w.StrideW, w.DilationW); a != s0 || b != s1 {
					break
				}
			}
			f(oh, ow, n, r0, r1, s0, s1, (top+r0*w.DilationH)*w.W+left+s0*w.DilationW)
			ow += n
		}
	}
}

// taps gives those of a window [lo, hi) that lie in an axis of n places.
func taps(count, n, first, step int) (lo, hi int) {
	if first < 0 {
		lo = (-first + step - 1) / step
	}
	if n > first {
		hi = min(count, (n-first-1)/step+1)
	}
	return lo, max(lo, hi)
}

// poolKind is what a pooling kernel does.
type poolKind uint8

const (
	maxIndex poolKind = iota
	poolTake
	poolPut
	poolPutAdd
)

// MaxIndex sets, for the rows [lo, hi) of the results, at[oh, ow, ch] to the
// index h*W+w of the first largest element, or the first NaN, of that window of
// channel ch of x; it is -1 for a window that lies in padding alone.
func MaxIndex[T Float](w *Window, c int, at, x []T, lo, hi int) {
	pooling(w, c, maxIndex, x, nil, at, lo, hi)
}

// PoolTake sets y[oh, ow, ch] = x[at[oh, ow, ch], ch] for the rows [lo, hi) of
// the results. The indices are those of [MaxIndex] for the same window; one
// below 0 gives 0.
func PoolTake[T Float](w *Window, c int, y, x, at []T, lo, hi int) {
	pooling(w, c, poolTake, x, y, at, lo, hi)
}

// PoolPut is the transpose of [PoolTake]: it sets the whole plane x to the sum of
// the y whose indices name each place.
func PoolPut[T Float](w *Window, c int, x, y, at []T) {
	// Windows that tile the plane write every place once.
	apart := w.StrideH >= w.R && w.StrideW >= w.S && w.DilationH == 1 && w.DilationW == 1
	whole := apart && w.StrideH == w.R && w.StrideW == w.S && w.PadTop == 0 && w.PadLeft == 0 && w.OH*w.R == w.H && w.OW*w.S == w.W
	if !whole {
		clear(x[:w.H*w.W*c])
	}
	kind := poolPutAdd
	if apart {
		kind = poolPut
	}
	pooling(w, c, kind, x, y, at, 0, w.OH)
}

func pooling[T Float](w *Window, c int, kind poolKind, x, y, at []T, lo, hi int) {
	if c == 0 {
		return
	}
	w.windows(lo, hi, func(oh, ow, count, r0, r1, s0, s1, first int) {
		i := (oh*w.OW + ow) * c
		var to []T
		if y != nil {
			to = y[i : i+count*c]
		}
		if r0 >= r1 || s0 >= s1 {
			for j := range count * c {
				switch kind {
				case maxIndex:
					at[i+j] = -1
				case poolTake:
					to[j] = 0
				}
			}
			return
		}
		if level == Generic {
			poolGo(w, c, kind, x, to, at[i:i+count*c], count, r1-r0, s1-s0, first)
		} else {
			poolAsm(w, c, kind, x, to, at[i:i+count*c], count, r1-r0, s1-s0, first)
		}
	})
}

// poolGo works on count windows of r x s taps, the first of which begins at the
// pixel first.
func poolGo[T Float](w *Window, c int, kind poolKind, x, y, at []T, count, r, s, first int) {
	for n := range count {
		for ch := range c {
			i := n*c + ch
			var best T
			if kind == maxIndex {
				at[i] = T(first)
				best = x[first*c+ch]
			}
			if kind == poolTake {
				y[i] = 0
			}
			for a := range r {
				for b := range s {
					p := first + a*w.DilationH*w.W + b*w.DilationW
					v := &x[p*c+ch]
					here := kind != maxIndex && at[i] == T(p)
					switch {
					case kind == maxIndex:
						if best == best && !(*v <= best) {
							at[i], best = T(p), *v
						}
					case kind == poolTake && here:
						y[i] = *v
					case kind == poolPut && here:
						*v = y[i]
					case kind == poolPut:
						*v = 0
					case kind == poolPutAdd && here:
						*v += y[i]
					}
				}
			}
		}
		first += w.StrideW
	}
}

// SumPool sets y[oh, ow, ch] to the sum of that window of channel ch of x, for
// the rows [lo, hi) of the results.
func SumPool[T Float](w *Window, c int, y, x []T, lo, hi int) {
	clear(y[lo*w.OW*c : hi*w.OW*c])
	w.windows(lo, hi, func(oh, ow, count, r0, r1, s0, s1, first int) {
		if r0 >= r1 || s0 >= s1 {
			return
		}
		for n := range count {
			to := y[(oh*w.OW+ow+n)*c:][:c]
			for a := range r1 - r0 {
				for b := range s1 - s0 {
					p := first + n*w.StrideW + a*w.DilationH*w.W + b*w.DilationW
					Map2(Add, to, to, x[p*c:][:c])
				}
			}
		}
	})
}

// SumPoolT is the transpose of [SumPool]: it sets the whole plane x to the sum,
// over the windows that hold a place, of those windows' y.
func SumPoolT[T Float](w *Window, c int, x, y []T) {
	clear(x[:w.H*w.W*c])
	w.windows(0, w.OH, func(oh, ow, count, r0, r1, s0, s1, first int) {
		if r0 >= r1 || s0 >= s1 {
			return
		}
		for n := range count {
			from := y[(oh*w.OW+ow+n)*c:][:c]
			for a := range r1 - r0 {
				for b := range s1 - s0 {
					p := first + n*w.StrideW + a*w.DilationH*w.W + b*w.DilationW
					to := x[p*c:][:c]
					Map2(Add, to, to, from)
				}
			}
		}
	})
}
