// Answers with cel-go and Flux's options what core/cel must answer. Input on stdin: {"object":{…},"expressions":[…],"compiled":bool}; with
// compiled the names are self and dep, both the object. Output: one {"value":…} or {"error":"parse"|"run"} per expression; a value is shown as
// JSON where CEL can, else as a text.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/ext"
)

type input struct {
	Object      map[string]any `json:"object"`
	Expressions []string       `json:"expressions"`
	Compiled    bool           `json:"compiled"`
}

type answer struct {
	Value  string `json:"value,omitempty"`
	Error  string `json:"error,omitempty"`
	Detail string `json:"detail,omitempty"`
}

func main() {
	var in input
	decoder := json.NewDecoder(os.Stdin)
	decoder.UseNumber()
	if err := decoder.Decode(&in); err != nil {
		panic(err)
	}
	object := numbers(in.Object).(map[string]any)
	options := []cel.EnvOption{
		cel.HomogeneousAggregateLiterals(), cel.EagerlyValidateDeclarations(true), cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true), cel.OptionalTypes(), ext.Strings(), ext.Sets(), ext.Encoders(),
	}
	data := object
	if in.Compiled {
		for _, name := range []string{"self", "dep"} {
			options = append(options, cel.Variable(name, cel.ObjectType("google.protobuf.Struct")))
		}
		data = map[string]any{"self": object, "dep": object}
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		panic(err)
	}
	answers := []answer{}
	for _, text := range in.Expressions {
		answers = append(answers, ask(env, text, data, in.Compiled))
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}

func ask(env *cel.Env, text string, data map[string]any, compiled bool) answer {
	read := env.Parse
	if compiled {
		read = env.Compile
	}
	tree, issues := read(text)
	if issues != nil && issues.Err() != nil {
		return answer{Error: "parse", Detail: issues.String()}
	}
	if compiled && tree.OutputType() != cel.BoolType {
		return answer{Error: "parse", Detail: "output " + tree.OutputType().String()}
	}
	program, err := env.Program(tree, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return answer{Error: "run", Detail: err.Error()}
	}
	value, _, err := program.Eval(data)
	if err != nil {
		return answer{Error: "run", Detail: err.Error()}
	}
	return answer{Value: shown(value)}
}

func numbers(value any) any {
	switch one := value.(type) {
	case map[string]any:
		for key, inner := range one {
			one[key] = numbers(inner)
		}
	case []any:
		for index, inner := range one {
			one[index] = numbers(inner)
		}
	case json.Number:
		if whole, err := one.Int64(); err == nil {
			return whole
		}
		double, err := one.Float64()
		if err != nil {
			panic(err)
		}
		return double
	}
	return value
}

// The type and the value, in a form that the other side can make as well.
func shown(value ref.Val) string {
	switch one := value.(type) {
	case *types.Optional:
		if !one.HasValue() {
			return "none"
		}
		return "some(" + shown(one.GetValue()) + ")"
	case types.Bytes:
		return fmt.Sprintf("bytes %x", []byte(one))
	case types.Timestamp:
		return fmt.Sprintf("timestamp %d.%d", one.Unix(), one.Nanosecond())
	case types.Duration:
		return fmt.Sprintf("duration %d", int64(one.Duration))
	case *types.Type:
		return "type " + one.TypeName()
	case types.Double:
		return fmt.Sprintf("double %s", types.Double(one).ConvertToType(types.StringType).Value())
	case types.String:
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(string(one)); err != nil {
			panic(err)
		}
		return "string " + string(bytes.TrimSpace(text.Bytes()))
	}
	if list, ok := value.(interface{ Size() ref.Val }); ok {
		if getter, ok := value.(interface{ Get(ref.Val) ref.Val }); ok && value.Type() == types.ListType {
			text := "["
			for index := types.Int(0); index < list.Size().(types.Int); index++ {
				text += shown(getter.Get(index)) + ";"
			}
			return text + "]"
		}
		return fmt.Sprintf("%s of %v", value.Type().TypeName(), list.Size())
	}
	return fmt.Sprintf("%s %v", value.Type().TypeName(), value.Value())
}
