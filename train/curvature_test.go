package train

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

// What an optimizer tells of curvature is in log.jsonl, a line a step, and in
// metrics.csv, a row an epoch, which is recomputed here from the steps.
func TestCurvatureIsInTheLogAndTheTable(t *testing.T) {
	for _, spec := range []string{"hf:curvature=60,damping=0.01", "arc"} {
		t.Run(spec, func(t *testing.T) { testCurvatureIsInTheLogAndTheTable(t, spec) })
	}
}

func testCurvatureIsInTheLogAndTheTable(t *testing.T, spec string) {
	m, d := small[float32](t, plain()...)
	c := Config{Epochs: 3, Batch: 40, Optimizer: parse(t, spec), Dir: t.TempDir()}
	var reports []optimizers.Report
	c.Observers = []Observer{ObserverFunc(func(e Event) error {
		if s, ok := e.(*Stepped); ok {
			reports = append(reports, s.Report)
		}
		return nil
	})}
	h := mustFit(t, m, d, c)
	k := 0
	for line := range strings.Lines(readFile(t, filepath.Join(c.Dir, logFile))) {
		var e struct {
			Event                        string
			Loss, Damping, Rho, Decrease float64
			GradNorm                     float64 `json:"grad_norm"`
			ModelDecrease                float64 `json:"model_decrease"`
			MinCurvature                 float64 `json:"min_curvature"`
			CGIterations                 int     `json:"cg_iterations"`
			CGStop                       string  `json:"cg_stop"`
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Event != "step" {
			continue
		}
		r := reports[k]
		k++
		if e.Loss != r.Loss || e.GradNorm != r.GradNorm || e.Damping != r.Damping || (e.Rho != r.Rho && !math.IsNaN(r.Rho)) || e.Decrease != r.Decrease ||
			e.ModelDecrease != r.ModelDecrease || e.MinCurvature != r.MinCurvature || e.CGIterations != r.CGIterations || e.CGStop != r.CGStop ||
			e.CGStop == "" || e.ModelDecrease == 0 {
			t.Errorf("step %d: %s is of %+v", k, line, r)
		}
	}
	if k != len(reports) || k != 12 {
		t.Fatalf("%d steps in the log, %d taken", k, len(reports))
	}
	rows, err := csv.NewReader(strings.NewReader(readFile(t, filepath.Join(c.Dir, metricsFile)))).ReadAll()
	if err != nil || len(rows) != 4 {
		t.Fatal(rows, err)
	}
	for epoch, row := range rows[1:] {
		mean, decrease, model, iterations, lowest := 0.0, 0.0, 0.0, 0, math.Inf(1)
		for _, r := range reports[4*epoch : 4*epoch+4] {
			mean += r.GradNorm / 4
			decrease += r.Decrease
			model += r.ModelDecrease
			iterations += r.CGIterations
			lowest = min(lowest, r.MinCurvature)
		}
		want := map[string]float64{"grad_norm": mean, "damping": reports[4*epoch+3].Damping, "radius": 0, "cubic": reports[4*epoch+3].Cubic, "rho": decrease / model, "model_decrease": model,
			"decrease": decrease, "cg_iterations": float64(iterations), "min_curvature": lowest, "rejected": 0}
		for i, name := range rows[0] {
			w, ok := want[name]
			if !ok {
				continue
			}
			delete(want, name)
			if v, err := strconv.ParseFloat(row[i], 64); err != nil || math.Abs(v-w) > 1e-7*math.Abs(w) {
				t.Errorf("epoch %d: %s is %s, want %v", epoch+1, name, row[i], w)
			}
		}
		if len(want) > 0 {
			t.Errorf("no columns %v in %v", want, rows[0])
		}
		if stop := h.Rows[epoch].Curvature.CGStop; spec != "arc" && stop != optimizers.StopIterations {
			t.Errorf("epoch %d: conjugate gradients stopped by %q", epoch+1, stop)
		}
	}
}

// Numbers that are not finite are left out of sums, and an epoch of nothing but
// rejected steps is written.
func TestCurvatureOfStrangeSteps(t *testing.T) {
	var tally curvatureTally
	if tally.row() != nil {
		t.Error("no step has curvature")
	}
	tally.add(&optimizers.Report{GradNorm: 3, LR: 1})
	if tally.row() != nil {
		t.Error("a step without curvature has some")
	}
	tally.add(&optimizers.Report{GradNorm: 1, Damping: 2, Rejected: true, Rho: math.NaN(), Decrease: math.Inf(-1), ModelDecrease: 1, CGStop: "b", MinCurvature: 4})
	tally.add(&optimizers.Report{GradNorm: 2, Damping: 3, Rejected: true, Rho: math.NaN(), Decrease: math.NaN(), CGStop: "a", CGIterations: 7, MinCurvature: 5})
	want := Curvature{GradNorm: 2, Damping: 3, Rejected: 2, CGIterations: 7, CGStop: "a", MinCurvature: 4}
	if got := *tally.row(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	tally.reset()
	if tally.row() != nil || len(tally.Stops) != 0 {
		t.Errorf("after a reset: %+v", tally)
	}
}

// First-order methods have the table they had.
func TestWithoutCurvatureThereAreNoColumns(t *testing.T) {
	m, d := small[float32](t, plain()...)
	h, err := Fit(context.Background(), m, d, Config{Epochs: 1})
	if err != nil || strings.Contains(string(h.CSV()), "damping") || h.Rows[0].Curvature != nil {
		t.Errorf("%s %v", h.CSV(), err)
	}
}
