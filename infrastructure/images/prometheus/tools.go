//go:build tools

// Package tools keeps the module that is built here in go.mod.
package tools

import (
	_ "github.com/prometheus/prometheus/cmd/prometheus"
)
