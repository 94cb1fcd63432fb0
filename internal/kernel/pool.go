package kernel

// MaxIndex sets dst[oh*OW+ow] to the index h*W+w of the first largest element
// (or the first NaN) of that window of plane x. Padding is never chosen; a
// window that lies in padding alone gives -1.
func MaxIndex[T Float](g *Window, dst, x []T) {
	for oh := range g.OH {
		for ow := range g.OW {
			at := -1
			var m T
			for r := range g.R {
				h := oh*g.StrideH + r*g.DilationH - g.PadTop
				if h < 0 || h >= g.H {
					continue
				}
				for s := range g.S {
					w := ow*g.StrideW + s*g.DilationW - g.PadLeft
					if w < 0 || w >= g.W {
						continue
					}
					v := x[h*g.W+w]
					if at < 0 || v > m || (v != v && m == m) {
						at, m = h*g.W+w, v
					}
				}
			}
			dst[oh*g.OW+ow] = T(at)
		}
	}
}

// SumPool sets dst[oh*OW+ow] to the sum of that window of plane x.
func SumPool[T Float](g *Window, dst, x []T) {
	for oh := range g.OH {
		for ow := range g.OW {
			var sum T
			for r := range g.R {
				h := oh*g.StrideH + r*g.DilationH - g.PadTop
				if h < 0 || h >= g.H {
					continue
				}
				for s := range g.S {
					w := ow*g.StrideW + s*g.DilationW - g.PadLeft
					if w >= 0 && w < g.W {
						sum += x[h*g.W+w]
					}
				}
			}
			dst[oh*g.OW+ow] = sum
		}
	}
}

// SumPoolT is the transpose of [SumPool]: it sets x to the sum, over the
// windows that hold an element, of those windows' values y.
func SumPoolT[T Float](g *Window, x, y []T) {
	clear(x[:g.H*g.W])
	for r := range g.R {
		h0, h1 := span(g.H, g.OH, g.StrideH, r*g.DilationH-g.PadTop)
		for s := range g.S {
			off := s*g.DilationW - g.PadLeft
			w0, w1 := span(g.W, g.OW, g.StrideW, off)
			for oh := h0; oh < h1; oh++ {
				in := x[(oh*g.StrideH+r*g.DilationH-g.PadTop)*g.W:][:g.W]
				for ow := w0; ow < w1; ow++ {
					in[ow*g.StrideW+off] += y[oh*g.OW+ow]
				}
			}
		}
	}
}
