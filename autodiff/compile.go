package autodiff

import (
	"slices"

	"github.com/saddle-ml/saddle/autodiff/exec"
)

// Compile makes a program that computes the outputs from the inputs and the
// parameters. T is the number type of the graph. Operations of Gorgonia's own
// are translated first, as for derivatives.
func Compile[T exec.Float](outputs []*Node, inputs exec.Inputs, params exec.Params) (*exec.Program[T], error) {
	return CompileWith[T](outputs, inputs, params, exec.Options{})
}

// CompileWith is Compile with settings.
func CompileWith[T exec.Float](outputs []*Node, inputs exec.Inputs, params exec.Params, o exec.Options) (*exec.Program[T], error) {
	given := slices.Concat([]*Node(inputs), []*Node(params))
	t, err := newTranslation("compile", outputs, given)
	if err != nil {
		return nil, err
	}
	return exec.Compile[T](t.all(outputs), inputs, params, o)
}
