// Answers with fluxcd/pkg/sourceignore what ignore-rules.ts must answer, composed as SourceIgnoreFilter of fluxcd/pkg/artifact/storage
// composes it. Input: JSON list of {rules, domain, path, dir} on stdin. Output: JSON list of booleans, true for "left out".
package main

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/fluxcd/pkg/sourceignore"
)

type question struct {
	Rules  string   `json:"rules"`
	Domain []string `json:"domain"`
	Path   []string `json:"path"`
	Dir    bool     `json:"dir"`
}

func main() {
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		panic(err)
	}
	answers := make([]bool, len(questions))
	for i, one := range questions {
		patterns := sourceignore.ReadPatterns(strings.NewReader(one.Rules), one.Domain)
		matcher := sourceignore.NewDefaultMatcher(patterns, nil)
		if len(patterns) > 0 {
			matcher = sourceignore.NewMatcher(append(sourceignore.VCSPatterns(nil), patterns...))
		}
		answers[i] = matcher.Match(one.Path, one.Dir)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}
