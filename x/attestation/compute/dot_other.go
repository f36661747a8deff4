//go:build !amd64

package compute

func dot(a, b []byte) uint32 { return dotGeneric(a, b) }
