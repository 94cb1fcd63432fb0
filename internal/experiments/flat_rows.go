package experiments

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/study"
)

// column is one number of each network.
func column(nets []*flatNet, f func(*flatNet) float64) (list []float64) {
	for _, n := range nets {
		list = append(list, f(n))
	}
	return list
}

// pairsOf compares two ways by the networks that differ by nothing else than what
// differ says: the mean ratio of a measure, of the first over the second, and the
// mean differences of test errors and losses.
func pairsOf(nets []*flatNet, first, second string, measure int) (ratio, errs, losses float64) {
	count := 0.0
	for _, a := range nets {
		for _, b := range nets {
			if a.Setting.Group == first && b.Setting.Group == second && a.Setting.LR == b.Setting.LR && a.Seed == b.Seed {
				ratio += math.Log(a.Measures[measure] / b.Measures[measure])
				errs, losses, count = errs+a.TestError-b.TestError, losses+a.TestLoss-b.TestLoss, count+1
			}
		}
	}
	return math.Exp(ratio / count), errs / count, losses / count
}

func meanOf(nets []*flatNet, f func(*flatNet) float64) float64 {
	return study.StatOf(column(nets, f)).Mean
}

// rateEnds are the networks of small minibatches with the smallest and the largest
// rate.
func rateEnds(nets []*flatNet) (slow, fast []*flatNet) {
	var plain []*flatNet
	for _, n := range nets {
		if n.Setting.Group == smallBatch {
			plain = append(plain, n)
		}
	}
	rate := func(n *flatNet) float64 { return n.Setting.LR }
	low, high := slices.Min(column(plain, rate)), slices.Max(column(plain, rate))
	for _, n := range plain {
		switch n.Setting.LR {
		case low:
			slow = append(slow, n)
		case high:
			fast = append(fast, n)
		}
	}
	return slow, fast
}

