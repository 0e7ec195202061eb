package main

import (
	"context"
	"strings"

	"k8s.io/component-base/featuregate"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
	"k8s.io/kubernetes/cmd/kube-controller-manager/names"
)

// controllersGates must be on before the controller manager starts. Up to 1.35 it turns them on
// by itself if they are off, and panics if another component has read the gates before.
var controllersGates = []featuregate.Feature{"WatchListClient"}

// runControllers runs a kube-controller-manager with only what tests rely on: namespaces that
// go away, owners that take their dependants with them, what a pod's admission and start expect
// in each namespace, and the end of requests after 15 minutes. There is no scheduler, no
// pod garbage collection and no kubelet: tests bind pods, and play kubelet. A real node needs them all.
func runControllers(ctx context.Context, kubeconfig string, pki pki, node node) error {
	controllers := []string{
		names.NamespaceController,
		names.GarbageCollectorController,
		names.ServiceAccountController,
		names.RootCACertificatePublisherController,
		names.PodCertificateRequestCleanerController,
	}
	if node.exists() {
		controllers = []string{"*"}
	}
	manager, err := options.NewKubeControllerManagerOptions()
	if err != nil {
		return err
	}
	all, disabled, aliases := app.KnownControllers(), app.ControllersDisabledByDefault(), app.ControllerAliases()
	flags := manager.Flags(all, disabled, aliases)
	err = parseComponentFlags(flags, []string{
		"--kubeconfig=" + kubeconfig,
		"--controllers=" + strings.Join(controllers, ","),
		"--root-ca-file=" + pki.certificate(authorityName),
		"--leader-elect=false", // there is only one
		"--secure-port=0",      // nobody asks it for its health
		"--kube-api-qps=1000", "--kube-api-burst=1000",
	})
	if err != nil {
		return err
	}
	manager.ParsedFlags = &flags
	// The feature gates are the process's, and the API server's flags have set them.
	config, err := manager.Config(ctx, all, disabled, aliases)
	if err != nil {
		return err
	}
	return app.Run(ctx, config.Complete())
}
