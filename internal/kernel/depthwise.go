package kernel

// depthwise is a convolution of each channel by itself, for a run of n results:
//
//	y[i, c] = sum over r, s of x[i, r, s, c] w[r, s, c]
//
// c runs fastest everywhere, and w has nothing between its elements. Its transpose
// in the weights is one too: of the results as weights, for results that are the
// taps. Steps are in elements.
type depthwise struct {
	n            int // results
	xStep, yStep int // from a result to the next
	r, s         int // taps down and across, at least 1
	row, tap     int // from a row of taps to the next, and from a tap to the next
	c            int // channels
}

// convolve sets y or adds to it. A sum begins with what is there and goes by taps.
func convolve[T Float](d *depthwise, y, x, w []T, add bool) {
	// What is touched, checked once.
	y = y[:(d.n-1)*d.yStep+d.c]
	x = x[:(d.n-1)*d.xStep+(d.r-1)*d.row+(d.s-1)*d.tap+d.c]
	w = w[:d.r*d.s*d.c]
	if level != Generic {
		depthwiseAsm(d, y, x, w, add)
		return
	}
	for i := range d.n {
		to := y[i*d.yStep:][:d.c]
		if !add {
			clear(to)
		}
		for r := range d.r {
			for s := range d.s {
				from := x[i*d.xStep+r*d.row+s*d.tap:][:d.c]
				for j, v := range w[(r*d.s+s)*d.c:][:d.c] {
					to[j] += from[j] * v
				}
			}
		}
	}
}
