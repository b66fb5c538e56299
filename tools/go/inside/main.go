// Command weir-inside is what helm has beside itself in the sandbox of a release, where nothing else exists: the way to one API server, and the
// post-renderer that hands helm's list to the worker. It decides nothing. Standard library only, linked statically: it needs no other file to start.
package main

import (
	"flag"
	"fmt"
	"os"
)

const usage = "usage: weir-inside run --api SOCKET [--cache DIR --seed DIR --keep SOCKET] PROGRAM [ARGUMENT…] | post-render SOCKET | version"

// version is what tools/binaries.ts asks for: it changes with what the worker expects of this program.
const version = "1.0.0"

func main() {
	args := os.Args[1:]
	switch {
	case len(args) > 1 && args[0] == "run":
		os.Exit(start(args[1:]))
	case len(args) == 2 && args[0] == "post-render":
		if err := postRender(args[1], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case len(args) == 1 && args[0] == "version":
		fmt.Println("weir-inside", version)
	default:
		os.Exit(misused())
	}
}

func start(args []string) int {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	api := flags.String("api", "", "socket that leads to the API server")
	cache := flags.String("cache", "", "folder in which the program keeps answers of the API server")
	seed := flags.String("seed", "", "folder with answers of an earlier run")
	keep := flags.String("keep", "", "socket that takes the answers for later runs")
	if flags.Parse(args) != nil || *api == "" || flags.NArg() == 0 {
		return misused()
	}
	if *cache == "" {
		return run(*api, flags.Arg(0), flags.Args()[1:])
	}
	planted := plant(*seed, *cache)
	code := run(*api, flags.Arg(0), flags.Args()[1:])
	if code == 0 {
		harvest(*cache, planted, *keep)
	}
	return code
}

func misused() int {
	fmt.Fprintln(os.Stderr, usage)
	return 2
}
