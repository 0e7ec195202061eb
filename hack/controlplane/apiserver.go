package main

import (
	"context"
	"fmt"
	"net"
	"os"

	"github.com/spf13/pflag"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"

	"controlplane/gates"
)

// auditPolicy asks for one event for each finished call, without the objects.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules: [{level: Metadata}]
`

// runAPIServer runs a kube-apiserver with these flags, as its own main function would, except
// that the listener is there already.
func runAPIServer(ctx context.Context, listener net.Listener, flags []string) error {
	server := options.NewServerRunOptions()
	if err := parseComponentFlags(server.Flags(), flags); err != nil {
		return err
	}
	if err := server.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return err
	}
	server.SecureServing.Listener = listener
	completed, err := server.Complete(ctx)
	if err != nil {
		return err
	}
	if errs := completed.Validate(); len(errs) > 0 {
		return utilerrors.NewAggregate(errs)
	}
	return app.Run(ctx, completed)
}

// parseComponentFlags sets a component's options as its own command line would.
func parseComponentFlags(sets cliflag.NamedFlagSets, flags []string) error {
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, set := range sets.FlagSets {
		all.AddFlagSet(set)
	}
	return all.Parse(flags)
}

// apiServerFlags are a cluster's usual ones, less what a throw-away control plane can't use.
func apiServerFlags(settings settings, dir *stateDir, pki pki, etcdEndpoint string, port int) ([]string, error) {
	flags := []string{
		"--etcd-servers=" + etcdEndpoint,
		fmt.Sprintf("--secure-port=%d", port),
		"--tls-cert-file=" + pki.certificate(apiServerName),
		"--tls-private-key-file=" + pki.key(apiServerName),
		"--client-ca-file=" + pki.certificate(authorityName),
		"--service-cluster-ip-range=10.96.0.0/16",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-signing-key-file=" + pki.key(serviceAccountName),
		"--service-account-key-file=" + pki.key(serviceAccountName),
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		// A load test measures a client, not its fair share of this server: with priority and
		// fairness, one service account's burst of 2,000 would wait in a queue.
		"--enable-priority-and-fairness=false",
		"--max-requests-inflight=5000",
		"--max-mutating-requests-inflight=5000",
		// Else an open watch holds up the end for a minute.
		"--shutdown-watch-termination-grace-period=1s",
	}
	flags = append(flags, settings.node.apiServerFlags(pki)...)
	flags = append(flags, certificatesAPIFlags(!settings.withoutPCRAPI)...)
	flags = append(flags, gates.Flags(controllersGates, true)...)
	if settings.auditLog == "" {
		return flags, nil
	}
	policy := dir.file("audit-policy.yaml")
	return append(flags,
		"--audit-policy-file="+policy,
		"--audit-log-path="+settings.auditLog,
		"--audit-log-maxsize=4096", // MiB: a test reads one file, so don't rotate it
	), os.WriteFile(policy, []byte(auditPolicy), 0o600)
}
