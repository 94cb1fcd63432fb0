package kernel

import "math"

// reduceKind is a kernel that reduces rows, in the order of the generator.
type reduceKind int

const (
	sumRed reduceKind = iota
	dotRed
	maxRed
	minRed
	argMaxRed
	expSumRed
	expSumStoreRed
	scaleRed
	addRed
	squareRed
	squareBlockRed
)

// sumRowsGo sums rows of x, of x y, or of e^(x-shift), whose terms go to y if it
// is not nil, in the lanes that the assembly has.
func sumRowsGo[T Float](kind reduceKind, out []float64, x, y []T, shift []float64, rows, cols int) {
	for r := range rows {
		a := x[r*cols:][:cols]
		var lane [sumLanes]float64
		switch kind {
		case sumRed:
			for i, v := range a {
				lane[i%sumLanes] += float64(v)
			}
		case dotRed:
			b := y[r*cols:][:cols]
			for i, v := range a {
				lane[i%sumLanes] += float64(float64(v) * float64(b[i]))
			}
		default:
			for i, v := range a {
				e := math.Exp(float64(v) - shift[r])
				lane[i%expLanes] += e
				if y != nil {
					y[r*cols+i] = T(e)
				}
			}
		}
		out[r] = addLanes(&lane)
	}
}

func extremeRowsGo[T Float](kind reduceKind, out []float64, x []T, rows, cols int) {
	for r := range rows {
		if kind == minRed {
			m := math.Inf(1)
			for _, v := range x[r*cols:][:cols] {
				m = min(m, float64(v))
			}
			out[r] = m
			continue
		}
		m := math.Inf(-1)
		for _, v := range x[r*cols:][:cols] {
			m = max(m, float64(v))
		}
		out[r] = m
	}
}

func argMaxGo[T Float](x []T) int {
	at := 0
	for i, v := range x {
		if v != v {
			return i
		}
		if v > x[at] {
			at = i
		}
	}
	return at
}

// rowsAtOnce is how many rows have their numbers on the stack.
const rowsAtOnce = 64

// SumRows sets dst[r] to the sum of row r of x [rows, cols], added like [Sum].
func SumRows[T Float](dst, x []T, rows, cols int) { reduceRows(SumRed, dst, x, rows, cols) }

// MaxRows sets dst[r] to the largest element of row r of x [rows, cols], or NaN if
// it has one. Of no columns it is -Inf.
func MaxRows[T Float](dst, x []T, rows, cols int) { reduceRows(MaxRed, dst, x, rows, cols) }

// LogSumExpRows sets dst[r] to log(sum e^x[r,i]) for each row of x [rows, cols].
func LogSumExpRows[T Float](dst, x []T, rows, cols int) { reduceRows(LogSumExpRed, dst, x, rows, cols) }

// reduceRows reduces rows: long ones one by one, others together.
func reduceRows[T Float](red Red, dst, x []T, rows, cols int) {
	dst, x = dst[:rows], x[:rows*cols]
	if cols > sumBlock || cols == 0 {
		for r := range dst {
			dst[r] = Reduce(red, x[r*cols:(r+1)*cols])
		}
		return
	}
	var parts, most [rowsAtOnce]float64
	for len(dst) > 0 {
		n := min(len(dst), rowsAtOnce)
		part, m := parts[:n], most[:n]
		switch red {
		case SumRed:
			if !reduceAsm(sumRed, part, x, nil, nil, n, cols) {
				sumRowsGo(sumRed, part, x, nil, nil, n, cols)
			}
		case MaxRed:
			maxRows(part, x, n, cols)
		default:
			softmaxTerms(m, part, nil, x[:n*cols], n, cols)
			Map1(Log, part, part, 0, 0)
			for r, v := range m {
				if math.IsInf(v, 0) {
					part[r] = v
				} else {
					part[r] += v
				}
			}
		}
		for r, v := range part {
			dst[r] = T(v)
		}
		dst, x = dst[n:], x[n*cols:]
	}
}

