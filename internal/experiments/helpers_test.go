package experiments

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/functions"
	"github.com/saddle-ml/saddle/landscape"
)

func TestEdgeOfOutliers(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   int
	}{
		{[]float64{100, 9, 8, 7, 0.1, 0.09}, 4}, // the first gap is not asked for
		{[]float64{3, 2, 1, 0.5, 0.4}, 2},
		{[]float64{3, 2, 1, -0.5, 1e-9}, 2}, // up to the first that is not positive
		{[]float64{3, 2}, 0},
	} {
		if got := edge(c.values); got != c.want {
			t.Errorf("the outliers of %v end at %d, want %d", c.values, got, c.want)
		}
	}
	if got := apart([]float64{1, -2, 4}, []float64{1.1, -1, 4}); got != 0.5 {
		t.Errorf("the lists are %v apart, want 0.5", got)
	}
}

// digitsOf is 6 examples of 2 numbers, of classes 2, 0, 1, 0, 2 and 0.
func digitsOf(t *testing.T) data.Dataset {
	t.Helper()
	d, err := data.New([]float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, []int{2}, []float64{2, 0, 1, 0, 2, 0}, data.Target{Classes: 3})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// rowsOf reads all of a data set.
func rowsOf(t *testing.T, d data.Dataset) (x, y []float64) {
	t.Helper()
	index := make([]int, d.Len())
	for i := range index {
		index[i] = i
	}
	x, y = make([]float64, d.Len()*2), make([]float64, d.Len()*d.Target().Size())
	if err := data.Read(d, x, y, index); err != nil {
		t.Fatal(err)
	}
	return x, y
}

func TestFirstClasses(t *testing.T) {
	d, err := firstClasses(digitsOf(t), 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	x, y := rowsOf(t, d)
	if !slices.Equal(y, []float64{0, 1, 0}) || !slices.Equal(x, []float64{2, 3, 4, 5, 6, 7}) || d.Target().Classes != 2 {
		t.Errorf("%v of classes %v, target %v", x, y, d.Target())
	}
}

func TestOneHot(t *testing.T) {
	d, err := oneHot(digitsOf(t), 3)
	if err != nil {
		t.Fatal(err)
	}
	x, y := rowsOf(t, d)
	if want := []float64{0, 0, 1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0}; !slices.Equal(y, want) || x[11] != 11 {
		t.Errorf("%v for %v, want %v", y, x, want)
	}
}

// The residuals of the constructed minimum do all that they have to.
func TestResidualsOfTheBadMinimum(t *testing.T) {
	x := landscape.Linspace(-1.5, 1.5, badPoints)
	r, err := residuals(x)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		f    func(x, tanh, first, second float64) float64
		want float64
	}{
		"tanh":     {func(_, tanh, _, _ float64) float64 { return tanh }, 0},
		"1":        {func(_, _, _, _ float64) float64 { return 1 }, 0},
		"tanh'":    {func(_, _, first, _ float64) float64 { return first }, 0},
		"x tanh'":  {func(x, _, first, _ float64) float64 { return x * first }, 0},
		"x²tanh''": {func(x, _, _, second float64) float64 { return x * x * second }, 1},
		"x tanh''": {func(x, _, _, second float64) float64 { return x * second }, 0},
		"tanh''":   {func(_, _, _, second float64) float64 { return second }, 1},
	} {
		sum, size := 0.0, 0.0
		for i, v := range x {
			tanh := math.Tanh(badWeight*v + badBias)
			part := r[i] * c.f(v, tanh, 1-tanh*tanh, -2*tanh*(1-tanh*tanh))
			sum, size = sum+part, size+math.Abs(part)
		}
		if math.Abs(sum-c.want) > 1e-12*size {
			t.Errorf("Σ r·%s is %v, want %v", name, sum, c.want)
		}
	}
}

// small is a symmetric matrix by its rows.
type small [][]float64

func (a small) Size() int { return len(a) }

func (a small) Mul(_ context.Context, dst, v [][]float64) error {
	for k := range v {
		for i, row := range a {
			dst[k][i] = 0
			for j, x := range row {
				dst[k][i] += x * v[k][j]
			}
		}
	}
	return nil
}

func TestEigenvaluesOfASmallMatrix(t *testing.T) {
	got, err := eigenvalues(context.Background(), small{{2, 1, 0}, {1, 2, 0}, {0, 0, -4}})
	if err != nil || len(got) != 3 {
		t.Fatalf("%v (%v)", got, err)
	}
	for i, want := range []float64{-4, 1, 3} {
		if math.Abs(got[i]-want) > 1e-14*4 {
			t.Errorf("%v, want -4, 1 and 3", got)
		}
	}
}

func TestShake(t *testing.T) {
	x, a, b := []float64{1, -2, 3}, make([]float64, 3), make([]float64, 3)
	r := rand.New(rand.NewPCG(1, 1))
	shake(a, x, 0.25, r)
	shake(b, x, 0.25, r)
	if da, db := landscape.Distance(a, x), landscape.Distance(b, x); math.Abs(da-0.25) > 1e-15 || math.Abs(db-0.25) > 1e-15 || slices.Equal(a, b) {
		t.Errorf("%v and %v at distances %v and %v", a, b, da, db)
	}
}

func TestCurvesOfLinearModels(t *testing.T) {
	c := &curveOf{Loss: []float64{8, 4, 4, 1}, Trials: []int{0, 2, 5, 9}}
	if steps, trials, ok := c.reach(4); steps != 1 || trials != 2 || !ok {
		t.Errorf("4 is reached after %d steps and %d trials (%v)", steps, trials, ok)
	}
	if _, _, ok := c.reach(0.5); ok {
		t.Error("0.5 is reached")
	}
	if c.after(8) != 4 || c.after(9) != 1 || c.after(0) != 8 {
		t.Errorf("after 8, 9 and 0 trials: %v, %v, %v", c.after(8), c.after(9), c.after(0))
	}
	r := &xuRun{Props: []float64{0, 10, 20}, Loss: []float64{3, 1, 2}}
	if r.best(9) != 3 || r.best(25) != 1 || !math.IsInf(r.best(-1), 1) {
		t.Errorf("lowest losses %v, %v, %v", r.best(9), r.best(25), r.best(-1))
	}
	charts := []chart.Chart{{Series: []chart.Series{{Y: []float64{3, 2}}}}, {Series: []chart.Series{{Y: []float64{5}}}}}
	above(charts)
	if !slices.Equal(charts[0].Series[0].Y, []float64{1, 1e-7}) || charts[1].Series[0].Y[0] != 3 {
		t.Errorf("above the lowest: %v", charts)
	}
}

func TestLeavingASaddle(t *testing.T) {
	r := &escapeRun{}
	p := &escape{most: 100, left: 0.5}
	for k, s := range []float64{1.5, 1, 0.5, 0.2} {
		if goes := r.add(p, 10*k, float64(20*k), s); goes != (s > 0.25) {
			t.Errorf("at %v the run goes on: %v", s, goes)
		}
	}
	if r.add(p, 50, 100, 1) {
		t.Error("the run goes on with all its work done")
	}
	if steps, work := r.leaving(0.5); steps != 20 || work != 40 {
		t.Errorf("left after %v steps and %v work", steps, work)
	}
	if steps, _ := r.leaving(0.1); !math.IsInf(steps, 1) {
		t.Errorf("left after %v steps", steps)
	}
	if got := atSaddle(r.Share); !math.IsNaN(got[0]) || !slices.Equal(got[1:], r.Share[1:]) {
		t.Errorf("%v of %v", got, r.Share)
	}
}

func TestEndsAtOnePointAreOne(t *testing.T) {
	var list []miss
	for _, c := range []struct {
		method string
		value  float64
		end    functions.End
	}{{"a", 1, functions.SaddleAt}, {"b", 1 + 1e-9, functions.SaddleAt}, {"c", 2, functions.SaddleAt}, {"d", 1, functions.Resting}} {
		list = with(list, c.method, &functions.Outcome{Value: c.value, End: c.end})
	}
	if len(list) != 3 || !slices.Equal(list[0].methods, []string{"a", "b"}) {
		t.Errorf("%+v", list)
	}
	if mark(functions.Minimum) != "" || mark(functions.SaddleAt) != "*" {
		t.Error("minima are marked, or saddles not")
	}
}

// A share is of the runs that have trained.
func TestShareOfMonotoneRuns(t *testing.T) {
	runs := []*mliRun{{Trained: true}, {Trained: true, Delta: 1}, {Delta: 1}, {Trained: true, Method: "Adam", Delta: 1}}
	if s, n := share(runs, func(r *mliRun) bool { return r.Method == "" }); s != 0.5 || n != 2 {
		t.Errorf("%v of %d", s, n)
	}
}

// Networks that differ by their group alone are compared, and no others.
func TestPairsOfFlatNetworks(t *testing.T) {
	measures := func(first float64) []float64 {
		return append([]float64{first}, make([]float64, len(flatMeasures)-1)...)
	}
	nets := []*flatNet{
		{Setting: flatSetting{Group: smallBatch, LR: 1}, TestError: 0.1, TestLoss: 2, Measures: measures(1)},
		{Setting: flatSetting{Group: smallBatch, LR: 2}, TestError: 0.2, TestLoss: 3, Measures: measures(2)},
		{Setting: flatSetting{Group: smallBatch, LR: 2}, Seed: 1, TestError: 9, TestLoss: 9, Measures: measures(100)},
		{Setting: flatSetting{Group: largeBatch, LR: 1}, TestError: 0.3, TestLoss: 3, Measures: measures(4)},
		{Setting: flatSetting{Group: largeBatch, LR: 2}, TestError: 0.2, TestLoss: 6, Measures: measures(32)},
	}
	ratio, errs, losses := pairsOf(nets, largeBatch, smallBatch, 0)
	if math.Abs(ratio-8) > 1e-13 || math.Abs(errs-0.1) > 1e-15 || losses != 2 {
		t.Errorf("ratio %v, differences %v and %v; want 8, 0.1 and 2", ratio, errs, losses)
	}
	slow, fast := rateEnds(nets)
	if len(slow) != 1 || len(fast) != 2 || slow[0] != nets[0] {
		t.Errorf("%d networks at the smallest rate, %d at the largest", len(slow), len(fast))
	}
	if table := flatTable(nets[:3]); len(table.Rows) != 2 || table.Rows[1][2] != "4.6" {
		t.Errorf("%v", table.Rows)
	}
}

// The median is over runs that have not diverged and are as long.
func TestMediansOfRuns(t *testing.T) {
	runs := []*diagonalRun{
		{Steps: []float64{0, 5}, Test: []float64{4, 2}},
		{Steps: []float64{0, 5}, Test: []float64{6, 1}},
		{Steps: []float64{0}, Test: []float64{5}},
		{Steps: []float64{0}, Test: []float64{99}, Diverged: true},
	}
	s := over("test", runs, func(r *diagonalRun) []float64 { return r.Test })
	if !slices.Equal(s.X, []float64{0, 5}) || s.Y[0] != 5 || !slices.Equal(s.Low, []float64{4, 1}) || !slices.Equal(s.High, []float64{6, 2}) {
		t.Errorf("%+v", s)
	}
	xu := []*xuRun{
		{Props: []float64{0, 1e6, 2e6}, Loss: []float64{5, 3, 4}},
		{Props: []float64{0, 2e6}, Loss: []float64{5, 1}},
		{Props: []float64{2e5}, Loss: []float64{2}},
	}
	if got, want := atCheckpoints(xu), [4]float64{5, 3, 2, 2}; got != want {
		t.Errorf("medians %v, want %v", got, want)
	}
	line := lowest("x", 1, xu)
	if n := len(line.Y); n != 101 || line.Y[n-1] != 2 || !slices.IsSortedFunc(line.Y, func(a, b float64) int { return cmp.Compare(b, a) }) {
		t.Errorf("lowest losses so far: %v", line.Y)
	}
	if !math.IsNaN(end(nil)) || end([]float64{1, 3}) != 3 {
		t.Errorf("ends %v and %v", end(nil), end([]float64{1, 3}))
	}
	if n := nonzero([]float64{1, 0, 1e-30, -2, 5, 1e-30}); n != 1 {
		t.Errorf("%v products are not zero, want 1", n)
	}
}

// Of three rows of length 1 at right angles, and one that is 2 long, X'X/n has the
// largest eigenvalue 4/4.
func TestConstantsOfLogisticRegression(t *testing.T) {
	rows, err := data.ReadLIBSVM(strings.NewReader("+1 1:1\n-1 2:1\n+1 3:1\n-1 4:2\n"), data.LIBSVMOptions{})
	if err != nil {
		t.Fatal(err)
	}
	smooth, lipschitz, err := constants(context.Background(), rows)
	if err != nil || math.Abs(smooth-0.25) > 1e-12 || math.Abs(lipschitz-4*0.25*2/(6*math.Sqrt(3))) > 1e-12 {
		t.Errorf("L = %v and L2 = %v (%v)", smooth, lipschitz, err)
	}
}
