package main

import (
	"math"

	"github.com/saddle-ml/saddle/internal/study"
	"github.com/saddle-ml/saddle/train"
)

// measures are those that the task has.
func (r *report) measures() (list []study.Measure) {
	for _, name := range study.Measures() {
		if m := study.Measure(name); r.has(m) {
			list = append(list, m)
		}
	}
	return list
}

var spent = []study.Quantity{study.Epochs, study.Steps, study.Seconds, study.Gradients, study.Work}

// methodsCSV is compare.csv: a row a method.
func (r *report) methodsCSV() [][]any {
	header := []any{"method", "optimizer", "runs", "good"}
	for _, m := range r.measures() {
		header = append(header, string(m), string(m)+"_sd")
	}
	for _, q := range spent {
		header = append(header, string(q))
	}
	if r.target != nil {
		header = append(header, "target", "reached")
		for _, q := range spent {
			header = append(header, "target_"+string(q))
		}
	}
	rows := [][]any{header}
	for _, s := range r.methods {
		row := []any{s.Label, s.Outcomes[0].Optimizer, len(s.Outcomes), len(s.Good())}
		for _, m := range r.measures() {
			st := s.Final(m)
			row = append(row, st.Mean, st.SD)
		}
		for _, q := range spent {
			row = append(row, s.Spent(q).Mean)
		}
		if r.target != nil {
			row = append(row, r.target.String(), s.Reached(r.target))
			for _, q := range spent {
				row = append(row, s.To(r.target, q).Median)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// runsCSV is runs.csv: a row a run.
func (r *report) runsCSV() [][]any {
	header := []any{"method", "optimizer", "seed", "status"}
	header = append(header, r.pointHeader()...)
	if r.target != nil {
		for _, q := range spent {
			header = append(header, "target_"+string(q))
		}
	}
	rows := [][]any{append(header, "note")}
	for _, s := range r.methods {
		for _, o := range s.Outcomes {
			row := []any{s.Label, o.Optimizer, o.Job.Seed, string(o.Status)}
			p, _ := o.End()
			row = append(row, r.pointRow(p)...)
			if r.target != nil {
				hit, ok := o.Hit(r.target)
				for _, q := range spent {
					v := math.NaN()
					if ok {
						v = q.Of(hit)
					}
					row = append(row, v)
				}
			}
			rows = append(rows, append(row, o.Note))
		}
	}
	return rows
}

// pointsCSV is points.csv: a row a measurement.
func (r *report) pointsCSV() [][]any {
	rows := [][]any{append([]any{"method", "optimizer", "seed"}, r.pointHeader()...)}
	for _, s := range r.methods {
		for _, o := range s.Outcomes {
			for _, p := range o.Points {
				rows = append(rows, append([]any{s.Label, o.Optimizer, o.Job.Seed}, r.pointRow(p)...))
			}
		}
	}
	return rows
}

func (r *report) pointHeader() (row []any) {
	for _, q := range spent {
		row = append(row, string(q))
	}
	for _, m := range r.measures() {
		row = append(row, string(m))
	}
	return row
}

func (r *report) pointRow(p train.Point) (row []any) {
	for _, q := range spent {
		row = append(row, q.Of(p))
	}
	for _, m := range r.measures() {
		v, _ := m.Of(p)
		row = append(row, v)
	}
	return row
}
