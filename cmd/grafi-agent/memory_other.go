//go:build !linux

package main

// dropProgramPages does nothing: other systems trim programs that wait by themselves.
func dropProgramPages() error { return nil }
