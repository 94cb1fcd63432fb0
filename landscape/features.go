package landscape

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/train"
)

// Activity is how much of a layer of units that can be off is at work.
type Activity struct {
	Layer   string
	Units   int     // looked at: at most 1000, drawn at random
	Kept    int     // that are not correlated with one before them
	Active  float64 // share of the outputs of those kept that are above 0
	Dead    float64 // share of all units that are 0 on every example
	Between float64 // the correlation above which a unit is left out
}

// maxUnits is how many units of a layer are looked at.
const maxUnits = 1000

// Active measures the feature sparsity of Andriushchenko et al. 2023: of each layer
// of rectified units, the share of positive outputs on n examples of d (all where n
// is 0) after units whose outputs are correlated by more than limit with those of
// another that is kept are left out. Lower is sparser.
func Active[T train.Float](ctx context.Context, m *nn.Model[T], d data.Dataset, n int, limit float64, seed uint64) ([]Activity, error) {
	if n < 0 || n == 1 || n > d.Len() || !(limit > 0 && limit <= 1) {
		return nil, fmt.Errorf("landscape: features of %d of %d examples, correlation %v; allowed are 2 to %d, or 0 for all, and numbers above 0 up to 1", n, d.Len(), limit, d.Len())
	}
	if n == 0 {
		n = d.Len()
	}
	var which []int
	for i, r := range m.Rows() {
		if word, _, _ := strings.Cut(r.Layer, " "); word == "ReLU" {
			which = append(which, i)
		}
	}
	if len(which) == 0 {
		return nil, errors.New("landscape: the model has no layer of ReLU units, which alone can be off")
	}
	// Units are chosen once: the same of all examples.
	units := make([][]int, len(which))
	columns := make([][][]float64, len(which))
	for k, i := range which {
		size := 1
		for _, s := range m.Rows()[i].Output {
			size *= s
		}
		units[k] = source(seed, uint64(i)).Perm(size)[:min(size, maxUnits)]
		columns[k] = vectors(len(units[k]), n)
	}
	outputs := func(g *nn.Graph) ([]*autodiff.Node, error) {
		var list []*autodiff.Node
		for _, i := range which {
			list = append(list, g.Layers[i])
		}
		return list, nil
	}
	err := forward(ctx, m, d, n, outputs, func(row, count int, out [][]T) {
		for k := range which {
			size := len(out[k]) / count
			for r := range count {
				for c, u := range units[k] {
					columns[k][c][row+r] = float64(out[k][r*size+u])
				}
			}
		}
	})
	if err != nil {
		return nil, err
	}
	list := make([]Activity, len(which))
	for k, i := range which {
		list[k] = activity(columns[k], limit)
		list[k].Layer = m.Rows()[i].Name
	}
	return list, nil
}

// activity is that of units whose outputs on all examples are the rows.
func activity(rows [][]float64, limit float64) Activity {
	a := Activity{Units: len(rows), Between: limit}
	var kept [][]float64 // centred, of length 1; constant ones are 0 and like no other
	positive, all := 0, 0
	for _, row := range rows {
		n := float64(len(row))
		sum, dead, above := 0.0, true, 0
		for _, v := range row {
			sum += v
			if v > 0 {
				above++
			}
			dead = dead && v == 0
		}
		if dead {
			a.Dead += 1 / float64(len(rows))
		}
		centred := make([]float64, len(row))
		for i, v := range row {
			centred[i] = v - sum/n
		}
		if length := norm(centred); length > 1e-12*math.Abs(sum) {
			scale(1/length, centred)
		} else {
			clear(centred)
		}
		like := false
		for _, c := range gram([][]float64{centred}, kept) {
			like = like || math.Abs(c) > limit
		}
		if like {
			continue
		}
		kept = append(kept, centred)
		positive, all = positive+above, all+len(row)
	}
	a.Kept = len(kept)
	a.Active = float64(positive) / float64(all)
	return a
}

