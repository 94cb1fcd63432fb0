package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
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
	var r wayResult
	if err := json.Unmarshal(b, &r); err != nil || len(r.Rows) != 3 {
		t.Fatalf("%d rows: %v", len(r.Rows), err)
	}
	for i, v := range last["value"] {
		if float64(r.Rows[2][i]) != v {
			t.Errorf("%s: %v after the last step, %v of the last checkpoint", r.Names[i], r.Rows[2][i], v)
		}
	}
	r.Steps, r.Rows, r.Errors = r.Steps[:2], r.Rows[:2], r.Errors[:2]
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

// Sharpness and noise of snapshots end with what the tables of the checkpoint have.
func TestTablesOfSnapshots(t *testing.T) {
	dir := withSnapshots(t, train.Snapshots{Epoch: true})
	folder := filepath.Join(dir, "landscape")
	for _, args := range [][]string{{"sharpness", dir, "-examples", "60", "-steps", "5"}, {"noise", dir, "-examples", "60", "-aligned", "8", "-trace-tol", "0.2"}} {
		measured(t, args...)
		name := args[0]
		_, last := readTable(t, folder, name+".csv")
		measured(t, append(args, "-snapshots")...)
		expectFiles(t, folder, name+"-way.json", name+"-way.csv", name+"-way.png", name+"-way.svg")
		b, err := os.ReadFile(filepath.Join(folder, name+"-way.json"))
		if err != nil {
			t.Fatal(err)
		}
		var r wayResult
		if err := json.Unmarshal(b, &r); err != nil || len(r.Steps) != 3 {
			t.Fatalf("%s: steps %v: %v", name, r.Steps, err)
		}
		n, way := readTable(t, folder, name+"-way.csv")
		if n != 3 {
			t.Errorf("%s: %d rows", name, n)
		}
		for i, v := range last["value"] {
			if got := way[r.Names[i]][2]; got != v && !(math.IsNaN(got) && math.IsNaN(v)) {
				t.Errorf("%s: %s is %v after the last step, %v of the last checkpoint", name, r.Names[i], got, v)
			}
			if off := last["standard_error"][i]; !math.IsNaN(off) && way[r.Names[i]+", standard error"][2] != off {
				t.Errorf("%s: %s is off by %v after the last step, %v of the last checkpoint", name, r.Names[i], way[r.Names[i]+", standard error"][2], off)
			}
		}
	}
}

// What an interrupted call has saved is not measured again.
func TestPathsAndTablesGoOn(t *testing.T) {
	dir := trained(t)
	folder := filepath.Join(dir, "landscape")
	for _, c := range []struct {
		args []string
		list string // of JSON
		keep int    // of its elements
	}{
		{[]string{"path", dir, "-points", "5", "-examples", "60"}, "lines", 1},
		{[]string{"sharpness", dir, "-examples", "60", "-steps", "5"}, "rows", 3},
		{[]string{"noise", dir, "-examples", "60", "-aligned", "8", "-trace-tol", "0.2"}, "rows", 4},
	} {
		measured(t, c.args...)
		file := filepath.Join(folder, c.args[0]+".json")
		read := func() (saved map[string]any, list []any) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			d := json.NewDecoder(bytes.NewReader(b))
			d.UseNumber() // times have more digits than float64
			if err := d.Decode(&saved); err != nil {
				t.Fatal(err)
			}
			return saved, saved[c.list].([]any)
		}
		saved, want := read()
		key := "standard_error"
		if c.args[0] == "path" {
			key = "bumps"
		}
		want[0].(map[string]any)[key] = json.Number("17") // shows that it is not done again
		saved[c.list], saved["done"] = want[:c.keep], false
		part, err := json.Marshal(saved)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, part, 0o666); err != nil {
			t.Fatal(err)
		}
		measured(t, c.args...)
		if saved, got := read(); !reflect.DeepEqual(got, want) || saved["done"] != true {
			t.Errorf("%s: done %v, %v\nwant %v", c.args[0], saved["done"], got, want)
		}
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
