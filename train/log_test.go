package train

import (
	"encoding/json"
	"math"
	"path/filepath"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

// BenchmarkLoggedStep is what a step costs in log.jsonl.
func BenchmarkLoggedStep(b *testing.B) {
	log, err := openLog(filepath.Join(b.TempDir(), logFile))
	if err != nil {
		b.Fatal(err)
	}
	defer log.close()
	e := &Stepped{Epoch: 3, Step: 1234, Report: optimizers.Report{Loss: 0.123456789, GradNorm: 1.23456789, LR: 0.00123, Work: 256}}
	for b.Loop() {
		if err := log.Observe(e); err != nil {
			b.Fatal(err)
		}
	}
}

// The fast way to write a number is JSON's.
func TestNumbersAreJSON(t *testing.T) {
	for _, v := range []float64{0, 1, -1, 0.1, 1e-7, 1e21, 123456789.125, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1)} {
		text, err := object([]pair{{"v", v}, {"n", int(7)}, {"w", int64(1) << 60}, {"s", "a\"\n"}, {"b", true}, {"u", uint64(math.MaxUint64)}})
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			V *float64
			N int
			W int64
			S string
			B bool
			U uint64
		}
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if finite(v) != (got.V != nil) || (got.V != nil && *got.V != v) || got.N != 7 || got.W != 1<<60 || got.S != "a\"\n" || !got.B || got.U != math.MaxUint64 {
			t.Errorf("%v is written as %s", v, text)
		}
	}
}
