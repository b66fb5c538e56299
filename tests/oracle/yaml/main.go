// Answers with sigs.k8s.io/yaml what adapters/kustomize/yaml.ts must answer. Input: JSON list of YAML texts on stdin.
// Output: JSON list, one entry per text: {"json": "<text>"} or {"error": "..."}.
package main

import (
	"encoding/json"
	"os"

	"sigs.k8s.io/yaml"
)

type answer struct {
	JSON  string `json:"json,omitempty"`
	Error string `json:"error,omitempty"`
}

func main() {
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		panic(err)
	}
	answers := make([]answer, 0, len(texts))
	for _, text := range texts {
		got, err := yaml.YAMLToJSON([]byte(text))
		if err != nil {
			answers = append(answers, answer{Error: err.Error()})
			continue
		}
		answers = append(answers, answer{JSON: string(got)})
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}
