package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/component-base/version"
	"k8s.io/klog/v2"
)

// stopDeadline bounds the end. A component that takes longer is abandoned to the end of the
// process: what it has acknowledged lies in etcd's log already.
const stopDeadline = 2 * time.Second

// controlPlane is what runs in this process.
type controlPlane struct {
	settings settings
	dir      *stateDir
	pki      pki
	listener net.Listener
	ready    *readiness

	etcd      *embed.Etcd
	endpoint  string          // etcd's
	running   context.Context // ends with the control plane
	cancel    context.CancelFunc
	apiServer <-chan struct{} // closed once it has ended
	failed    chan error
}

// startControlPlane returns once all is ready. After an error, what runs already is left to the
// end of the process: an API server that is told to end in the middle of its start panics.
func startControlPlane(ctx context.Context, settings settings, dir *stateDir, logs *logFile) (*controlPlane, error) {
	plane := &controlPlane{settings: settings, dir: dir, failed: make(chan error)}
	plane.running, plane.cancel = context.WithCancel(context.Background())
	klog.OsExit = plane.componentExits
	var err error
	if plane.pki, err = ensurePKI(dir.file("pki"), settings.node); err != nil {
		return nil, err
	}
	// The port is bound before anybody is told its number, so that no other process takes it.
	if plane.listener, err = net.Listen("tcp", settings.listenAddress()); err != nil {
		return nil, fmt.Errorf("%w; choose another --port, or none", err)
	}
	if plane.etcd, plane.endpoint, err = startEtcd(ctx, dir, logs); err != nil {
		return nil, err
	}
	if err = plane.startAPIServer(ctx); err != nil {
		return nil, err
	}
	return plane, plane.startControllers(ctx)
}

// componentExits stands in for os.Exit in klog.Fatal, with which components give up: it leaves
// the end to the one place that cleans up, and never returns to its caller.
func (p *controlPlane) componentExits(int) {
	p.failed <- errors.New("a component gave up")
	select {}
}

func (p *controlPlane) startAPIServer(ctx context.Context) error {
	if err := p.writeKubeconfigs(); err != nil {
		return err
	}
	var err error
	if p.ready, err = newReadiness(p.kubeconfig()); err != nil {
		return err
	}
	port := p.listener.Addr().(*net.TCPAddr).Port
	flags, err := apiServerFlags(p.settings, p.dir, p.pki, p.endpoint, port)
	if err != nil {
		return err
	}
	p.apiServer = p.launch("kube-apiserver", func() error { return runAPIServer(p.running, p.listener, flags) })
	checks := []check{p.ready.serves, p.ready.hasDefaultNamespace}
	if !p.settings.withoutPCRAPI {
		checks = append(checks, p.ready.hasCertificatesAPIs)
	}
	return p.await(ctx, checks...)
}

// writeKubeconfigs names each file after its user, in the directory that is announced.
func (p *controlPlane) writeKubeconfigs() error {
	if err := p.pki.writeKubeconfig(p.kubeconfig(), p.server(), adminName); err != nil {
		return err
	}
	for user := range p.settings.node.users() {
		if err := p.pki.writeKubeconfig(p.dir.file(fileName(user)+".kubeconfig"), p.server(), user); err != nil {
			return err
		}
	}
	return nil
}

// startControllers follows the API server: started with it, the controllers would find it
// unhealthy, sleep a second, and give up for good if a busy machine made that ten.
func (p *controlPlane) startControllers(ctx context.Context) error {
	if !p.settings.controllers {
		return nil
	}
	kubeconfig := p.dir.file("controller-manager.kubeconfig")
	if err := p.pki.writeKubeconfig(kubeconfig, p.server(), controllerManagerName); err != nil {
		return err
	}
	p.launch("kube-controller-manager", func() error { return runControllers(p.running, kubeconfig, p.pki, p.settings.node) })
	return p.await(ctx, p.ready.hasDefaultServiceAccount)
}

// launch runs a component. Its end is a failure, unless the whole ends and nobody asks any more.
func (p *controlPlane) launch(name string, run func() error) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		err := run()
		close(ended)
		if err == nil {
			err = errors.New("it ended by itself")
		}
		p.failed <- fmt.Errorf("%s: %w", name, err)
	}()
	return ended
}

// await returns when all checks pass, when a component fails, or when ctx ends.
func (p *controlPlane) await(ctx context.Context, checks ...check) error {
	passed := make(chan error, 1)
	go func() { passed <- waitFor(ctx, checks...) }()
	select {
	case err := <-passed:
		return err
	case err := <-p.failed:
		return err
	}
}

// wait returns nil when ctx ends, or the first failure.
func (p *controlPlane) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-p.failed:
		return err
	case err := <-p.etcd.Err():
		return fmt.Errorf("etcd: %w", err)
	}
}

// stop ends the API server before etcd, without which it would only complain.
func (p *controlPlane) stop() {
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		p.cancel()
		<-p.apiServer
		p.etcd.Close()
	}()
	select {
	case <-stopped:
	case <-time.After(stopDeadline):
	}
}

func (p *controlPlane) kubeconfig() string { return p.dir.file("admin.kubeconfig") }
func (p *controlPlane) server() string     { return "https://" + p.listener.Addr().String() }

// announce writes the one line that tells the starter where everything is.
func (p *controlPlane) announce(stdout io.Writer) error {
	return json.NewEncoder(stdout).Encode(struct {
		Kubeconfig string `json:"kubeconfig"`
		Server     string `json:"server"`
		Kubernetes string `json:"kubernetes"`
		Dir        string `json:"dir"`
	}{p.kubeconfig(), p.server(), version.Get().GitVersion, p.dir.path})
}
