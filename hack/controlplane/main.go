// Command controlplane runs a throw-away Kubernetes control plane in one process: etcd,
// kube-apiserver and, unless told otherwise, the few kube-controller-manager controllers
// without which namespaces and pods don't behave. README.md has the contract.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"k8s.io/component-base/version"
)

func main() {
	terminal, err := keepTerminal()
	if err != nil {
		fmt.Fprintf(os.Stderr, "controlplane: %v\n", err)
		os.Exit(1)
	}
	os.Exit(run(os.Args[1:], terminal))
}

// run returns the exit status: 0 after a requested end, 1 after a failure, 2 for a bad flag.
func run(args []string, terminal terminal) int {
	settings, err := parseSettings(args, terminal.stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case settings.version:
		fmt.Fprintln(terminal.stdout, version.Get().GitVersion)
		return 0
	}
	ctx, stop := untilTold(settings.parentPipe)
	defer stop()
	if err := serve(ctx, settings, terminal); err != nil {
		fmt.Fprintf(terminal.stderr, "controlplane: %v\n", err)
		return 1
	}
	return 0
}

// serve starts everything, announces it, and waits for ctx to end or for a component to fail.
func serve(ctx context.Context, settings settings, terminal terminal) error {
	state, err := openStateDir(settings.dir)
	if err != nil {
		return err
	}
	defer state.close()
	logs, err := redirectLogs(settings.log, state.path, terminal)
	if err != nil {
		return err
	}
	plane, err := startControlPlane(ctx, settings, state, logs)
	if err == nil {
		defer plane.stop()
		err = plane.announce(terminal.stdout)
	}
	if err == nil {
		err = plane.wait(ctx)
	}
	if err != nil && ctx.Err() == nil {
		return logs.explain(err)
	}
	return nil
}
