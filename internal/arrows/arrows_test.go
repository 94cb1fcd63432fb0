package arrows

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/saddle-ml/saddle"

// row says what a package may import.
type row struct {
	own   []string // packages of the module
	graph bool     // gorgonia.org/*
}

// To a command, training is all there is; how a network is differentiated and
// run is not its affair.
var command = row{own: []string{"data", "internal/chart", "internal/cli", "internal/functions", "internal/experiments", "internal/spell", "internal/study", "internal/task", "landscape", "nn", "optimizers", "train"}}

// allowed has a row for every package of the module.
var allowed = map[string]row{
	"cmd/compare":   command,
	"cmd/landscape": command,
	"cmd/reproduce": command,
	"cmd/train":     command,

	"landscape": {own: []string{"autodiff", "autodiff/exec", "autodiff/ops", "data", "internal/kernel", "internal/parallel", "internal/safetensors", "internal/spell", "nn", "optimizers", "train"}, graph: true},
	"train":     {own: []string{"autodiff", "autodiff/exec", "autodiff/ops", "data", "internal/parallel", "internal/safetensors", "internal/spell", "nn", "optimizers"}, graph: true},
	"nn":        {own: []string{"autodiff", "autodiff/exec", "autodiff/ops", "internal/safetensors", "internal/spell"}, graph: true},

	"autodiff":         {own: []string{"autodiff/builtin", "autodiff/exec", "autodiff/ops"}, graph: true},
	"autodiff/builtin": {own: []string{"autodiff/exec", "autodiff/ops"}, graph: true},
	"autodiff/ops":     {own: []string{"autodiff/exec"}, graph: true},
	"autodiff/exec":    {own: []string{"internal/kernel", "internal/pages", "internal/parallel"}, graph: true},

	"optimizers":         {own: []string{"internal/kernel", "internal/pages", "internal/parallel", "internal/spell"}},
	"optimizers/opttest": {own: []string{"optimizers"}},
	"data":               {own: []string{"internal/kernel", "internal/pages", "internal/parallel", "internal/spell"}},

	"internal/arrows":           {},
	"internal/bench":            {own: []string{"autodiff", "autodiff/builtin", "autodiff/exec", "autodiff/ops", "internal/kernel", "internal/parallel", "nn"}, graph: true},
	"internal/bench/updates":    {own: []string{"internal/kernel", "internal/pages", "internal/parallel", "optimizers"}},
	"internal/chart":            {},
	"internal/cli":              {own: []string{"internal/kernel", "internal/spell"}},
	"internal/functions":        {own: []string{"optimizers"}},
	"internal/experiments":      {own: []string{"data", "internal/chart", "internal/cli", "internal/functions", "internal/spell", "internal/study", "internal/task", "landscape", "nn", "optimizers", "train"}},
	"internal/golden":           {},
	"internal/golden/goldennet": {own: []string{"internal/golden", "nn"}, graph: false},
	"internal/kernel":           {},
	"internal/kernel/gen":       {},
	"internal/pages":            {},
	"internal/parallel":         {},
	"internal/safetensors":      {},
	"internal/spell":            {},
	"internal/study":            {own: []string{"data", "internal/chart", "internal/spell", "internal/task", "nn", "optimizers", "train"}},
	"internal/task":             {own: []string{"data", "internal/cli", "internal/spell", "nn", "optimizers", "train"}},
}

// violations are the imports that the table does not allow, in words.
func violations(imports map[string][]string, allowed map[string]row) []string {
	var list []string
	for pkg, paths := range imports {
		row, known := allowed[pkg]
		if !known {
			list = append(list, fmt.Sprintf("%s is in no row of the table: add it to allowed in internal/arrows, with what it may import", pkg))
			continue
		}
		for _, path := range paths {
			if own, inside := strings.CutPrefix(path, module+"/"); inside && !slices.Contains(row.own, own) {
				list = append(list, fmt.Sprintf("%s imports %s; it may import %s", pkg, own, orNone(row.own)))
			}
			if isGraph(path) && !row.graph {
				list = append(list, fmt.Sprintf("%s imports %s; it must know no graph", pkg, path))
			}
		}
	}
	slices.Sort(list)
	return list
}

