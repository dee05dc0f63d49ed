// What the gate learns from the programs that will act on a merge: Argo CD's repo-server, which makes objects of
// folders, and the API server, which validates them and judges them by the policies. Their own packages, without a cluster.
//
// Reads one request as JSON, and answers with JSON: `render`, `validate` and `judge`.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	log "github.com/sirupsen/logrus"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run() error {
	// The repo-server logs each program that it starts; errors come back as answers.
	log.SetOutput(io.Discard)
	if len(os.Args) != 2 {
		return fmt.Errorf("one of render, validate and judge should be asked for, but there are %d arguments", len(os.Args)-1)
	}
	switch os.Args[1] {
	case "render":
		return answer(renderTrees)
	case "validate":
		return answer(validateObjects)
	case "judge":
		return answer(judgeObjects)
	}
	return fmt.Errorf("render, validate or judge should be asked for, but %s is", os.Args[1])
}

func answer[Request, Response any](reply func(Request) (Response, error)) error {
	var request Request
	if err := json.NewDecoder(os.Stdin).Decode(&request); err != nil {
		return fmt.Errorf("the request: %w", err)
	}
	response, err := reply(request)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(response)
}
