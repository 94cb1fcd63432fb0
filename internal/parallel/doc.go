// Package parallel runs the pieces of one task on a fixed set of workers.
//
// Who runs a piece is left to chance; what a piece is must not be. Callers cut
// work by its shape alone, so results do not depend on the number of workers. So a
// [Trial] may find out, while short work goes on, whether one does it sooner alone.
package parallel
