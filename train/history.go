package train

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// History is what a run has measured.
type History struct {
	Rows    []Row
	Points  []Point  // with Config.Every
	Result  Result   // of a run that has ended
	Profile *Profile // of a run that has ended, with Config.Profile
}

// Row is one epoch.
type Row struct {
	Epoch   int     `json:"epoch"` // from 1
	Step    int     `json:"step"`  // steps done in the run
	LR      float64 `json:"lr"`    // of the last step
	Train   *Scores `json:"train"` // mean over the minibatches, each before its step
	Probe   *Scores `json:"probe,omitempty"`
	Val     *Scores `json:"val,omitempty"`
	Test    *Scores `json:"test,omitempty"`
	Seconds float64 `json:"seconds"` // of training in this epoch, without measuring
	Rate    float64 `json:"examples_per_second"`
	Work    int64   `json:"work"` // forward-equivalents since the beginning of the run

	Curvature *Curvature         `json:"curvature,omitempty"` // of optimizers that use it
	Watched   map[string]float64 `json:"watched,omitempty"`   // what watchers found last in the epoch
}

// Result is what a run has come to.
type Result struct {
	Data, Model, Optimizer string
	Parameters             int
	Seed                   uint64
	Epochs, Steps          int
	Train, Val, Test       *Scores // of the last epoch
	Probe                  *Scores
	Work                   int64   // forward-equivalents
	Gradients              int64   // gradients of single examples
	TrainSeconds           float64 // of training alone
	Seconds                float64 // with measuring and saving
}

// MarshalJSON writes result.json: a flat object with test_loss, test_accuracy
// and so on.
func (r Result) MarshalJSON() ([]byte, error) {
	pairs := []pair{{"data", r.Data}, {"model", r.Model}, {"optimizer", r.Optimizer}, {"parameters", r.Parameters},
		{"seed", r.Seed}, {"epochs", r.Epochs}, {"steps", r.Steps}}
	pairs = append(pairs, r.scores()...)
	pairs = append(pairs, pair{"work", r.Work}, pair{"gradients", r.Gradients}, pair{"train_seconds", r.TrainSeconds}, pair{"seconds", r.Seconds})
	return object(pairs)
}

// scores lists what was measured, as train_loss and so on.
func (r Result) scores() []pair {
	var list []pair
	for _, set := range []struct {
		name string
		s    *Scores
	}{{"train", r.Train}, {"probe", r.Probe}, {"val", r.Val}, {"test", r.Test}} {
		if set.s == nil {
			continue
		}
		list = append(list, pair{set.name + "_loss", set.s.Loss})
		for _, m := range sortedNames(set.s.Metrics) {
			list = append(list, pair{set.name + "_" + m, set.s.Metrics[m]})
		}
	}
	return list
}

// CSV is metrics.csv: a line an epoch. Optimizers that use curvature have the
// columns of Curvature too.
func (h *History) CSV() []byte {
	var b strings.Builder
	curved := slices.ContainsFunc(h.Rows, func(r Row) bool { return r.Curvature != nil })
	all := map[string]bool{}
	for _, r := range h.Rows {
		for name := range r.Watched {
			all[name] = true
		}
	}
	watched := sortedNames(all)
	for i, r := range h.Rows {
		list := []pair{{"epoch", r.Epoch}, {"step", r.Step}, {"lr", r.LR}}
		list = append(list, Result{Train: r.Train, Probe: r.Probe, Val: r.Val, Test: r.Test}.scores()...)
		list = append(list, pair{"seconds", r.Seconds}, pair{"examples_per_second", r.Rate}, pair{"work", r.Work})
		if curved {
			list = append(list, r.Curvature.fields()...)
		}
		for _, name := range watched {
			if v, ok := r.Watched[name]; ok {
				list = append(list, pair{name, v})
			} else {
				list = append(list, pair{name, ""})
			}
		}
		if i == 0 {
			for j, p := range list {
				b.WriteString(comma(j) + p.name)
			}
			b.WriteByte('\n')
		}
		for j, p := range list {
			text := fmt.Sprint(p.value)
			if v, ok := p.value.(float64); ok {
				text = strconv.FormatFloat(v, 'g', 8, 64)
			}
			b.WriteString(comma(j) + text)
		}
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

func comma(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}
