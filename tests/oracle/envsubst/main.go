// Answers with fluxcd/pkg/envsubst what adapters/kustomize/envsubst must answer. Input: JSON {"variables":{...},"texts":[...]} on stdin.
// Output: JSON list, one entry per text: {"bytes": base64 of the result} or {"error": "..."}; a panic is an error.
package main

import (
	"encoding/json"
	"os"

	"github.com/fluxcd/pkg/envsubst"
)

type input struct {
	Variables map[string]string `json:"variables"`
	Texts     []string          `json:"texts"`
}

type answer struct {
	Bytes []byte `json:"bytes,omitempty"`
	Error string `json:"error,omitempty"`
}

func eval(text string, variables map[string]string) (out answer) {
	defer func() {
		if recover() != nil {
			out = answer{Error: "panic"}
		}
	}()
	got, err := envsubst.Eval(text, func(name string) (string, bool) {
		value, there := variables[name]
		return value, there
	})
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Bytes: []byte(got)}
}

func main() {
	var in input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		panic(err)
	}
	answers := make([]answer, 0, len(in.Texts))
	for _, text := range in.Texts {
		answers = append(answers, eval(text, in.Variables))
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}
