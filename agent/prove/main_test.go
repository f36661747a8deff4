package prove_test

import (
	"os"
	"testing"
)

// buildDir holds what tests compile.
var buildDir string

func TestMain(m *testing.M) {
	if serveChild() {
		return
	}
	dir, err := os.MkdirTemp("", "grafi-prove")
	if err != nil {
		panic(err)
	}
	buildDir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}