func flatResult(e *Env, nets []*flatNet) (*Result, error) {
	res := &Result{}
	errs, gaps := column(nets, func(n *flatNet) float64 { return n.TestError - n.Errors }), column(nets, func(n *flatNet) float64 { return n.TestLoss - n.Loss })
	res.Rows = []Row{
		{"largest training loss", "", slices.Max(column(nets, func(n *flatNet) float64 { return n.Loss })), AtMost(flatLoss)},
		{"largest share of training images that are wrong", "0", slices.Max(column(nets, func(n *flatNet) float64 { return n.Errors })), AtMost(0.002)},
	}
	for _, c := range []struct {
		first, second string
		sharper       bool
	}{{largeBatch, smallBatch, true}, {withSAM, smallBatch, false}, {averaged, smallBatch, false}} {
		above, below, ratio, gap := "above 1", "above 0", AtLeast(1), AtLeast(0)
		if !c.sharper {
			above, below, ratio, gap = "below 1", "below 0", AtMost(1), AtMost(0)
		}
		top, err, loss := pairsOf(nets, c.first, c.second, 0)
		worst, _, _ := pairsOf(nets, c.first, c.second, 2)
		res.Rows = append(res.Rows, Row{fmt.Sprintf("%s over %s, same rate: largest eigenvalue", c.first, c.second), above, top, ratio},
			Row{"  worst in a ball", above, worst, ratio},
			Row{"  test error less that of the other", below, err, gap},
			Row{"  test loss", "", loss, Want{}})
	}
	slow, fast := rateEnds(nets)
	res.Rows = append(res.Rows,
		Row{"small batch, largest rate over smallest: largest eigenvalue", "below 1", meanOf(fast, func(n *flatNet) float64 { return n.Measures[0] }) / meanOf(slow, func(n *flatNet) float64 { return n.Measures[0] }), AtMost(1)},
		Row{"  test error less that of the other", "", meanOf(fast, func(n *flatNet) float64 { return n.TestError }) - meanOf(slow, func(n *flatNet) float64 { return n.TestError }), Want{}},
		Row{"  test loss", "", meanOf(fast, func(n *flatNet) float64 { return n.TestLoss }) - meanOf(slow, func(n *flatNet) float64 { return n.TestLoss }), Want{}})
	res.Notes = []string{"Sharpness goes with the error, much less with the loss, on which larger rates are flatter and worse: which of the two is asked",
		"for decides the answer, and so may what else the networks of a study differ in."}
	head := []any{"group", "batch", "lr", "rho", "decay", "seed", "loss", "training_error", "test_loss", "test_error"}
	table := cli.Table{Header: []string{"rank correlation with", "gap of errors: Spearman", "Kendall", "gap of losses: Spearman", "Kendall"}}
	rows := [][]chart.Chart{nil, nil}
	for k, name := range flatMeasures {
		head = append(head, strings.ReplaceAll(name, " ", "_"))
		v := column(nets, func(n *flatNet) float64 { return n.Measures[k] })
		r, tau := spearman(v, errs), kendall(v, errs)
		table.Add(name, Number(r), Number(tau), Number(spearman(v, gaps)), Number(kendall(v, gaps)))
		want, paper := AtLeast(0.3), "above 0"
		if !flatExpected[name] {
			want, paper = Want{}, ""
		}
		res.Rows = append(res.Rows, Row{"rank correlation with the gap of errors: " + name, paper, r, want})
		c := chart.Chart{Title: fmt.Sprintf("ρ = %.2f, τ = %.2f", r, tau), X: chart.Axis{Label: name, Log: true}, Y: chart.Axis{Label: "test error"}, Width: 3.6, Height: 3.2}
		for color, group := range []string{smallBatch, largeBatch, averaged, withSAM} {
			s := chart.Series{Name: group, NoLine: true, Markers: true, Color: color + 1}
			for _, n := range nets {
				if n.Setting.Group == group {
					s.X, s.Y = append(s.X, n.Measures[k]), append(s.Y, n.TestError)
				}
			}
			c.Series = append(c.Series, s)
		}
		rows[k*2/len(flatMeasures)] = append(rows[k*2/len(flatMeasures)], c)
	}
	csv := [][]any{head}
	for _, n := range nets {
		row := []any{n.Setting.Group, n.Setting.Batch, n.Setting.LR, n.Setting.Rho, n.Setting.Decay, n.Seed, n.Loss, n.Errors, n.TestLoss, n.TestError}
		for _, v := range n.Measures {
			row = append(row, v)
		}
		csv = append(csv, row)
	}
	res.Table = []cli.Table{flatTable(nets), table}
	if err := e.CSV("networks.csv", csv); err != nil {
		return nil, err
	}
	return res, e.Plot("flat-minima", chart.Grid{Title: "sharpness and test error of networks with one training loss, rank correlations by Spearman (ρ) and Kendall (τ)", Rows: rows})
}

// flatTable is the means of each setting over its seeds.
func flatTable(nets []*flatNet) cli.Table {
	table := cli.Table{Header: append([]string{"mean over seeds", "rate", "test error", "test loss"}, flatMeasures...)}
	for i := 0; i < len(nets); {
		s := nets[i].Setting
		j := i
		for j < len(nets) && nets[j].Setting == s {
			j++
		}
		mean := func(f func(*flatNet) float64) string {
			return fmt.Sprintf("%.3g", meanOf(nets[i:j], f))
		}
		name := s.Group
		if s.Rho > 0 {
			name += fmt.Sprintf(", ρ = %g", s.Rho)
		}
		cells := []string{name, fmt.Sprint(s.LR), mean(func(n *flatNet) float64 { return n.TestError }), mean(func(n *flatNet) float64 { return n.TestLoss })}
		for k := range flatMeasures {
			cells = append(cells, mean(func(n *flatNet) float64 { return n.Measures[k] }))
		}
		table.Add(cells...)
		i = j
	}
	return table
}