// maxRows and expSumRows take rows of up to sumBlock columns.
func maxRows[T Float](out []float64, x []T, rows, cols int) {
	if !reduceAsm(maxRed, out, x, nil, nil, rows, cols) {
		extremeRowsGo(maxRed, out, x, rows, cols)
	}
}

// expSumRows sets out[r] to the sum of e^(x[r,i]-shift[r]), whose terms go to e if
// it is not nil. x is not above its shift.
func expSumRows[T Float](out []float64, x, e []T, shift []float64, rows, cols int) {
	kind := expSumRed
	if e != nil {
		kind = expSumStoreRed
	}
	if !reduceAsm(kind, out, x, e, shift, rows, cols) {
		sumRowsGo(kind, out, x, e, shift, rows, cols)
	}
}

// argMaxRows takes rows of up to sumBlock columns.
func argMaxRows[T Float](out []int, x []T, rows, cols int) {
	ok := reduceAsm[T, int](argMaxRed, out, x, nil, nil, rows, cols)
	for r := range rows {
		if !ok || out[r] < 0 { // assembly does not look for NaN
			out[r] = argMaxGo(x[r*cols:][:cols])
		}
	}
}

// ArgMaxRows sets dst[r] to the index of the first largest element of row r of
// x [rows, cols], or of its first NaN. cols is at least 1.
func ArgMaxRows[T Float](dst []T, x []T, rows, cols int) {
	dst, x = dst[:rows], x[:rows*cols]
	if cols > sumBlock {
		for r := range dst {
			dst[r] = T(ArgMax(x[r*cols : (r+1)*cols]))
		}
		return
	}
	var at [rowsAtOnce]int
	for len(dst) > 0 {
		n := min(len(dst), rowsAtOnce)
		argMaxRows(at[:n], x, n, cols)
		for r, k := range at[:n] {
			dst[r] = T(k)
		}
		dst, x = dst[n:], x[n*cols:]
	}
}

// AddRows adds rows of x, as long as dst and row elements apart, one after another to
// dst.
func AddRows[T Float](dst, x []T, rows, row int) {
	if rows == 0 || len(dst) == 0 || addRowsAsm(dst, x, rows, row) {
		return
	}
	for r := range rows {
		for i, v := range x[r*row:][:len(dst)] {
			dst[i] += v
		}
	}
}

// dotRows sets out[r] to the sum of x[r*row+i] y[i] for i below n, added like [Dot64].
func dotRows[T Float](out []float64, x []T, row int, y []T, n int) {
	if n <= sumBlock && dotRowsAsm(out, x, row, y, n) {
		return
	}
	for r := range out {
		out[r] = Dot64(x[r*row:][:n], y)
	}
}

// SquaresOfRows is the sum of the squares of rows of x, row elements apart, of n elements
// each. Some rows at a time are added in the lanes of [Dot64], which go on from row to row;
// what comes of them, and of rows that are longer than its blocks, is added in order.
func SquaresOfRows[T Float](x []T, row, rows, n int) float64 {
	sum := 0.0
	if n > sumBlock {
		for r := range rows {
			v := x[r*row:][:n]
			sum += Dot64(v, v)
		}
		return sum
	}
	each := sumBlock / max(n, 1)
	for r := 0; r < rows && n > 0; r += each {
		sum += squaresOfSome(x[r*row:], row, min(each, rows-r), n)
	}
	return sum
}

func squaresOfSome[T Float](x []T, row, rows, n int) float64 {
	if sum, ok := squaresAsm(x, row, rows, n); ok {
		return sum
	}
	var lane [sumLanes]float64
	for r := range rows {
		for i, v := range x[r*row:][:n] {
			lane[i%sumLanes] += float64(float64(v) * float64(v))
		}
	}
	return addLanes(&lane)
}

