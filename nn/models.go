package nn

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/saddle-ml/saddle/internal/spell"
)

// Named models: what the command line knows by a word.

// ModelNames lists the names that ByName knows, beside sizes like 784-300-10.
func ModelNames() []string {
	names := []string{"softmax", "mlp", "lenet", "cnn", "narrow", "autoencoder", "autoencoder-relu"}
	for _, p := range problems {
		names = append(names, p.name)
	}
	return names
}

// ByName is a network with its loss for inputs of the shape (of one example) and
// a number of classes, 0 where the targets are numbers:
//
//	softmax      one dense layer
//	mlp          a hidden layer of 128 units, relu
//	lenet        LeNet-5 (LeCun et al. 1998) with relu and max-pooling
//	cnn          conv 32, pool, conv 64, pool, dense 128, all relu, windows 3x3
//	narrow       12 hidden layers of 20 units, tanh: deep, and hard to scale
//	autoencoder  1000-500-250-30 and back, sigmoid, linear code, sparse
//	             initialisation (Hinton and Salakhutdinov 2006; Martens 2010)
//	autoencoder-relu  the same with relu (Lucas et al. 2018), initialised by He
//	             et al.; both take the sizes down to the code, the initialisation
//	             or both, as autoencoder:200-100-20,init=glorot_uniform
//	logistic     logistic regression of two classes, with l2=1e-4
//	nls          non-convex least squares of a sigmoid (Xu et al. 2018)
//	lse          log-sum-exp of numbers (Mishchenko 2023), with rho=0.05
//
// The last three have no bias, begin at 0 and take settings, as
// logistic:l2=1e-3,bias,init=ones: l2 for half of it times the squared length of
// the weights (see L2), init for zeros, ones, randn or a number for all, bias (not
// of lse), rho (of lse).
//
// A name like 784-300-100-10 is dense layers of those sizes with relu between;
// it begins with the size of the input and ends with the number of classes.
// An autoencoder's target is its input. mlp, lenet, cnn, narrow and sizes take the
// setting batchnorm or layernorm, as lenet:batchnorm, for a normalisation before
// every activation, of a layer of all of its outputs together.
func ByName(name string, input []int, classes int) (Layer, Loss, error) {
	n := size(input)
	loss := Loss(SoftmaxCrossEntropy{})
	head, settings, has := cutModel(name)
	if p := problemOf(head); p != nil {
		return p.named(settings, classes)
	}
	if has && (slices.Contains([]string{"mlp", "lenet", "cnn", "narrow"}, head) || isSizes(head)) {
		if settings != "batchnorm" && settings != "layernorm" {
			return nil, nil, fmt.Errorf("nn: model %q has no setting %q; its settings are batchnorm and layernorm%s", head, settings, spell.Hint(settings, []string{"batchnorm", "layernorm"}))
		}
		net, loss, err := ByName(head, input, classes)
		if err != nil {
			return nil, nil, err
		}
		net, err = normalised(head, net.(Sequential), settings)
		return net, loss, err
	}
	if IsAutoencoder(name) {
		return autoencoder(name, head, settings, n)
	}
	if has && slices.Contains(ModelNames(), head) {
		return nil, nil, fmt.Errorf("nn: model %q has no settings", head)
	}
	if classes == 0 && slices.Contains(ModelNames(), name) {
		return nil, nil, fmt.Errorf("nn: model %q: it wants classes, the data has numbers as targets", name)
	}
	switch name {
	case "softmax":
		return Sequential{Flatten{}, Dense{Units: classes}}, loss, nil
	case "mlp":
		return reluNet([]int{n, 128, classes}), loss, nil
	case "lenet":
		if err := images(name, input, 12); err != nil {
			return nil, nil, err
		}
		return Sequential{
			Conv2D{Filters: 6, Kernel: 5, Padding: Same, Init: HeNormal}, ReLU{}, MaxPool2D{Size: 2},
			Conv2D{Filters: 16, Kernel: 5, Init: HeNormal}, ReLU{}, MaxPool2D{Size: 2},
			Flatten{},
			Dense{Units: 120, Init: HeNormal}, ReLU{},
			Dense{Units: 84, Init: HeNormal}, ReLU{},
			Dense{Units: classes},
		}, loss, nil
	case "cnn":
		if err := images(name, input, 4); err != nil {
			return nil, nil, err
		}
		return Sequential{
			Conv2D{Filters: 32, Kernel: 3, Padding: Same, Init: HeNormal}, ReLU{}, MaxPool2D{Size: 2},
			Conv2D{Filters: 64, Kernel: 3, Padding: Same, Init: HeNormal}, ReLU{}, MaxPool2D{Size: 2},
			Flatten{},
			Dense{Units: 128, Init: HeNormal}, ReLU{},
			Dense{Units: classes},
		}, loss, nil
	case "narrow":
		net := Sequential{Flatten{}}
		for range 12 {
			net = append(net, Dense{Units: 20}, Tanh{})
		}
		return append(net, Dense{Units: classes}), loss, nil
	}
	if isSizes(name) {
		sizes, err := sizesOf(name, name, fmt.Sprintf("%d-300-100-%d", n, classes))
		if err != nil {
			return nil, nil, err
		}
		if sizes[0] != n || sizes[len(sizes)-1] != classes {
			return nil, nil, fmt.Errorf("nn: model %q: the data has %d inputs and %d classes, so sizes must begin with %d and end with %d", name, n, classes, n, classes)
		}
		return reluNet(sizes), loss, nil
	}
	return nil, nil, fmt.Errorf("nn: unknown model %q; known are %s, and sizes like %d-300-100-%d%s", name, strings.Join(ModelNames(), ", "), n, classes, spell.Hint(head, ModelNames()))
}

