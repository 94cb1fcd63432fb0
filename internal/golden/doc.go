// Package golden finds files of golden numbers and reads them strictly, for
// tests.
package golden
