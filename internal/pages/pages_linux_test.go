package pages

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"
	"unsafe"
)

// TestMake: vectors are zeros of the length wanted, lie as said, end where they end, and the system has heard of the
// large ones if it can.
func TestMake(t *testing.T) {
	_, err := os.Stat("/sys/kernel/mm/transparent_hugepage")
	for _, n := range []int{0, 1, 15, 1000, 32_767, 32_768, 262_143, 262_144, 262_145, 3 << 20} {
		if v := Aligned[float64](n); len(v) != n || cap(v) != n || n > 0 && uintptr(unsafe.Pointer(&v[0]))%lineBytes != 0 {
			t.Fatalf("%d elements wanted at a line, got %d of %d", n, len(v), cap(v))
		}
		v := Make[float64](n)
		if len(v) != n || cap(v) != n {
			t.Fatalf("%d elements wanted, got %d of %d", n, len(v), cap(v))
		}
		if n == 0 {
			continue
		}
		for i := range v {
			if v[i] != 0 {
				t.Fatalf("element %d of %d is %v", i, n, v[i])
			}
			v[i] = 1
		}
		large, bound := n*8 >= pageBytes/8, uintptr(lineBytes)
		if large {
			bound = pageBytes
		}
		begin := uintptr(unsafe.Pointer(&v[0]))
		if begin%bound != 0 {
			t.Errorf("%d elements begin at %#x, which is no multiple of %d", n, begin, bound)
		}
		if large && advised(t, uintptr(unsafe.Pointer(&v[n-1]))) != (err == nil) {
			t.Errorf("%d elements: the system has large pages (%v), and was not asked for them, or was though it has none", n, err == nil)
		}
	}
}

// TestHuge: the elements stay, and the system has heard of it if it can; small vectors are left alone.
func TestHuge(t *testing.T) {
	_, err := os.Stat("/sys/kernel/mm/transparent_hugepage")
	for _, n := range []int{0, 1, 1000, 600_000, 20 << 20} {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(i)
		}
		Huge(v)
		for i := range v {
			if v[i] != float32(i) {
				t.Fatalf("element %d of %d has become %v", i, n, v[i])
			}
		}
		if n == 20<<20 && advised(t, uintptr(unsafe.Pointer(&v[n/2]))) != (err == nil) {
			t.Errorf("the system has large pages (%v), and was not asked for them, or was though it has none", err == nil)
		}
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