// IsAutoencoder tells whether the target of the named model is its input.
func IsAutoencoder(name string) bool {
	head, _, _ := cutModel(name)
	return head == "autoencoder" || head == "autoencoder-relu"
}

// autoencoderInits are what the setting init of an autoencoder may be.
var autoencoderInits = []Init{Sparse{}, GlorotUniform, GlorotNormal, HeUniform, HeNormal, LeCunUniform, LeCunNormal, PyTorchUniform}

// autoencoder is a named one of n numbers, with its sizes down to the code or the usual ones.
func autoencoder(name, head, settings string, n int) (Layer, Loss, error) {
	const usual = "1000-500-250-30"
	init, between := Init(Sparse{}), Layer(Sigmoid{})
	if head == "autoencoder-relu" {
		init, between = HeNormal, ReLU{}
	}
	list, word, has := settings, "", false
	if strings.HasPrefix(list, "init=") {
		list = usual + "," + list
	}
	if list, word, has = strings.Cut(list, ",init="); has {
		var names []string
		at := slices.IndexFunc(autoencoderInits, func(i Init) bool {
			names = append(names, i.String())
			return i.String() == word
		})
		if at < 0 {
			return nil, nil, fmt.Errorf("nn: model %q: init is %q; allowed are %s%s", name, word, strings.Join(names, ", "), spell.Hint(word, names))
		}
		init = autoencoderInits[at]
	}
	if list == "" && name == head {
		list = usual
	}
	down, err := sizesOf(name, list, usual)
	if err != nil {
		return nil, nil, err
	}
	var bias Init
	if init == Init(PyTorchUniform) {
		bias = init
	}
	up := slices.Clone(down[:len(down)-1])
	slices.Reverse(up)
	net := Sequential{Flatten{}}
	for i, units := range append(append(slices.Clone(down), up...), n) {
		if i > 0 && i != len(down) { // the code is linear
			net = append(net, between)
		}
		net = append(net, Dense{Units: units, Init: init, BiasInit: bias})
	}
	return net, SigmoidCrossEntropy{}, nil
}

// sizesOf reads the sizes of layers, joined by -, of a model.
func sizesOf(model, list, like string) (sizes []int, err error) {
	for _, part := range strings.Split(list, "-") {
		k, err := strconv.Atoi(part)
		if err != nil || k < 1 {
			return nil, fmt.Errorf("nn: model %q: %q is not a size; sizes are spelled like %s", model, part, like)
		}
		sizes = append(sizes, k)
	}
	return sizes, nil
}

func isSizes(name string) bool { return name != "" && '0' <= name[0] && name[0] <= '9' }

// normalised is a named network with batchnorm or layernorm before every activation.
func normalised(name string, net Sequential, setting string) (Layer, error) {
	var with Sequential
	axes := 3 // of a layer's output, of images until they are flattened
	for _, l := range net {
		switch l.(type) {
		case Flatten:
			axes = 1
		case ReLU, Tanh:
			if setting == "batchnorm" {
				with = append(with, BatchNorm{})
			} else {
				with = append(with, LayerNorm{Axes: axes})
			}
		}
		with = append(with, l)
	}
	if len(with) == len(net) {
		return nil, fmt.Errorf("nn: model %q has no hidden layers for %s", name, setting)
	}
	return with, nil
}

// reluNet is dense layers with relu between.
func reluNet(sizes []int) Layer {
	net := Sequential{Flatten{}}
	for i, units := range sizes[1:] {
		if i == len(sizes)-2 {
			return append(net, Dense{Units: units})
		}
		net = append(net, Dense{Units: units, Init: HeNormal}, ReLU{})
	}
	return net
}

func images(name string, input []int, least int) error {
	if len(input) != 3 || input[1] < least || input[2] < least {
		return fmt.Errorf("nn: model %q: it wants images [channels height width] of at least %dx%d, the data has shape %v", name, least, least, input)
	}
	return nil
}
