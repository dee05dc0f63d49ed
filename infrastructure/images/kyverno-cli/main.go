// The Kyverno CLI, for the kinds of this platform too.
//
// Upstream's finds the resource of a kind in a list of Kubernetes' own that is built in, and ends at the first object of
// another kind: it cannot judge an InferenceService without a cluster. Here the list is extended, before the CLI begins,
// by those in the file that NEUROSCALE_KINDS names. They have the form that the API server's discovery is cached in.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	_ "unsafe" // for go:linkname

	"github.com/kyverno/kyverno/cmd/cli/kubectl-kyverno/commands"
	_ "github.com/kyverno/kyverno/cmd/cli/kubectl-kyverno/data"
	"github.com/kyverno/kyverno/cmd/cli/kubectl-kyverno/log"
)

// The list is read when it is first needed. Where upstream renames it, this does not link.
//
//go:linkname known github.com/kyverno/kyverno/cmd/cli/kubectl-kyverno/data.apiGroupResources
var known []byte

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run() error {
	if file := os.Getenv("NEUROSCALE_KINDS"); file != "" {
		if err := learn(file); err != nil {
			return fmt.Errorf("kinds in %s: %w", file, err)
		}
	}
	if err := log.Configure(); err != nil {
		return err
	}
	command := commands.RootCommand(false)
	command.PersistentFlags().AddGoFlagSet(flag.CommandLine)
	return command.Execute()
}

func learn(file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var groups, further []json.RawMessage
	if err := json.Unmarshal(known, &groups); err != nil {
		return err
	}
	if err := json.Unmarshal(content, &further); err != nil {
		return err
	}
	known, err = json.Marshal(append(groups, further...))
	return err
}
