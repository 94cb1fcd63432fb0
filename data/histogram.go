package data

// histogram is how often each value of byte storage occurs: the moments of
// millions of numbers are those of 256.
type histogram struct {
	n     [256]int
	value [256]float64
}

// byteCounter is a data set that may be able to count its inputs by value.
type byteCounter interface {
	count(h *histogram) bool
}

func (b *Bytes) count(h *histogram) bool {
	h.value = b.number
	h.add(b.x)
	return true
}

func (s *subset) count(h *histogram) bool {
	b, ok := s.base.(*Bytes)
	if !ok {
		return false
	}
	h.value = b.number
	for _, k := range s.index {
		h.add(b.x[k*b.size : (k+1)*b.size])
	}
	return true
}

func (r *reshaped) count(h *histogram) bool {
	c, ok := r.Dataset.(byteCounter)
	return ok && c.count(h)
}

// add counts bytes: in four tables, so that a run of one value does not wait for
// its own sums.
func (h *histogram) add(x []byte) {
	var n [4][256]int
	for ; len(x) >= 4; x = x[4:] {
		n[0][x[0]]++
		n[1][x[1]]++
		n[2][x[2]]++
		n[3][x[3]]++
	}
	for _, v := range x {
		n[0][v]++
	}
	for v := range h.n {
		h.n[v] += n[0][v] + n[1][v] + n[2][v] + n[3][v]
	}
}

// moments are the mean and the sum of squared deviations, by deviations from a
// value that occurs: where there is no other, the sum is exactly 0.
func (h *histogram) moments() (mean, m2 float64) {
	total, centre := 0, 0.0
	for v, n := range h.n {
		if n > 0 && total == 0 {
			centre = h.value[v]
		}
		total += n
	}
	sum := 0.0
	for v, n := range h.n {
		sum += float64(float64(n) * (h.value[v] - centre))
	}
	mean = centre + sum/float64(total)
	for v, n := range h.n {
		d := h.value[v] - mean
		m2 += float64(float64(n) * float64(d*d)) // kept from being fused: the same bits on every processor
	}
	return mean, m2
}
