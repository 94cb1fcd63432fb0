package kernel

// Window says how a window of R x S taps slides over a plane of H x W with
// zeros around it. Output (oh, ow) reads (oh*StrideH + r*DilationH - PadTop,
// ow*StrideW + s*DilationW - PadLeft); what lies outside the plane is padding.
type Window struct {
	H, W                 int
	R, S                 int
	StrideH, StrideW     int
	DilationH, DilationW int
	PadTop, PadLeft      int
	OH, OW               int
}

// span gives the outputs [lo, hi) of one axis for which tap t reads inside.
func span(n, out, stride, off int) (lo, hi int) {
	// 0 <= o*stride + off < n
	if off < 0 {
		lo = (-off + stride - 1) / stride
	}
	if n > off {
		hi = min(out, (n-off-1)/stride+1)
	}
	return lo, max(lo, hi)
}

// Im2Col copies the windows of c planes x into the rows of dst: row
// (ch*R+r)*S+s, column oh*OW+ow, c*R*S rows of OH*OW columns.
func Im2Col[T Float](g *Window, c int, dst, x []T) {
	ohw := g.OH * g.OW
	for ch := range c {
		plane := x[ch*g.H*g.W : (ch+1)*g.H*g.W]
		for r := range g.R {
			h0, h1 := span(g.H, g.OH, g.StrideH, r*g.DilationH-g.PadTop)
			for s := range g.S {
				off := s*g.DilationW - g.PadLeft
				w0, w1 := span(g.W, g.OW, g.StrideW, off)
				row := dst[((ch*g.R+r)*g.S+s)*ohw:][:ohw]
				clear(row[:h0*g.OW])
				for oh := h0; oh < h1; oh++ {
					out := row[oh*g.OW : (oh+1)*g.OW]
					clear(out[:w0])
					clear(out[w1:])
					in := plane[(oh*g.StrideH+r*g.DilationH-g.PadTop)*g.W:][:g.W]
					if g.StrideW == 1 && w1 > w0 {
						copy(out[w0:w1], in[w0+off:])
						continue
					}
					for ow := w0; ow < w1; ow++ {
						out[ow] = in[ow*g.StrideW+off]
					}
				}
				clear(row[h1*g.OW:])
			}
		}
	}
}

// Col2Im is the transpose of [Im2Col]: it adds every column entry to the
// element of x that it was copied from.
func Col2Im[T Float](g *Window, c int, x, col []T) {
	ohw := g.OH * g.OW
	for ch := range c {
		plane := x[ch*g.H*g.W : (ch+1)*g.H*g.W]
		for r := range g.R {
			h0, h1 := span(g.H, g.OH, g.StrideH, r*g.DilationH-g.PadTop)
			for s := range g.S {
				off := s*g.DilationW - g.PadLeft
				w0, w1 := span(g.W, g.OW, g.StrideW, off)
				row := col[((ch*g.R+r)*g.S+s)*ohw:][:ohw]
				for oh := h0; oh < h1; oh++ {
					out := row[oh*g.OW : (oh+1)*g.OW]
					in := plane[(oh*g.StrideH+r*g.DilationH-g.PadTop)*g.W:][:g.W]
					for ow := w0; ow < w1; ow++ {
						in[ow*g.StrideW+off] += out[ow]
					}
				}
			}
		}
	}
}
