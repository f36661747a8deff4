// Counter is a workload that tells on whoever runs it twice or stops it: it
// appends each of its starts to a file in its volume and prints, each second,
// how many seconds it has run and how many starts the file has.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	id := flag.String("id", "", "names this run among the machine's processes")
	file := flag.String("file", "/data/starts", "where to note the start")
	flag.Parse()
	log.SetFlags(0)
	if err := run(*id, *file); err != nil {
		log.Fatalf("counter: %v", err)
	}
}

func run(id, file string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(f, id); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	fmt.Printf("start %s\n", id)

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	tick := time.NewTicker(time.Second)
	for count := 1; ; count++ {
		select {
		case <-stop:
			fmt.Println("stop")
			return nil
		case <-tick.C:
		}
		starts, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		fmt.Printf("count %d starts %d\n", count, bytes.Count(starts, []byte("\n")))
	}
}
