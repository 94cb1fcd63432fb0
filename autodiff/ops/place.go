package ops

import (
	"reflect"
	"unsafe"

	"gorgonia.org/gorgonia"
)

// A graph finds a node by its number in a map, and where that has none by a
// search through all nodes, which it makes once for each: the time to build a
// graph would grow with the square of its size. place tells the map beforehand
// where the next node will lie. It does nothing if the fields of a graph are not
// as expected.
func place(g *gorgonia.ExprGraph) {
	if !placeable {
		return
	}
	at := unsafe.Pointer(g)
	byID := *(*map[int64]int)(unsafe.Add(at, byIDField.Offset))
	next := *(*uint)(unsafe.Add(at, counterField.Offset))
	all := *(*gorgonia.Nodes)(unsafe.Add(at, allField.Offset))
	if _, ok := byID[int64(next)]; !ok && byID != nil {
		byID[int64(next)] = len(all)
	}
}

var (
	byIDField, byIDOK       = field[map[int64]int]("byID")
	counterField, counterOK = field[uint]("counter")
	allField, allOK         = field[gorgonia.Nodes]("all")
	placeable               = byIDOK && counterOK && allOK
)

// field is the field of a graph of that name, if it is of type T.
func field[T any](name string) (reflect.StructField, bool) {
	f, ok := reflect.TypeFor[gorgonia.ExprGraph]().FieldByName(name)
	return f, ok && f.Type == reflect.TypeFor[T]()
}
