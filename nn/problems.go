package nn

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/saddle-ml/saddle/internal/spell"
)

// Test problems of optimization as models, by name and settings: see ByName.

// A problem is a linear model with a loss.
type problem struct {
	name     string
	settings []string // that it takes
	build    func(c problemConfig) (Layer, Loss)
}

// problemConfig are the settings of a problem with defaults in place.
type problemConfig struct {
	l2, rho float64
	bias    bool
	init    Init
}

var problems = []problem{
	{"logistic", []string{"l2", "bias", "init"}, func(c problemConfig) (Layer, Loss) {
		return Sequential{Flatten{}, c.unit()}, c.penalised(Logistic{})
	}},
	{"nls", []string{"l2", "bias", "init"}, func(c problemConfig) (Layer, Loss) {
		return Sequential{Flatten{}, c.unit(), Sigmoid{}}, c.penalised(Brier{})
	}},
	{"lse", []string{"rho", "l2", "init"}, func(c problemConfig) (Layer, Loss) {
		return Sequential{Flatten{}, c.unit()}, c.penalised(LogSumExp{Rho: c.rho})
	}},
}

func (c problemConfig) unit() Layer { return Dense{Units: 1, NoBias: !c.bias, Init: c.init} }

func (c problemConfig) penalised(l Loss) Loss {
	if c.l2 == 0 {
		return l
	}
	return L2{Of: l, Lambda: c.l2}
}

// cutModel parts a model's name from its settings.
func cutModel(spec string) (name, settings string, has bool) { return strings.Cut(spec, ":") }

// NumberTargets tells whether the targets of the named model are numbers and not
// classes.
func NumberTargets(model string) bool {
	name, _, _ := cutModel(model)
	return name == "lse"
}

// problemOf is the problem of a name, or nil.
func problemOf(name string) *problem {
	i := slices.IndexFunc(problems, func(p problem) bool { return p.name == name })
	if i < 0 {
		return nil
	}
	return &problems[i]
}

// named is the problem with settings such as l2=1e-4,bias for data of classes.
func (p *problem) named(settings string, classes int) (Layer, Loss, error) {
	switch {
	case p.name == "lse" && classes != 0:
		return nil, nil, fmt.Errorf("nn: model %q: its targets are numbers, the data has %d classes", p.name, classes)
	case p.name != "lse" && classes != 2:
		what := fmt.Sprintf("%d classes; softmax takes them", classes)
		if classes == 0 {
			what = "numbers as targets"
		}
		return nil, nil, fmt.Errorf("nn: model %q: it tells two classes apart, the data has %s", p.name, what)
	}
	c := problemConfig{rho: 0.05, init: Zeros}
	if p.name == "logistic" {
		c.l2 = 1e-4
	}
	seen := map[string]bool{}
	for item := range strings.SplitSeq(settings, ",") {
		if settings == "" {
			break
		}
		name, value, given := strings.Cut(item, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !slices.Contains(p.settings, name) {
			return nil, nil, fmt.Errorf("nn: model %q has no setting %q; its settings are %s%s", p.name, name, strings.Join(p.settings, ", "), spell.Hint(name, p.settings))
		}
		if seen[name] {
			return nil, nil, fmt.Errorf("nn: model %q: %s is given twice", p.name, name)
		}
		seen[name] = true
		if name == "bias" && !given {
			value = "true"
		}
		if err := c.set(name, value); err != nil {
			return nil, nil, fmt.Errorf("nn: model %q: %w", p.name, err)
		}
	}
	net, loss := p.build(c)
	return net, loss, nil
}

// set gives a setting its value.
func (c *problemConfig) set(name, value string) error {
	number, err := strconv.ParseFloat(value, 64)
	isNumber := err == nil && !math.IsNaN(number) && !math.IsInf(number, 0)
	switch name {
	case "l2":
		if !isNumber || number < 0 {
			return fmt.Errorf("l2 is %q; allowed are numbers from 0 on", value)
		}
		c.l2 = number
	case "rho":
		if !isNumber || number <= 0 {
			return fmt.Errorf("rho is %q; allowed are numbers above 0", value)
		}
		c.rho = number
	case "bias":
		bias, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("bias is %q; allowed are true and false", value)
		}
		c.bias = bias
	case "init":
		words := []string{"zeros", "ones", "randn"}
		switch {
		case value == "zeros":
			c.init = Zeros
		case value == "ones":
			c.init = Constant(1)
		case value == "randn":
			c.init = Normal{Std: 1}
		case isNumber:
			c.init = Constant(number)
		default:
			return fmt.Errorf("init is %q; allowed are %s, or a number for all%s", value, strings.Join(words, ", "), spell.Hint(value, words))
		}
	}
	return nil
}
