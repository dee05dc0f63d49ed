// Keeps the certificate that KServe's webhooks serve with, and the CA bundle that the API server checks it by.
//
// The Secret must exist, be it empty, since the rotator updates and never creates: it stands in Git, so that Argo CD
// brings it back. A certificate that is missing, wrong or within 90 days of its end is replaced at once; a CA bundle
// that anyone changes is put right as soon as the watch tells.
package main

import (
	"fmt"
	"net/http"
	"os"

	"github.com/open-policy-agent/cert-controller/pkg/rotator"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const (
	namespace = "kserve"
	service   = "kserve-webhook-server-service"
	// Where the Secret is mounted: the rotator gives up on a certificate that never reaches a pod.
	mount = "/certs"
)

var secret = types.NamespacedName{Namespace: namespace, Name: "kserve-webhook-server-cert"}

func main() {
	ctrl.SetLogger(zap.New())
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "webhook-certs:", err)
		os.Exit(1)
	}
}

func run() error {
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		return err
	}
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                 scheme,
		HealthProbeBindAddress: ":8081",
		Metrics:                server.Options{BindAddress: "0"},
	})
	if err != nil {
		return err
	}
	err = rotator.AddRotator(manager, &rotator.CertRotator{
		SecretKey:      secret,
		CertDir:        mount,
		CAName:         "kserve-webhooks",
		CAOrganization: "kserve",
		DNSName:        fmt.Sprintf("%s.%s.svc", service, namespace),
		IsReady:        make(chan struct{}),
		FieldOwner:     "webhook-certs",
		Webhooks:       webhooks(),
	})
	if err != nil {
		return err
	}
	if err := manager.AddReadyzCheck("certificate", written(manager.GetAPIReader())); err != nil {
		return err
	}
	return manager.Start(ctrl.SetupSignalHandler())
}

// The names by which KServe's manifests call them. The rotator passes over those that do not exist.
func webhooks() []rotator.WebhookInfo {
	found := []rotator.WebhookInfo{{Name: "inferenceservice.serving.kserve.io", Type: rotator.Mutating}}
	for _, kind := range []string{
		"clusterservingruntime", "inferencegraph", "inferenceservice", "servingruntime", "trainedmodel",
	} {
		found = append(found, rotator.WebhookInfo{Name: kind + ".serving.kserve.io", Type: rotator.Validating})
	}
	return found
}

// Ready as soon as KServe can be given the certificate; the rotator's own IsReady waits until the kubelet has brought
// it into this pod as well, a minute later.
func written(reader client.Reader) func(*http.Request) error {
	return func(request *http.Request) error {
		var found corev1.Secret
		if err := reader.Get(request.Context(), secret, &found); err != nil {
			return err
		}
		if len(found.Data[corev1.TLSCertKey]) == 0 {
			return fmt.Errorf("%s holds no certificate yet", secret)
		}
		return nil
	}
}
