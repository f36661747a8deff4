//go:build !(linux && cgo)

package main

// unguarded does nothing: the other bindings answer "function not found".
func unguarded(string) {}
