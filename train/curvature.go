package train

import (
	"github.com/saddle-ml/saddle/optimizers"
)

// Curvature sums up an epoch of an optimizer that uses curvature. Each step's
// own numbers are in log.jsonl.
type Curvature struct {
	GradNorm      float64 `json:"grad_norm"`      // mean over the steps
	Damping       float64 `json:"damping"`        // of the last step
	Radius        float64 `json:"radius"`         // of the last step
	Cubic         float64 `json:"cubic"`          // σ of the cubic model, of the last step
	Rho           float64 `json:"rho"`            // Decrease over ModelDecrease; 0 where nothing was promised
	ModelDecrease float64 `json:"model_decrease"` // sum over the steps that have both
	Decrease      float64 `json:"decrease"`
	CGIterations  int     `json:"cg_iterations"` // sum
	CGStop        string  `json:"cg_stop"`       // why they stopped in most steps
	MinCurvature  float64 `json:"min_curvature"` // lowest
	Rejected      int     `json:"rejected"`      // steps
}

// curvatureTally is a Curvature in the making.
type curvatureTally struct {
	Steps, Curved int // all, and those that told of curvature
	Sum           Curvature
	Stops         map[string]int
}

func (t *curvatureTally) reset() { *t = curvatureTally{Stops: t.Stops}; clear(t.Stops) }

// add adds a step.
func (t *curvatureTally) add(r *optimizers.Report) {
	t.Steps++
	s := &t.Sum
	s.GradNorm += r.GradNorm
	if r.Rejected {
		s.Rejected++
	}
	if r.Damping == 0 && r.Radius == 0 && r.CGStop == "" && r.ModelDecrease == 0 && r.MinCurvature == 0 {
		return
	}
	if t.Curved == 0 || r.MinCurvature < s.MinCurvature {
		s.MinCurvature = r.MinCurvature
	}
	t.Curved++
	s.Damping, s.Radius, s.Cubic = r.Damping, r.Radius, r.Cubic
	s.CGIterations += r.CGIterations
	if finite(r.ModelDecrease) && finite(r.Decrease) {
		s.ModelDecrease += r.ModelDecrease
		s.Decrease += r.Decrease
	}
	if r.CGStop != "" {
		if t.Stops == nil {
			t.Stops = map[string]int{}
		}
		t.Stops[r.CGStop]++
	}
}

// row is the epoch's, or nil where no step told of curvature.
func (t *curvatureTally) row() *Curvature {
	if t.Curved == 0 {
		return nil
	}
	c := t.Sum
	c.GradNorm /= float64(t.Steps)
	if rho := c.Decrease / c.ModelDecrease; finite(rho) {
		c.Rho = rho
	}
	most := 0
	for _, stop := range sortedNames(t.Stops) {
		if n := t.Stops[stop]; n > most {
			most, c.CGStop = n, stop
		}
	}
	return &c
}

// fields are the columns of metrics.csv; of nil they are empty.
func (c *Curvature) fields() []pair {
	if c == nil {
		c = &Curvature{}
	}
	return []pair{{"grad_norm", c.GradNorm}, {"damping", c.Damping}, {"radius", c.Radius}, {"cubic", c.Cubic}, {"rho", c.Rho},
		{"model_decrease", c.ModelDecrease}, {"decrease", c.Decrease}, {"cg_iterations", c.CGIterations},
		{"cg_stop", c.CGStop}, {"min_curvature", c.MinCurvature}, {"rejected", c.Rejected}}
}