// forward runs nodes of the model's graph, outside training, on the first n
// examples, and hands on their values with the first row of each part.
func forward[T train.Float](ctx context.Context, m *nn.Model[T], d data.Dataset, n int, nodes func(g *nn.Graph) ([]*autodiff.Node, error), take func(row, count int, out [][]T)) error {
	limited, err := data.Limit(d, n)
	if err != nil {
		return err
	}
	type program struct {
		*exec.Program[T]
		g     *nn.Graph
		count int
	}
	made := map[int]*program{}
	row := 0
	l := data.Loader[T]{Data: limited, Batch: min(n, 500)}
	for b, err := range l.Epoch(ctx, 0, 0) {
		if err != nil {
			return err
		}
		p := made[b.N]
		if p == nil {
			g, err := m.Graph(b.N, false)
			if err != nil {
				return err
			}
			list, err := nodes(g)
			if err != nil {
				return err
			}
			inputs := exec.Inputs{g.X}
			for _, q := range g.Buffers {
				if q != nil {
					inputs = append(inputs, q)
				}
			}
			c, err := autodiff.Compile[T](list, inputs, exec.Params(g.Params))
			if err != nil {
				return err
			}
			if err := m.Bind(g, c, m.Params); err != nil {
				return err
			}
			p = &program{c, g, len(list)}
			made[b.N] = p
		}
		if err := p.Set(p.g.X, b.X); err != nil {
			return err
		}
		if err := p.Run(); err != nil {
			return err
		}
		out := make([][]T, p.count)
		for i := range out {
			out[i] = p.Output(i)
		}
		take(row, b.N, out)
		row += b.N
	}
	return nil
}

// Rank is the rank of a Jacobian and what it was found from.
type Rank struct {
	Rank     int       // singular values above tol times the largest
	Of       int       // rows: outputs of all examples
	Singular []float64 // descending
}

// JacobianRank is the rank of the Jacobian of the outputs of m on n examples of d in
// its parameters (Andriushchenko et al. 2023): how many directions of parameters
// change them. It comes from the eigenvalues of JJ', which tell singular values
// down to about 1e-7 of the largest (1e-4 in float32), so tol must be above. The
// Jacobian is held in memory: n times outputs times parameters numbers.
func JacobianRank[T train.Float](ctx context.Context, m *nn.Model[T], d data.Dataset, n int, tol float64) (*Rank, error) {
	width := 1
	for _, s := range m.Output() {
		width *= s
	}
	least := 1e-7
	if _, single := any(T(0)).(float32); single {
		least = 1e-4
	}
	const most = 1 << 29 // numbers, 4 GiB
	rows := n * width
	switch {
	case n < 1 || n > d.Len():
		return nil, fmt.Errorf("landscape: Jacobian of %d of %d examples; allowed are 1 to %d", n, d.Len(), d.Len())
	case !(tol >= least && tol < 1):
		return nil, fmt.Errorf("landscape: tolerance %v; allowed are %v to below 1", tol, least)
	case rows*len(m.Params) > most:
		return nil, fmt.Errorf("landscape: the Jacobian of %d examples has %d x %d numbers; allowed are %d, which %d examples have", n, rows, len(m.Params), most, most/len(m.Params)/width)
	}
	g, err := m.Graph(1, false)
	if err != nil {
		return nil, err
	}
	cotangent := autodiff.NewInput(g.X.Graph(), g.X.Dtype(), "cotangent", g.Output.Shape()...)
	back, err := autodiff.VJP([]*autodiff.Node{g.Output}, g.Params, []*autodiff.Node{cotangent})
	if err != nil {
		return nil, err
	}
	inputs := exec.Inputs{g.X, cotangent}
	for _, b := range g.Buffers {
		if b != nil {
			inputs = append(inputs, b)
		}
	}
	p, err := autodiff.Compile[T](back, inputs, exec.Params(g.Params))
	if err != nil {
		return nil, err
	}
	if err := m.Bind(g, p, m.Params); err != nil {
		return nil, err
	}
	j := vectors(rows, len(m.Params))
	unit := make([]T, width)
	row := 0
	l := data.Loader[T]{Data: d, Batch: 1}
	for b, err := range l.Epoch(ctx, 0, 0) {
		if err != nil {
			return nil, err
		}
		if row == rows {
			break
		}
		if err := p.Set(g.X, b.X); err != nil {
			return nil, err
		}
		for k := range width {
			clear(unit)
			unit[k] = 1
			if err := p.Set(cotangent, unit); err != nil {
				return nil, err
			}
			if err := p.Run(); err != nil {
				return nil, err
			}
			at := 0
			for i := range g.Params {
				for _, v := range p.Output(i) {
					j[row][at] = float64(v)
					at++
				}
			}
			row++
		}
	}
	var e mat.EigenSym
	if !e.Factorize(mat.NewSymDense(rows, gram(j, j)), false) {
		return nil, errors.New("landscape: the singular values of the Jacobian did not converge")
	}
	r := &Rank{Of: rows}
	values := e.Values(nil)
	for i := len(values) - 1; i >= 0; i-- {
		r.Singular = append(r.Singular, math.Sqrt(max(0, values[i])))
	}
	for _, s := range r.Singular {
		if s > tol*r.Singular[0] {
			r.Rank++
		}
	}
	return r, nil
}