func isGraph(path string) bool { return strings.HasPrefix(path, "gorgonia.org/") }

func orNone(names []string) string {
	if len(names) == 0 {
		return "nothing of the module"
	}
	return strings.Join(names, ", ")
}

// readImports reads what each package under root imports, apart from its tests.
// It parses every file, whatever its build constraints, so that no platform is
// left out; and the files it has opened are what the go command looks at before
// it takes the result of this test from its cache.
func readImports(root string) (map[string][]string, error) {
	imports := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != root && (name == "testdata" || name == "vendor" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(folder)
		imports[pkg] = append(imports[pkg], "")
		for _, i := range f.Imports {
			path, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			imports[pkg] = append(imports[pkg], path)
		}
		return nil
	})
	return imports, err
}

func TestImportsPointOneWay(t *testing.T) {
	imports, err := readImports(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range violations(imports, allowed) {
		t.Error(v)
	}
	for _, pkg := range []string{"autodiff", "autodiff/exec", "data", "internal/kernel", "nn", "optimizers"} {
		if len(imports[pkg]) < 2 {
			t.Errorf("%s: no imports found; the module's packages are %d", pkg, len(imports))
		}
	}
}

// TestTheTableHasNoCircle follows the arrows that the table allows.
func TestTheTableHasNoCircle(t *testing.T) {
	if way := circle(allowed); way != nil {
		t.Errorf("the table allows a circle: %s", strings.Join(way, " -> "))
	}
}

// circle is a way along the rows from a package to itself, or nil.
func circle(allowed map[string]row) []string {
	done := map[string]bool{}
	var from func(pkg string, way []string) []string
	from = func(pkg string, way []string) []string {
		if i := slices.Index(way, pkg); i >= 0 {
			return append(slices.Clone(way[i:]), pkg)
		}
		if done[pkg] {
			return nil
		}
		for _, next := range allowed[pkg].own {
			if found := from(next, append(way, pkg)); found != nil {
				return found
			}
		}
		done[pkg] = true
		return nil
	}
	for pkg := range allowed {
		if found := from(pkg, nil); found != nil {
			return found
		}
	}
	return nil
}

// TestNoGraphBehindTheirBacks looks at all that these packages are built from,
// other modules too.
func TestNoGraphBehindTheirBacks(t *testing.T) {
	for _, pkg := range []string{"data", "optimizers", "internal/kernel", "internal/parallel"} {
		deps, err := dependencies(pkg)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range deps {
			if isGraph(path) {
				t.Errorf("%s is built from %s", pkg, path)
			}
		}
	}
	deps, err := dependencies("nn")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(deps, isGraph) {
		t.Error("go list sees no graph even in nn")
	}
}

// dependencies is what go list -deps gives for a package of the module.
func dependencies(pkg string) ([]string, error) {
	cmd := exec.Command("go", "list", "-deps", module+"/"+pkg)
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list -deps %s: %w", pkg, err)
	}
	return strings.Fields(string(out)), nil
}

// TestViolationsAreSeen keeps the test from passing because it sees nothing.
func TestViolationsAreSeen(t *testing.T) {
	got := violations(map[string][]string{
		"optimizers":      {"math", module + "/nn", "gorgonia.org/tensor"},
		"internal/kernel": {"", "math", "golang.org/x/sys/cpu"},
		"autodiff/exec":   {module + "/internal/kernel", module + "/autodiff/ops", "gorgonia.org/gorgonia"},
		"new":             {"fmt"},
	}, allowed)
	want := []string{
		"autodiff/exec imports autodiff/ops; it may import internal/kernel, internal/pages, internal/parallel",
		"new is in no row of the table: add it to allowed in internal/arrows, with what it may import",
		"optimizers imports gorgonia.org/tensor; it must know no graph",
		"optimizers imports nn; it may import internal/kernel, internal/pages, internal/parallel, internal/spell",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if way := circle(map[string]row{"a": {own: []string{"b"}}, "b": {own: []string{"c"}}, "c": {own: []string{"b"}}}); len(way) != 3 {
		t.Errorf("the circle is %v", way)
	}
}
