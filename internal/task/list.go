package task

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// List writes all names that the flags know.
func List(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "data sets: %s, or a .csv, .libsvm or .svm file\nmodels:    %s, or sizes such as 784-300-100-10; with normalisation as mlp:batchnorm and mlp:layernorm\n\n",
		strings.Join(data.Names(), ", "), strings.Join(nn.ModelNames(), ", ")); err != nil {
		return err
	}
	return ListOptimizers(w)
}

// ListOptimizers writes every method with its settings and defaults.
func ListOptimizers(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	settings := func(list []optimizers.Setting) {
		for _, s := range list {
			fmt.Fprintf(t, "    %s=%s\t%s; %s\n", s.Name, s.Default, s.Help, s.Allowed)
		}
	}
	section := func(title string, infos []optimizers.Info) {
		fmt.Fprintf(t, "%s\n", title)
		for _, info := range infos {
			fmt.Fprintf(t, "\n  %s\t%s%s\n", info.Name, info.Use, memory(info))
			settings(info.Settings)
		}
		fmt.Fprintln(t)
	}
	section("optimizers (-opt NAME:SETTING=VALUE,...)", optimizers.Methods())
	section("wrappers (-opt NAME+WRAPPER:SETTING=VALUE,...)", optimizers.Wrappers())
	section("schedules (-schedule NAME:SETTING=VALUE,... or as a wrapper)", optimizers.Schedules())
	fmt.Fprintf(t, "  every schedule\twhat it counts, a warm-up before it, and the length of the run\n")
	settings(optimizers.ScheduleSettings())
	return t.Flush()
}

func memory(info optimizers.Info) string {
	switch info.Memory {
	case 0:
		return ""
	case 1:
		return " (keeps 1 number a parameter)"
	}
	return fmt.Sprintf(" (keeps %d numbers a parameter)", info.Memory)
}
