package pages

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"
	"unsafe"
)

// TestHuge: the elements stay, and the system has heard of it if it can.
func TestHuge(t *testing.T) {
	v := make([]float32, 20<<20)
	for i := range v {
		v[i] = float32(i)
	}
	Huge(v)
	for i := range v {
		if v[i] != float32(i) {
			t.Fatalf("element %d has become %v", i, v[i])
		}
	}
	_, err := os.Stat("/sys/kernel/mm/transparent_hugepage")
	if got, want := advised(t, uintptr(unsafe.Pointer(&v[len(v)/2]))), err == nil; got != want {
		t.Errorf("memory is marked for large pages: %v; the system has them: %v", got, want)
	}
}

// advised looks for the flag hg of the mapping that has the address.
func advised(t *testing.T, address uintptr) bool {
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	here := false
	for s := bufio.NewScanner(f); s.Scan(); {
		fields := strings.Fields(s.Text())
		if from, to, ok := strings.Cut(fields[0], "-"); ok && len(fields) > 4 {
			lo, _ := strconv.ParseUint(from, 16, 64)
			hi, _ := strconv.ParseUint(to, 16, 64)
			here = lo <= uint64(address) && uint64(address) < hi
		}
		if here && fields[0] == "VmFlags:" {
			return strings.Contains(s.Text(), " hg")
		}
	}
	t.Fatal("the vector is in no mapping")
	return false
}

// TestHugeOfLittle: what is too small is left alone.
func TestHugeOfLittle(t *testing.T) {
	for _, n := range []int{0, 1, 1000, 600000} {
		v := make([]float64, n)
		Huge(v)
		for i := range v {
			if v[i] != 0 {
				t.Fatalf("element %d of %d has become %v", i, n, v[i])
			}
		}
	}
}
