package exec

import (
	"slices"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// epilogues moves elementwise work on the result of a product or a convolution
// into it: bias, activation, and what a gradient is multiplied with are then
// computed on each block while it is in the cache.
func epilogues(g *graph) {
	uses := g.uses()
	for i := range g.code {
		in := &g.code[i]
		m, ok := in.op.(mapOp)
		if !ok || len(g.shape(in.out)) < 2 {
			continue
		}
		for k, v := range in.in {
			d := g.def(v)
			if d.out != v || len(uses[v]) != 1 || d.late != in.late || slices.Contains(g.outs, v) || !g.takesEpilogue(d, in, k) {
				continue
			}
			// The product is register 0; the other operands follow in their order.
			code := slices.Clone(m.code)
			for c := range code {
				for a := range code[c].arg[:code[c].operand] {
					switch r := &code[c].arg[a]; {
					case *r == k:
						*r = 0
					case *r < k:
						*r++
					}
				}
			}
			extras := slices.Concat(in.in[:k], in.in[k+1:])
			in.in = slices.Concat(d.in, extras)
			switch o := d.op.(type) {
			case gemmOp:
				o.code = code
				in.op = o
			case convOp:
				o.code = code
				in.op = o
			}
			break
		}
	}
}

// takesEpilogue tells whether d can compute in, whose operand k it gives, on its
// blocks, and gains by it: a product, and a convolution of a batch too small for
// slices, whose results are in the cache already. The other operands have to walk the
// rows and columns of the result, a matrix with all axes but the last as rows, with
// one stride each. A product whose blocks have part of a row takes those that are the
// same for all rows: parts of the rows of another matrix, each in a page of its own,
// come more slowly than all of it at once.
func (g *graph) takesEpilogue(d, in *inst, k int) bool {
	shape := g.shape(in.out)
	whole := true
	switch o := d.op.(type) {
	case gemmOp:
		if o.code != nil {
			return false
		}
		whole = shape[len(shape)-1] <= kernel.UnitCols
	case convOp:
		if o.code != nil || o.part == ConvWeight || o.n >= tileLeast {
			return false
		}
	default:
		return false
	}
	if g.shape(d.out)[len(shape)-1] != shape[len(shape)-1] {
		return false
	}
	for j, v := range in.in {
		if j == k {
			continue
		}
		base, _, stride := g.view(v)
		if row, ok := rowStride(shape, stride); !ok || base == d.out || row != 0 && !whole {
			return false
		}
	}
	return true
}

// rowStride is the one stride that walks all axes but the last, if there is one.
func rowStride(shape, stride []int) (int, bool) {
	last := len(shape) - 1
	rows := Size(shape[:last])
	if rows < 2 {
		return 0, true
	}
	s, ok := restride(shape[:last], stride[:last], []int{rows})
	if !ok {
		return 0, false
	}
	return s[0], true
}

// epilogue computes an expression of the blocks of a result.
type epilogue[T Float] struct {
	code   []mapFn
	regs   []int
	temps  int
	rows   int // of the result, a matrix with all axes but the last as rows
	cols   int
	extras []operand[T]
	row    []int // strides of the extras, from a row to the next
	col    []int // and from a column to the next
	strips int   // the first extra that lies in strips
	at     int   // of its scratch
}

// newEpilogue is the epilogue of an instruction with code, whose operands from
// first to last are beside the result, the last so many of them in strips. Its scratch
// begins at at.
func (m *machine[T]) newEpilogue(in *inst, code []mapFn, first, last, strips, at int) *epilogue[T] {
	if code == nil {
		return nil
	}
	shape := m.g.shape(in.out)
	cols := shape[len(shape)-1]
	e := &epilogue[T]{code: code, rows: Size(shape) / max(1, cols), cols: cols, strips: last - first - strips, at: at}
	for _, v := range in.in[first:last] {
		x := m.operand(v)
		row, _ := rowStride(shape, x.stride)
		e.extras = append(e.extras, x)
		e.row = append(e.row, row)
		e.col = append(e.col, x.stride[len(shape)-1])
	}
	e.regs, e.temps = registers(code, len(e.extras)+1)
	m.needs(at + e.scratch())
	return e
}

// scratch is the number of elements of temporaries and of the extras.
func (e *epilogue[T]) scratch() int { return (e.temps + len(e.extras)) * block }

// apply computes the rows [r0, r1) and columns [c0, c1) of the result c, whose
// extras are those of a copy.
func (e *epilogue[T]) apply(c []T, copyNumber, r0, r1, c0, c1 int, scratch []T) {
	mem := scratch[e.at:]
	width := min(c1-c0, block)
	for w := 0; c0 < c1; c0 += w {
		w = min(width, c1-c0)
		if e.strips < len(e.extras) {
			w = min(w, kernel.UnitCols-c0%kernel.UnitCols)
		}
		each := max(1, block/w) // rows at a time
		var reg [maxArgs + maxCode]kernel.Rows[T]
		temp := func(i, rows int) kernel.Rows[T] { return kernel.Rows[T]{X: mem[i*block:][:rows*w], Row: w} }
		for i := range e.strips {
			x := e.extras[i].of(copyNumber)
			switch sc := e.col[i]; {
			case e.row[i] != 0:
			case sc == 0:
				reg[1+i].X = x[:1]
			case sc == 1 && w < e.cols:
				reg[1+i].X = x[c0:][:w]
			default: // whole rows go as one if they have one for each
				reg[1+i] = temp(e.temps+i, min(each, r1-r0))
				pick(reg[1+i].X[:w], x[c0*sc:], sc)
				repeat(reg[1+i].X, reg[1+i].X[:w])
			}
		}
		for r := r0; r < r1; r += each {
			n := min(each, r1-r)
			reg[0] = kernel.Rows[T]{X: c[r*e.cols+c0:][:(n-1)*e.cols+w], Row: e.cols}
			for i := range e.extras {
				sr, sc := e.row[i], e.col[i]
				switch x := e.extras[i].of(copyNumber); {
				case i >= e.strips:
					at, row := stripOf(e.rows, e.cols, r, c0)
					reg[1+i] = kernel.Rows[T]{X: x[at+c0%kernel.UnitCols:][:(n-1)*row+w], Row: row}
				case sr == 0:
				case sc == 1:
					reg[1+i] = kernel.Rows[T]{X: x[r*sr+c0:][:(n-1)*sr+w], Row: sr}
				default:
					t := temp(e.temps+i, n)
					for k := range n {
						pick(t.X[k*w:][:w], x[(r+k)*sr+c0*sc:], sc)
					}
					reg[1+i] = t
				}
			}
			for k := range e.code {
				f, to := &e.code[k], reg[0]
				if e.regs[k] >= 0 {
					to = temp(e.regs[k], n)
				}
				callRows(f, to, reg[f.arg[0]], reg[f.arg[1]], reg[f.arg[2]], n, w)
				reg[1+len(e.extras)+k] = to
			}
		}
	}
}

// callRows is [call] for rows of cols elements.
func callRows[T Float](f *mapFn, dst, a, b, c kernel.Rows[T], rows, cols int) {
	var none kernel.Rows[T]
	if f.operand < 3 {
		c = none
	}
	if f.operand < 2 {
		b = none
	}
	kernel.MapRows(f.fn, dst, a, b, c, rows, cols, f.p, f.q)
}

// call computes a function of runs of numbers, each as long as dst or one number.
func call[T Float](f *mapFn, dst, a, b, c []T) {
	switch f.operand {
	case 1:
		if len(a) == 1 && len(dst) != 1 {
			kernel.Map1(f.fn, dst[:1], a, f.p, f.q)
			fill(dst[1:], dst[0])
			return
		}
		kernel.Map1(f.fn, dst, a, f.p, f.q)
	case 2:
		kernel.Map2(f.fn, dst, a, b)
	default:
		kernel.Map3(f.fn, dst, a, b, c)
	}
}
