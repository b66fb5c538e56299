// Command weir-inside is what helm has beside itself in the sandbox of a release, where nothing else exists: the way to one API server, and the
// post-renderer that hands helm's list to the worker. It decides nothing. Standard library only, linked statically: it needs no other file to start.
package main

import (
	"fmt"
	"os"
)

const usage = "usage: weir-inside run SOCKET PROGRAM [ARGUMENT…] | post-render SOCKET | version"

// version is what tools/binaries.ts asks for: it changes with what the worker expects of this program.
const version = "1.0.0"

func main() {
	args := os.Args[1:]
	switch {
	case len(args) >= 3 && args[0] == "run":
		os.Exit(run(args[1], args[2], args[3:]))
	case len(args) == 2 && args[0] == "post-render":
		if err := postRender(args[1], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case len(args) == 1 && args[0] == "version":
		fmt.Println("weir-inside", version)
	default:
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
}
