// Command grafi-sbom writes the bill of materials of built programs, in CycloneDX
// 1.6: which modules are in each, at which version and with which checksum. It reads
// them from the programs themselves and needs no network.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	out := flag.String("o", "", "file to write; standard output when empty")
	version := flag.String("version", "", "version of the release")
	stamp := flag.Int64("time", 0, "unix time of the release, for a file that can be made again; left out when 0")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "usage: grafi-sbom [-o FILE] [-version V] [-time UNIX] PROGRAM...\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	var at time.Time
	if *stamp != 0 {
		at = time.Unix(*stamp, 0).UTC()
	}
	if err := run(*out, *version, at, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(out, version string, at time.Time, programs []string) error {
	b, err := newBOM(version, at, programs)
	if err != nil {
		return err
	}
	raw, err := b.encode()
	if err != nil {
		return err
	}
	if out == "" {
		_, err = os.Stdout.Write(raw)
		return err
	}
	return os.WriteFile(out, raw, 0o644)
}
