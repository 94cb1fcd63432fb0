package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestMapRows: every function of parts of matrices, with numbers, repeated rows and
// the result in the place of an operand, gives the bits of its rows alone and writes
// nothing between them.
func TestMapRows(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		t.Run("float32", testMapRows[float32])
		t.Run("float64", testMapRows[float64])
	})
}

func testMapRows[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for f := range NumFn {
		for trial := range 30 {
			rows, cols := r.IntN(5), lengths[r.IntN(len(lengths))]
			if trial == 0 {
				rows, cols = 2, 5000 // more than one call a row
			}
			between := r.IntN(3) * r.IntN(20)
			matrix := func(row int) (fenced[T], Rows[T]) {
				x := newFenced[T](r, max(0, (rows-1)*row+cols))
				mixed(r, x.x)
				return x, Rows[T]{x.x, row}
			}
			what := fmt.Sprintf("%s of [%d, %d]", f, rows, cols)
			all := []fenced[T]{}
			var in [3]Rows[T]
			for k := range f.Arity() {
				row := cols + r.IntN(2)*between
				switch r.IntN(4) {
				case 0:
					row = 0
					what += fmt.Sprintf(", operand %d one row", k)
				case 1:
					if rows*cols > 0 {
						x := newFenced[T](r, 1)
						mixed(r, x.x)
						all, in[k] = append(all, x), Rows[T]{X: x.x}
						what += fmt.Sprintf(", operand %d a number", k)
						continue
					}
				}
				var x fenced[T]
				x, in[k] = matrix(row)
				all = append(all, x)
			}
			out, dst := matrix(cols + between)
			if k := r.IntN(4); k < f.Arity() && in[k].Row >= cols && len(in[k].X) > 1 && rows > 0 {
				dst, out = in[k], all[k]
				what += fmt.Sprintf(", to operand %d", k)
			}
			p, q := r.NormFloat64(), r.NormFloat64()
			want := append([]T{}, dst.X...)
			for i := range rows {
				ops := make([][]T, f.Arity())
				for k := range ops {
					if ops[k] = make([]T, cols); len(in[k].X) == 1 && cols > 0 {
						for j := range ops[k] {
							ops[k][j] = in[k].X[0]
						}
					} else {
						copy(ops[k], in[k].X[i*in[k].Row:])
					}
				}
				applyFn(f, want[i*dst.Row:][:cols], ops, p, q)
			}
			MapRows(f, dst, in[0], in[1], in[2], rows, cols, p, q)
			out.check(t, what)
			for k := range all {
				all[k].check(t, what)
			}
			for i := range dst.X {
				if !same(dst.X[i], want[i]) {
					t.Fatalf("%s: element %d is %v, want %v", what, i, dst.X[i], want[i])
				}
			}
		}
	}
}
