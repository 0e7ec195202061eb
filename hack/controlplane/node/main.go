// Command node is what a machine needs to be a Kubernetes node, and to be looked at: kubelet,
// kube-proxy, kube-scheduler and kubectl in one program of one release.
//
//	node kubelet --config …
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/version"
	"k8s.io/kubectl/pkg/cmd"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	kubeproxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	kubescheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	"controlplane/gates"
)

const usage = "usage: node kubelet|kube-proxy|kube-scheduler|kubectl [flag ...]; node version\n"

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	// Each takes its command line from os.Args.
	component := os.Args[1]
	os.Args = os.Args[1:]
	switch component {
	case "kubelet":
		os.Args = append(os.Args, gates.Flags(gates.Certificates, true)...)
		os.Exit(cli.Run(kubelet.NewKubeletCommand(context.Background())))
	case "kube-proxy":
		os.Exit(cli.Run(kubeproxy.NewProxyCommand()))
	case "kube-scheduler":
		os.Exit(cli.Run(kubescheduler.NewSchedulerCommand()))
	case "kubectl":
		os.Exit(runKubectl(cmd.NewDefaultKubectlCommand()))
	case "version":
		fmt.Println(version.Get().GitVersion)
	default:
		fmt.Fprintf(os.Stderr, "node: no component %q; %s", component, usage)
		os.Exit(2)
	}
}

// runKubectl reports an error as kubectl's own main function does.
func runKubectl(command *cobra.Command) int {
	if err := cli.RunNoErrOutput(command); err != nil {
		cmdutil.CheckErr(err)
		return 1
	}
	return 0
}
