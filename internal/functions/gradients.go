package functions

import "math"

// The gradients of functions for which gonum has none.

func gradBraninHoo(dst, x []float64) {
	b, c, t := 5.1/(4*math.Pi*math.Pi), 5/math.Pi, 1/(8*math.Pi)
	term := x[1] - b*x[0]*x[0] + c*x[0] - 6
	dst[0], dst[1] = 2*term*(c-2*b*x[0])-10*(1-t)*math.Sin(x[0]), 2*term
}

func gradCamelThree(dst, x []float64) {
	a, b := x[0], x[1]
	dst[0], dst[1] = 4*a-4.2*a*a*a+math.Pow(a, 5)+b, a+2*b
}

func gradCamelSix(dst, x []float64) {
	a, b := x[0], x[1]
	dst[0], dst[1] = 8*a-8.4*a*a*a+2*math.Pow(a, 5)+b, a-8*b+16*b*b*b
}

func gradDixonPrice(dst, x []float64) {
	clear(dst)
	dst[0] = 2 * (x[0] - 1)
	for i := 1; i < len(x); i++ {
		r := 2 * float64(i+1) * (2*x[i]*x[i] - x[i-1])
		dst[i] += 4 * x[i] * r
		dst[i-1] -= r
	}
}

func gradDropWave(dst, x []float64) {
	square := x[0]*x[0] + x[1]*x[1]
	r := math.Sqrt(square)
	wave := 144.0 // 12 sin(12r)/r at 0
	if r > 0 {
		wave = 12 * math.Sin(12*r) / r
	}
	below := 0.5*square + 2
	slope := wave/below + (1+math.Cos(12*r))/(below*below)
	dst[0], dst[1] = slope*x[0], slope*x[1]
}

func gradGriewank(dst, x []float64) {
	for i, v := range x {
		product := math.Sin(v/math.Sqrt(float64(i+1))) / math.Sqrt(float64(i+1))
		for j, w := range x {
			if j != i {
				product *= math.Cos(w / math.Sqrt(float64(j+1)))
			}
		}
		dst[i] = v/2000 + product
	}
}

func gradLevy(dst, x []float64) {
	last := len(x) - 1
	for i, v := range x {
		w := 1 + (v-1)/4
		d := 0.0
		if i == 0 {
			d += math.Pi * math.Sin(2*math.Pi*w)
		}
		if i < last {
			s := math.Sin(math.Pi*w + 1)
			d += 2*(w-1)*(1+10*s*s) + 10*math.Pi*(w-1)*(w-1)*math.Sin(2*(math.Pi*w+1))
		} else {
			s := math.Sin(2 * math.Pi * w)
			d += 2*(w-1)*(1+s*s) + 2*math.Pi*(w-1)*(w-1)*math.Sin(4*math.Pi*w)
		}
		dst[i] = d / 4
	}
}

func gradLevy13(dst, x []float64) {
	a, b := x[0]-1, x[1]-1
	s1, s2 := math.Sin(3*math.Pi*x[1]), math.Sin(2*math.Pi*x[1])
	dst[0] = 3*math.Pi*math.Sin(6*math.Pi*x[0]) + 2*a*(1+s1*s1)
	dst[1] = 3*math.Pi*a*a*math.Sin(6*math.Pi*x[1]) + 2*b*(1+s2*s2) + 2*math.Pi*b*b*math.Sin(4*math.Pi*x[1])
}

func gradRastrigin(dst, x []float64) {
	for i, v := range x {
		dst[i] = 2*v + 20*math.Pi*math.Sin(2*math.Pi*v)
	}
}

func gradSchaffer2(dst, x []float64) {
	phase := x[0]*x[0] - x[1]*x[1]
	s := math.Sin(phase)
	d := 1 + 0.001*(x[0]*x[0]+x[1]*x[1])
	wave, fall := 2*math.Sin(2*phase)/(d*d), 0.004*(s*s-0.5)/(d*d*d)
	dst[0], dst[1] = x[0]*(wave-fall), x[1]*(-wave-fall)
}
