package train

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// The weights and buffers are as before a range test, which finds a rate that
// trains, below those at which the loss is lowest and diverges.
func TestFindRate(t *testing.T) {
	for _, spec := range []string{"sgd", "adam", "sgd:momentum=0.9+group:bias:lr=0.5x+clip:norm=10", "adam+lookahead"} {
		m, d := small[float64](t, nn.Dense{Units: 8}, nn.BatchNorm{}, nn.ReLU{}, nn.Dense{Units: 3})
		params, buffers := slices.Clone(m.Params), slices.Clone(m.Buffers)
		c := Config{Optimizer: parse(t, spec), Batch: 20, Seed: 2}
		found, err := FindRate(context.Background(), m, d, c, RateRange{})
		if err != nil {
			t.Fatalf("%s: %v", spec, err)
		}
		if !slices.Equal(m.Params, params) || !slices.Equal(m.Buffers, buffers) {
			t.Errorf("%s: the weights or buffers have changed", spec)
		}
		if !(found.Suggested < found.Lowest) || found.Suggested < 1e-5 {
			t.Errorf("%s: suggested %v, lowest at %v", spec, found.Suggested, found.Lowest)
		}
		for i, rate := range found.Rates {
			if want := 1e-7 * math.Pow(10, 8*float64(i)/99); math.Abs(rate-want) > 1e-12*want {
				t.Fatalf("%s: rate %d is %v, want %v", spec, i, rate, want)
			}
		}
		again, err := FindRate(context.Background(), m, d, c, RateRange{})
		if err != nil || !slices.Equal(again.Losses, found.Losses) {
			t.Errorf("%s: the same test has other losses: %v", spec, err)
		}
		before, err := Evaluate(context.Background(), m, d)
		if err != nil {
			t.Fatal(err)
		}
		rated := &optimizers.Scheduled{Of: c.Optimizer, Schedule: optimizers.ScheduleFunc(func(int, int, float64) float64 { return found.Suggested })}
		h := mustFit(t, m, d, Config{Optimizer: rated, Epochs: 10, Batch: 20, Seed: 2})
		if last := h.Rows[9].Train.Loss; !(last < 0.7*before.Loss) {
			t.Errorf("%s: ten epochs at the suggested rate %v take the loss from %v to %v", spec, found.Suggested, before.Loss, last)
		}
	}
}

// On a quadratic, gradient descent diverges above 2 over the largest curvature.
func TestFindRateEndsWhereDescentDiverges(t *testing.T) {
	m, d := small[float64](t, nn.Dense{Units: 3, NoBias: true})
	found, err := FindRate(context.Background(), m, d, Config{Optimizer: &optimizers.SGD{}, Batch: d.Len()}, RateRange{Low: 1e-4, High: 1e4, Steps: 200})
	if err != nil {
		t.Fatal(err)
	}
	p, err := ProblemOf(m, batch[float64](t, d, 0, d.Len()))
	if err != nil {
		t.Fatal(err)
	}
	// The largest curvature where the test begins, by power iteration.
	v, hv := make([]float64, len(m.Params)), make([]float64, len(m.Params))
	for i := range v {
		v[i] = math.Sin(float64(i + 1))
	}
	if err := p.Linearize(m.Params); err != nil {
		t.Fatal(err)
	}
	top := 0.0
	for range 100 {
		if err := p.HessianMul(hv, v); err != nil {
			t.Fatal(err)
		}
		top = 0
		for _, w := range hv {
			top += w * w
		}
		top = math.Sqrt(top)
		for i, w := range hv {
			v[i] = w / top
		}
	}
	if !(found.Suggested < 2/top) || found.Diverged != 0 && found.Diverged < 2/top {
		t.Errorf("suggested %v, diverged at %v; descent is stable below %v", found.Suggested, found.Diverged, 2/top)
	}
}

func TestFindRateRefuses(t *testing.T) {
	m, d := small[float32](t, plain()...)
	for want, c := range map[string]struct {
		spec  string
		rates RateRange
	}{
		"has a schedule that does; leave it out":         {"adam+cosine", RateRange{}},
		"hf:curvature=20 has no learning rate to be":     {"hf:curvature=20", RateRange{}},
		"learning rates from 1 to 0.5":                   {"sgd", RateRange{Low: 1, High: 0.5}},
		"learning rates from -1 to 10":                   {"sgd", RateRange{Low: -1}},
		"range test of 5 steps; allowed are 10 and more": {"sgd", RateRange{Steps: 5}},
		"smooth 1 and stop 4":                            {"sgd", RateRange{Smooth: 1}},
		"the loss does not fall at learning rates":       {"sgd", RateRange{Low: 1e-30, High: 1e-29}},
	} {
		before := slices.Clone(m.Params)
		_, err := FindRate(context.Background(), m, d, Config{Optimizer: parse(t, c.spec)}, c.rates)
		if err == nil || !strings.HasPrefix(err.Error(), "train: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s %+v: %v; want %s", c.spec, c.rates, err, want)
		}
		if !slices.Equal(before, m.Params) {
			t.Fatalf("%s: the weights have changed", want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := FindRate(ctx, m, d, Config{}, RateRange{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestRateTestIsSaved(t *testing.T) {
	r := &RateTest{}
	for k := range 20 {
		r.add(math.Pow(10, float64(k-15)), 3-0.1*float64(k), 0.5)
	}
	dir := t.TempDir()
	if err := r.Save(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "lr-find.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 21 || strings.Join(rows[0], " ") != "step lr loss smoothed" {
		t.Fatalf("%v %v", rows, err)
	}
	for k, row := range rows[1:] {
		for i, want := range []float64{float64(k + 1), r.Rates[k], r.Losses[k], r.Smoothed[k]} {
			if got, err := strconv.ParseFloat(row[i], 64); err != nil || math.Abs(got-want) > 1e-7*want {
				t.Errorf("row %d: %v", k, row)
			}
		}
	}
	// A mean of equal weights at first, of the last few later.
	if r.Smoothed[0] != 3 || math.Abs(r.Smoothed[1]-(3*0.5+2.9)/1.5) > 1e-14 {
		t.Errorf("smoothed %v", r.Smoothed[:2])
	}
	if err := r.Save(filepath.Join(dir, "none")); err == nil {
		t.Error("saved where there is no directory")
	}
}
