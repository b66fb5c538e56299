package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
)

// A cache that is not there costs requests and nothing else, so that no error of these two ends a run.

const sameBytes = 128

// plant copies the answers of an earlier run to where the program looks for them, and answers their sizes by name.
func plant(seed, cache string) map[string]int64 {
	planted := map[string]int64{}
	if os.MkdirAll(cache, 0o700) != nil {
		return planted
	}
	entries, err := os.ReadDir(seed)
	if err != nil {
		return planted
	}
	for _, entry := range entries {
		size, err := copyFile(filepath.Join(seed, entry.Name()), filepath.Join(cache, entry.Name()))
		if err == nil {
			planted[entry.Name()] = size
		}
	}
	return planted
}

func copyFile(from, to string) (int64, error) {
	source, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	size, err := io.Copy(target, source)
	if closed := target.Close(); err == nil {
		err = closed
	}
	return size, err
}

// harvest hands the whole cache to the worker when it holds another answer than it began with: each file as its name, its size, a line break and its bytes,
// and a line with a dot behind the last. An answer that was only confirmed keeps its
// name, and its head grows by a line at most; one that changed by less is asked for anew each time, and never taken for the old one.
func harvest(cache string, planted map[string]int64, socket string) {
	entries := filesIn(cache)
	if !changed(entries, planted) {
		return
	}
	worker, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer worker.Close()
	out := bufio.NewWriterSize(worker, 64*1024)
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(cache, entry.Name()))
		if err != nil {
			return
		}
		fmt.Fprintf(out, "%s %d\n", entry.Name(), len(content))
		if _, err := out.Write(content); err != nil {
			return
		}
	}
	fmt.Fprint(out, ".\n")
	if out.Flush() != nil {
		return
	}
	// The worker closes when it has all of it: before that, the end of this program would be the end of what is on its way.
	if half, ok := worker.(*net.UnixConn); ok && half.CloseWrite() == nil {
		_, _ = io.Copy(io.Discard, worker)
	}
}

// filesIn leaves out the folder in which the program writes what it then moves to its name.
func filesIn(folder string) []os.DirEntry {
	all, err := os.ReadDir(folder)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(all, func(entry os.DirEntry) bool { return !entry.Type().IsRegular() })
}

func changed(entries []os.DirEntry, planted map[string]int64) bool {
	if len(entries) != len(planted) {
		return true
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			return true
		}
		if size, known := planted[entry.Name()]; !known || max(size-info.Size(), info.Size()-size) > sameBytes {
			return true
		}
	}
	return false
}
