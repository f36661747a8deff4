package main

import "fmt"

// restart ends with an error, upon which the service manager starts the agent
// again: Windows can't replace a running process.
func restart(why error) error { return fmt.Errorf("start the agent again: %w", why) }
