package opttest

import (
	"context"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

// descent is gradient descent with a memory that does not matter, and with one fault.
type descent[T optimizers.Float] struct {
	fault string
	l     optimizers.Layout
	g     []T
	old   []T
	steps int
	share *int
}

func (d *descent[T]) Name() string { return "descent" }

func (d *descent[T]) Start(l optimizers.Layout) error {
	d.l, d.g, d.old = l, make([]T, l.Size()), make([]T, l.Size())
	return nil
}

func (d *descent[T]) Step(ctx context.Context, x []T, p optimizers.Problem[T]) (optimizers.Report, error) {
	b := p.Batch()
	loss, err := b.Grad(d.g, x)
	if d.fault == "steps before looking" {
		d.steps++
	}
	if err != nil {
		return optimizers.Report{}, err
	}
	if d.fault != "does not look" {
		for i, v := range d.g {
			if v := float64(v); math.IsNaN(v) || math.IsInf(v, 0) {
				tensor, at := d.l.At(i)
				return optimizers.Report{}, &optimizers.NonFiniteError{What: "gradient", Tensor: tensor.Name, Index: at}
			}
		}
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return optimizers.Report{}, &optimizers.NonFiniteError{What: "loss"}
		}
	}
	rate := 0.001
	switch d.fault {
	case "forgets":
		if len(x) > 0 {
			rate /= float64(1 + d.old[0])
			d.old[0]++
		}
	case "shares":
		*d.share++
		rate /= float64(*d.share)
	case "allocates":
		if d.steps%4 == 3 {
			d.g = append([]T{}, d.g...)
		}
	case "never moves":
		rate = 0
	case "divides by zero":
		length := T(0)
		for _, v := range d.g {
			length += v * v
		}
		rate /= math.Sqrt(float64(length))
	}
	if d.fault == "squares" {
		length := T(0)
		for _, v := range d.g {
			length += v * v
		}
		if slices.ContainsFunc(d.g, func(v T) bool { return v != 0 }) {
			rate /= math.Sqrt(float64(length))
		}
	}
	for i, v := range d.g {
		x[i] -= T(rate) * v
	}
	if d.fault != "steps before looking" {
		d.steps++
	}
	work := int64(optimizers.WorkGrad * b.Len())
	if d.fault == "miscounts" {
		work /= 2
	}
	if d.fault == "misreports" {
		loss++
	}
	return optimizers.Report{Loss: loss, Work: work}, nil
}

func (d *descent[T]) State() optimizers.State[T] {
	s := optimizers.State[T]{Method: d.Name(), Step: d.steps, Vectors: map[string][]T{"old": append([]T{}, d.old...)}}
	if d.fault == "lends its memory" {
		s.Vectors["old"] = d.old
	}
	if d.fault == "forgets" {
		clear(s.Vectors["old"])
	}
	return s
}

func (d *descent[T]) Restore(s optimizers.State[T]) error {
	if d.fault != "takes any state" && (s.Method != d.Name() || s.Step < 0 || len(s.Scalars) != 0 || len(s.Vectors) != 1 || len(s.Vectors["old"]) != len(d.old)) {
		return os.ErrInvalid
	}
	d.steps = s.Step
	copy(d.old, s.Vectors["old"])
	return nil
}

func descentMethod(fault string) optimizers.Method {
	share := new(int)
	return optimizers.Own("descent",
		func(l optimizers.Layout) (optimizers.Stepper[float32], error) {
			return &descent[float32]{fault: fault, share: share}, nil
		},
		func(l optimizers.Layout) (optimizers.Stepper[float64], error) {
			return &descent[float64]{fault: fault, share: share}, nil
		})
}

// TestRun accepts what is right. TestRunFindsFaults runs it in a process of its own with a fault, which fails it.
func TestRun(t *testing.T) {
	fault := os.Getenv("OPTTEST_FAULT")
	Run(t, func() optimizers.Method { return descentMethod(fault) }, Goal{Known: Rosenbrock, Steps: 1000, Below: 5})
}

func TestRunFindsFaults(t *testing.T) {
	for fault, claim := range map[string]string{
		"miscounts":            "the_reported_work_is_the_work_done",
		"misreports":           "the_report_tells_what_happened",
		"allocates":            "no_allocation_after_the_first_step",
		"forgets":              "resumed_equals_uninterrupted",
		"lends its memory":     "a_state_is_a_copy",
		"takes any state":      "a_state_that_does_not_fit_is_refused",
		"shares":               "two_runs_of_one_method_share_nothing",
		"does not look":        "a_loss_or_gradient_that_is_not_finite_changes_nothing",
		"steps before looking": "an_error_of_the_problem_changes_nothing",
		"divides by zero":      "a_gradient_of_zero_leaves_everything_finite",
		"squares":              "a_gradient_too_small_to_be_squared_leaves_everything_finite",
		"never moves":          "reaches_the_minimum_of_Rosenbrock",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			out := faults(t, fault)
			if !strings.Contains(out, "--- FAIL: TestRun/float64/"+claim) {
				t.Errorf("not found by %q:\n%s", claim, out)
			}
		})
	}
}

func faults(t *testing.T, fault string) string {
	cmd := exec.Command(os.Args[0], "-test.run=^TestRun$", "-test.v")
	cmd.Env = append(os.Environ(), "OPTTEST_FAULT="+fault)
	out, _ := cmd.CombinedOutput() // a failing test is what is wanted
	return string(out)
}