// addLanes adds lanes in halves.
func addLanes(lane *[sumLanes]float64) float64 {
	for n := sumLanes / 2; n > 0; n /= 2 {
		for i := range n {
			lane[i] += lane[i+n]
		}
	}
	return lane[0]
}

// scaleRows multiplies row r of x [rows, cols] by c[r], rounded to T.
func scaleRows[T Float](x []T, c []float64, rows, cols int) {
	if reduceAsm[T, float64](scaleRed, nil, x, nil, c, rows, cols) {
		return
	}
	for r := range rows {
		row, s := x[r*cols:][:cols], T(c[r])
		for i := range row {
			row[i] *= s
		}
	}
}

// softmaxTerms finds the maxima m of rows and the sums s of e^(x-m); these terms go
// to e if it is not nil. There is one row, or none has more than sumBlock columns.
func softmaxTerms[T Float](m, s []float64, e, x []T, rows, cols int) {
	if cols > sumBlock {
		m[0] = extreme(maxRed, x)
		s[0] = expSum(x, e, m[0])
		return
	}
	maxRows(m, x, rows, cols)
	expSumRows(s, x, e, m, rows, cols)
}

// groupOf is how many rows softmaxTerms takes at a time.
func groupOf(cols int) int {
	if cols > sumBlock {
		return 1
	}
	return rowsAtOnce
}

// SoftmaxRows sets dst [rows, cols] to e^x[r,i] / sum e^x[r,j]. dst may be x.
func SoftmaxRows[T Float](dst, x []T, rows, cols int) {
	var most, sums [rowsAtOnce]float64
	for lo, step := 0, groupOf(cols); lo < rows && cols > 0; lo += step {
		n := min(rows-lo, step)
		m, s, e := most[:n], sums[:n], dst[lo*cols:(lo+n)*cols]
		softmaxTerms(m, s, e, x[lo*cols:(lo+n)*cols], n, cols)
		for r := range s {
			s[r] = 1 / s[r]
		}
		scaleRows(e, s, n, cols)
	}
}

// SoftmaxCrossEntropyRows sets, for each row of logits [rows, cols] and its label,
// an integer in [0, cols),
//
//	loss[r] = log(sum_j e^logits[r,j]) - logits[r,label]
//	grad[r,j] = (softmax(logits[r])_j - [j = label]) scale
//
// in one pass over blocks that stay in cache. Either of loss [rows] and grad
// [rows, cols] may be nil; grad may be logits. Sums are in float64. The element of
// the label is -scale times the sum of the others' probabilities, so it keeps its
// digits where it is small.
func SoftmaxCrossEntropyRows[T Float](loss, grad, logits, labels []T, rows, cols int, scale float64) {
	var most, sums, factors [rowsAtOnce]float64
	for lo, step := 0, groupOf(cols); lo < rows; lo += step {
		n := min(rows-lo, step)
		m, s, f, label := most[:n], sums[:n], factors[:n], labels[lo:lo+n]
		x := logits[lo*cols : (lo+n)*cols]
		var e []T
		if grad != nil {
			e = grad[lo*cols : (lo+n)*cols]
		}
		for r, k := range label {
			f[r] = float64(x[r*cols+int(k)])
		}
		softmaxTerms(m, s, e, x, n, cols)
		for r := range m {
			m[r] -= f[r] // what the loss has beside the logarithm
		}
		if grad != nil {
			for r, sum := range s {
				f[r] = scale / sum
			}
			// The own term becomes minus the sum of the others before all are scaled. It
			// is 1 unless another term is, so there is nothing to lose by subtracting.
			for r, k := range label {
				own := &e[r*cols+int(k)]
				*own = T(float64(*own) - s[r])
			}
			scaleRows(e, f, n, cols)
		}
		if loss != nil {
			Map1(Log, s, s, 0, 0)
			for r, l := range s {
				loss[lo+r] = T(m[r] + l)
			}
		}
	}
}
