// Package arrows holds a test that imports inside the module point one way:
// from commands to training, to networks, to derivatives, to arithmetic. What a
// package may import stands in one table.
package arrows
