package functions

import (
	"math"

	gonum "gonum.org/v1/gonum/optimize/functions"
)

// All lists the functions with their starts.
func All() []Function {
	sphere := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = float64(i) + 0.00001
		}
		return x
	}
	dimensioned := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = float64(n-i-1) / float64(n)
		}
		return x
	}
	trigonometric := []float64{0.042964, 0.043976, 0.045093, 0.046338, 0.047744, 0.049354, 0.051237, 0.195209, 0.164977, 0.060148}
	zero, none := value(0), func(int) []float64 { return nil }
	surface := gonum.NewMinimalSurface(10, 10)
	flat := make([]float64, 64)
	return []Function{
		// gonum's Hessian has x[1] where the residuals have x[0].
		known(gonum.Beale{}, []float64{1, 1}, []float64{3.00001, 0.50001}).withoutHessian(),
		known(gonum.BiggsEXP2{}, []float64{1, 2}, []float64{1.00001, 10.00001}),
		known(gonum.BiggsEXP3{}, []float64{1, 2, 1}, []float64{1.00001, 10.00001, 3.00001}),
		known(gonum.BiggsEXP4{}, []float64{1, 2, 1, 1}, []float64{1.00001, 10.00001, 1.00001, 5.00001}),
		known(gonum.BiggsEXP5{}, []float64{1, 2, 1, 1, 1}, []float64{1.00001, 10.00001, 1.00001, 5.00001, 4.00001}),
		known(gonum.BiggsEXP6{}, []float64{1, 2, 1, 1, 1, 1}, []float64{1.00001, 10.00001, 1.00001, 5.00001, 4.00001, 3.00001}),
		known(gonum.Box3D{}, []float64{0, 10, 20}, []float64{1.00001, 10.00001, 1.00001}, []float64{100.00001, 100.00001, 0.00001}),
		// gonum lists its minimum to six digits.
		described(gonum.BraninHoo{}, value(0.39788735772973816), []float64{2.5, 7.5}, []float64{-3, 12}, []float64{9, 2}).with(gradBraninHoo),
		known(gonum.BrownAndDennis{}, []float64{25, 5, -5, -1}),
		known(gonum.BrownBadlyScaled{}, []float64{1, 1}, []float64{1.000001e6, 2.01e-6}),
		known(gonum.ExtendedPowellSingular{}, []float64{3, -1, 0, 3}, same(4, 0.00001), []float64{3, -1, 0, 3, 3, -1, 0, 3}, same(8, 0.00001)),
		known(gonum.ExtendedRosenbrock{}, []float64{-1.2, 1}, []float64{-10, 10}, []float64{1e4, 1e4}, []float64{1e5, 1e5}, []float64{1e7, 1e6},
			[]float64{-1.2, 1, -1.2}, []float64{-120, 100, 50}, []float64{-1.2, 1, -1.2, 1}, []float64{-5, 4, 16, 3}),
		known(gonum.Gaussian{}, []float64{0.4, 1, 0}, []float64{0.3989561, 1.0000191, 0}),
		known(gonum.GulfResearchAndDevelopment{}, []float64{5, 2.5, 0.15}, []float64{50.00001, 25.00001, 1.50001},
			[]float64{99.89529, 60.61453, 9.16124}, []float64{201.66258, 60.61633, 10.22489}),
		known(gonum.HelicalValley{}, []float64{-1, 0, 0}, []float64{1.00001, 0.00001, 0.00001}),
		known(gonum.PenaltyI{}, []float64{1, 2, 3, 4}, same(4, 0.250007), []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, same(10, 0.1581)),
		known(gonum.PenaltyII{}, same(4, 0.5), []float64{0.19999, 0.19131, 0.4801, 0.51884}, same(10, 0.5),
			[]float64{0.19998, 0.01035, 0.01960, 0.03208, 0.04993, 0.07651, 0.11862, 0.19214, 0.34732, 0.36916}),
		known(gonum.PowellBadlyScaled{}, []float64{0, 1}, []float64{1.09815e-05, 9.10614}),
		known(gonum.Sphere{}, sphere(5), sphere(10)),
		known(gonum.Trigonometric{}, same(10, 0.1), trigonometric),
		known(gonum.VariablyDimensioned{}, dimensioned(2), same(2, 1.00001), dimensioned(10), same(10, 1.00001)),
		known(gonum.Watson{}, same(6, 0), []float64{-0.01572, 1.01243, -0.23299, 1.26043, -1.51372, 0.99299}, same(9, 0),
			[]float64{-1.53070e-05, 0.99978, 0.01476, 0.14634, 1.00082, -2.61773, 4.10440, -3.14361, 1.05262}),
		known(gonum.Wood{}, []float64{-3, -1, -3, -1}),

		described(gonum.ConcaveRight{}, value(-math.Sqrt2/4), []float64{0}, []float64{0.1}),
		described(gonum.ConcaveLeft{}, value(math.Pow(1.6, 4)*-0.4), []float64{0}, []float64{1}, []float64{3}),
		described(gonum.Plassmann{L: 39, Beta: 0.01}, none, []float64{0}, []float64{0.5}),
		described(gonum.YanaiOzawaKaneko{Beta1: 0.01, Beta2: 0.001}, none, []float64{0.5}, []float64{10}),
		described(gonum.CamelThree{}, zero, []float64{0.5, 0.5}, []float64{-4, 4}).with(gradCamelThree),
		described(gonum.CamelSix{}, value(-1.031628453), []float64{0.5, 0.5}, []float64{0, 0}, []float64{-2, 1.5}).with(gradCamelSix),
		described(gonum.DixonPrice{}, zero, []float64{1, 1}, same(10, 1), same(10, -5)).with(gradDixonPrice),
		described(gonum.DropWave{}, value(-1), []float64{0.1, 0.1}, []float64{1, 2}).with(gradDropWave),
		described(gonum.Griewank{}, zero, []float64{1, 1}, []float64{30, -20}).with(gradGriewank),
		described(gonum.Levy{}, zero, []float64{0, 0}, same(5, -4)).with(gradLevy),
		described(gonum.Levy13{}, zero, []float64{0.9, 1.1}, []float64{-4, 5}).with(gradLevy13),
		described(gonum.Rastrigin{}, zero, []float64{0.2, -0.2}, same(5, 2.2)).with(gradRastrigin),
		described(gonum.Schaffer2{}, zero, []float64{0.2, 0.1}, []float64{3, 1}).with(gradSchaffer2),
		described(surface, none, flat),
	}
}
