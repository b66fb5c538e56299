package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"
)

// The address that the throw-away kubeconfig names; the sandbox has a network of its own, so that nobody else can be there.
const address = "127.0.0.1:6443"

// run carries connections to the address above to the one socket that leads to the cluster's API server, starts the program, and answers how it ended.
// TLS is the program's and the API server's: what passes here is sealed.
func run(socket, program string, args []string) int {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Fprintf(os.Stderr, "Error: no way to the API server: %v\n", err)
		return 127
	}
	go accept(listener, socket)
	// No /dev/null here: the program gets the input that this one got, which is empty.
	command := exec.Command(program, args...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = command.Run()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &ended):
		return codeOf(ended.ProcessState)
	default:
		fmt.Fprintf(os.Stderr, "Error: helm did not start: %v\n", err)
		return 127
	}
}

// codeOf is the exit code as a shell says it: 128 and the number of the signal that ended a program.
func codeOf(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}

func accept(listener net.Listener, socket string) {
	for {
		inner, err := listener.Accept()
		if err != nil {
			return
		}
		go carry(inner.(*net.TCPConn), socket)
	}
}

// carry ends when both directions have ended. A broken connection is an error of helm's request, which helm reports.
func carry(inner *net.TCPConn, socket string) {
	defer inner.Close()
	dialed, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	outer := dialed.(*net.UnixConn)
	defer outer.Close()
	back := make(chan struct{})
	go func() {
		defer close(back)
		if _, err := io.Copy(inner, outer); err != nil {
			inner.Close()
			outer.Close()
			return
		}
		_ = inner.CloseWrite()
	}()
	if _, err := io.Copy(outer, inner); err != nil {
		inner.Close()
		outer.Close()
	} else {
		_ = outer.CloseWrite()
	}
	<-back
}
