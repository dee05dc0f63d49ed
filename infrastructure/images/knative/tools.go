//go:build tools

// Package tools keeps the modules that are built here in go.mod, and those that only manifests are taken from.
package tools

import (
	_ "knative.dev/caching/pkg/apis/caching"
	_ "knative.dev/net-kourier/cmd/kourier"
	_ "knative.dev/networking/pkg/apis/networking"
	_ "knative.dev/serving/cmd/activator"
	_ "knative.dev/serving/cmd/autoscaler"
	_ "knative.dev/serving/cmd/controller"
	_ "knative.dev/serving/cmd/queue"
	_ "knative.dev/serving/cmd/webhook"
)
