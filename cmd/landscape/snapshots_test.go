package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/train"
)

// withSnapshots makes a run that keeps its weights on the way.
func withSnapshots(t *testing.T, s train.Snapshots) string {
	t.Helper()
	return trainedAs(t, "2-12-10-3", 1, func(c *train.Config, _ *nn.Model[float32]) { c.Snapshots = s })
}

// readTable reads a CSV file: its head, and its numbers by column.
func readTable(t *testing.T, path ...string) (rows int, column map[string][]float64) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	list, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column = map[string][]float64{}
	for _, row := range list[1:] {
		for i, name := range list[0] {
			v, err := strconv.ParseFloat(row[i], 64)
			if err != nil {
				v = math.NaN()
			}
			column[name] = append(column[name], v)
		}
	}
	return len(list) - 1, column
}

// The plane of the run's own way: the snapshots lie on the map, the last of them is
// the weights, and what is said to be explained is what the distances say.
func TestSurfaceOfSnapshots(t *testing.T) {
	dir := withSnapshots(t, train.Snapshots{Every: 4, Epoch: true})
	folder := filepath.Join(dir, "landscape")
	args := []string{"surface", dir, "-directions", "checkpoints", "-points", "5", "-examples", "100"}
	code, out, errs := call(context.Background(), args...)
	if code != cli.ExitDone || !strings.Contains(out, "snapshots: the plane explains") {
		t.Fatalf("status %d: %s\n%s", code, out, errs)
	}
	expectFiles(t, folder, "surface-way.csv", "surface-way.png", "surface-way.svg", "surface.html")
	list, err := train.ListSnapshots(dir)
	if err != nil {
		t.Fatal(err)
	}
	n, way := readTable(t, folder, "surface-way.csv")
	if n != len(list) {
		t.Fatalf("%d rows of %d snapshots", n, len(list))
	}
	_, plane := readTable(t, folder, "surface.csv")
	low := [2]float64{plane["a"][0], plane["b"][0]}
	high := [2]float64{plane["a"][24], plane["b"][24]}
	on, all := 0.0, 0.0
	for i := range n {
		a, b, away := way["a"][i], way["b"][i], way["distance_from_plane"][i]
		if int(way["step"][i]) != list[i].Step || a < low[0] || a > high[0] || b < low[1] || b > high[1] {
			t.Errorf("row %d: step %v at %v, %v; the map is from %v to %v", i, way["step"][i], a, b, low, high)
		}
		on, all = on+a*a+b*b, all+a*a+b*b+away*away
	}
	if last := n - 1; math.Abs(way["a"][last])+math.Abs(way["b"][last])+way["distance_from_plane"][last] > 1e-6 || way["loss"][last] != way["loss_of_the_plane"][last] {
		t.Error("the last snapshot is not the weights")
	}
	var r surfaceResult
	b, err := os.ReadFile(filepath.Join(folder, "surface.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	if got := float64(r.Explained[0] + r.Explained[1]); math.Abs(got-on/all) > 1e-9 { // of the weights in float32, summed in float64
		t.Errorf("explained %v, the distances say %v", got, on/all)
	}
	// Another plane has none of it.
	if code, _, errs := call(context.Background(), "surface", dir, "-points", "3", "-examples", "100"); code != cli.ExitDone {
		t.Fatalf("status %d: %s", code, errs)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "surface-way*")); left != nil {
		t.Errorf("left: %v", left)
	}
	if code, _, errs := call(context.Background(), "surface", trained(t), "-directions", "checkpoints"); code != cli.ExitFailed || !strings.Contains(errs, "has 0 snapshots, surface needs 2 and more: train with -snapshots") {
		t.Errorf("status %d: %s", code, errs)
	}
}

// The last row of the way is what the table says of the last checkpoint; a part of
// it that is done is not done again.
func TestFeaturesOfSnapshots(t *testing.T) {
	dir := withSnapshots(t, train.Snapshots{Epoch: true})
	folder := filepath.Join(dir, "landscape")
	args := []string{"features", dir, "-examples", "60", "-jacobian-examples", "5"}
	measured(t, args...)
	_, last := readTable(t, folder, "features.csv")
	way := append(args, "-snapshots")
	measured(t, way...)
	expectFiles(t, folder, "features-way.csv", "features-way-active.png", "features-way-rank.png", "features-way-rank.svg")
	b, err := os.ReadFile(filepath.Join(folder, "features-way.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r featuresWay
	if err := json.Unmarshal(b, &r); err != nil || len(r.Rows) != 3 {
		t.Fatalf("%d rows: %v", len(r.Rows), err)
	}
	for i, v := range last["value"] {
		if float64(r.Rows[2][i]) != v {
			t.Errorf("%s: %v after the last step, %v of the last checkpoint", r.Names[i], r.Rows[2][i], v)
		}
	}
	r.Steps, r.Rows = r.Steps[:2], r.Rows[:2]
	r.Rows[1][0] = 1234 // shows that it is not done again
	if b, err = json.Marshal(r); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "features-way.json"), b, 0o666); err != nil {
		t.Fatal(err)
	}
	measured(t, way...)
	if n, again := readTable(t, folder, "features-way.csv"); n != 3 || again[r.Names[0]][1] != 1234 {
		t.Errorf("%d rows, %v", n, again)
	}
	measured(t, "features", dir, "-examples", "60", "-jacobian-examples", "0", "-snapshots")
	if left, _ := filepath.Glob(filepath.Join(folder, "features-way-rank*")); left != nil {
		t.Errorf("left: %v", left)
	}
	if code, _, errs := call(context.Background(), "features", trained(t), "-snapshots"); code != cli.ExitFailed || !strings.Contains(errs, "features needs 1 and more") {
		t.Errorf("status %d: %s", code, errs)
	}
}

func TestThin(t *testing.T) {
	list := make([]int, 1000)
	for i := range list {
		list[i] = i
	}
	got := thin(list, 4)
	if len(got) != 4 || got[0] != 0 || got[1] != 333 || got[2] != 666 || got[3] != 999 {
		t.Errorf("%v", got)
	}
	if got := thin(list[:3], 4); len(got) != 3 {
		t.Errorf("%v", got)
	}
}
