//go:build tools

// Package tools keeps the module that is built here in go.mod.
package tools

import (
	_ "sigs.k8s.io/kustomize/kustomize/v5"
)
