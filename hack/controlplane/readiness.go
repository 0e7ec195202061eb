package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// startDeadline is generous: a start takes seconds, but the machine may be busy with a build.
const startDeadline = 2 * time.Minute

// check returns an error that says what a test would miss if it began now.
type check func(context.Context) error

// waitFor returns once all checks pass.
func waitFor(ctx context.Context, checks ...check) error {
	ctx, cancel := context.WithTimeout(ctx, startDeadline)
	defer cancel()
	for len(checks) > 0 {
		missing := checks[0](ctx)
		if missing == nil {
			checks = checks[1:]
			continue
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready (%w); a start may take %s, so give it a machine that is less busy", missing, startDeadline)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// readiness looks at a control plane as a client does.
type readiness struct{ client *kubernetes.Clientset }

func newReadiness(kubeconfig string) (*readiness, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1 // it polls, so no client-side limit
	client, err := kubernetes.NewForConfig(config)
	return &readiness{client}, err
}

// serves includes the start hook that writes the bootstrap RBAC roles.
func (r *readiness) serves(ctx context.Context) error {
	_, err := r.client.RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
	return err
}

func (r *readiness) hasDefaultNamespace(ctx context.Context) error {
	_, err := r.client.CoreV1().Namespaces().Get(ctx, metav1.NamespaceDefault, metav1.GetOptions{})
	return err
}

// hasDefaultServiceAccount, without which a namespace refuses pods.
func (r *readiness) hasDefaultServiceAccount(ctx context.Context) error {
	_, err := r.client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
	return err
}

func (r *readiness) hasCertificatesAPIs(context.Context) error {
	for _, api := range certificatesAPIs() {
		served, err := r.client.Discovery().ServerResourcesForGroupVersion(api.GroupVersion().String())
		if err != nil {
			return fmt.Errorf("%s: %w", api, err)
		}
		if !slices.ContainsFunc(served.APIResources, func(r metav1.APIResource) bool { return r.Name == api.Resource }) {
			return fmt.Errorf("%s is not served", api)
		}
	}
	return nil
}
