// Answers with Masterminds/semver what semver-range.ts must answer. Input: JSON {"ranges":[...],"versions":[...]} on stdin.
// Output: JSON; rows[i] is null for an invalid range, else one character per version: '1' in range, '0' not, 'x' invalid version;
// strict[j] and order[j][k] tell about the versions alone.
package main

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/Masterminds/semver/v3"
)

type input struct {
	Ranges   []string `json:"ranges"`
	Versions []string `json:"versions"`
}

type output struct {
	Rows   []*string `json:"rows"`
	Strict string    `json:"strict"`
	Order  []string  `json:"order"`
}

func main() {
	var in input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		panic(err)
	}
	versions := make([]*semver.Version, len(in.Versions))
	var out output
	for i, text := range in.Versions {
		if parsed, err := semver.NewVersion(text); err == nil {
			versions[i] = parsed
		}
		strict := "0"
		if _, err := semver.StrictNewVersion(strings.TrimPrefix(text, "v")); err == nil {
			strict = "1"
		}
		out.Strict += strict
	}
	for _, text := range in.Ranges {
		parsed, err := semver.NewConstraint(text)
		if err != nil {
			out.Rows = append(out.Rows, nil)
			continue
		}
		row := ""
		for _, version := range versions {
			switch {
			case version == nil:
				row += "x"
			case parsed.Check(version):
				row += "1"
			default:
				row += "0"
			}
		}
		out.Rows = append(out.Rows, &row)
	}
	for _, left := range versions {
		row := ""
		for _, right := range versions {
			if left == nil || right == nil {
				row += "x"
				continue
			}
			row += string("<=>"[left.Compare(right)+1])
		}
		out.Order = append(out.Order, row)
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		panic(err)
	}
}
