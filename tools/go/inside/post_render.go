package main

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strconv"
)

// Twice what the worker takes of a list: patches and labels make it longer.
const maxAnswerBytes = 128 * 1024 * 1024

// postRender carries helm's list to the worker and the worker's answer back. An answer begins with its length in bytes and a line break; one that is not
// whole was refused or cut: then this fails, and helm applies nothing.
func postRender(socket string, list io.Reader, out io.Writer) error {
	refused := errors.New("the list of objects was refused")
	dialed, err := net.Dial("unix", socket)
	if err != nil {
		return refused
	}
	worker := dialed.(*net.UnixConn)
	defer worker.Close()
	if _, err := io.Copy(worker, list); err != nil {
		return refused
	}
	if err := worker.CloseWrite(); err != nil {
		return refused
	}
	answer, err := io.ReadAll(io.LimitReader(worker, maxAnswerBytes))
	if err != nil {
		return refused
	}
	length, body, found := bytes.Cut(answer, []byte("\n"))
	if !found || string(length) != strconv.Itoa(len(body)) {
		return refused
	}
	_, err = out.Write(body)
	return err
}
