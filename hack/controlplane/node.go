package main

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"strings"
)

const (
	kubeletServingName = "kubelet-serving"
	schedulerName      = "system:kube-scheduler"
	proxyName          = "system:kube-proxy"
)

// node is a real one on this machine, for which a kubelet is going to run. The zero value is none.
type node struct {
	name    string
	address net.IP
}

// Set parses the flag's value.
func (n *node) Set(value string) error {
	name, address, _ := strings.Cut(value, "=")
	n.name, n.address = name, net.ParseIP(address)
	if name == "" || n.address == nil || n.address.IsLoopback() {
		// The API server advertises it as the endpoint of a Service, and refuses loopback there.
		return fmt.Errorf("%q isn't NAME=ADDRESS, an IP address of this machine that isn't loopback", value)
	}
	return nil
}

func (n *node) String() string {
	if !n.exists() {
		return ""
	}
	return n.name + "=" + n.address.String()
}

func (n *node) exists() bool { return n.name != "" }

// user is the name by which authorization knows the node's kubelet.
func (n *node) user() string { return "system:node:" + n.name }

// users are the components that a node adds, each with the group that its certificate names.
func (n *node) users() map[string][]string {
	if !n.exists() {
		return nil
	}
	return map[string][]string{n.user(): {"system:nodes"}, schedulerName: nil, proxyName: nil}
}

// kubeletServing is for the kubelet's own port, at which the API server asks for logs and exec.
func (n *node) kubeletServing() *x509.Certificate {
	return &x509.Certificate{
		Subject:     pkix.Name{CommonName: n.user(), Organization: []string{"system:nodes"}},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{n.name},
		IPAddresses: []net.IP{n.address},
	}
}

// apiServerFlags are those by which pods reach the API server, and the API server the kubelet.
func (n *node) apiServerFlags(pki pki) []string {
	if !n.exists() {
		return []string{
			"--bind-address=127.0.0.1",
			"--advertise-address=127.0.0.1",   // else it looks for a default route, and fails without one
			"--endpoint-reconciler-type=none", // a loopback address is no valid endpoint
		}
	}
	return []string{
		"--bind-address=" + n.address.String(),
		"--advertise-address=" + n.address.String(),
		"--kubelet-preferred-address-types=InternalIP",
		"--kubelet-certificate-authority=" + pki.certificate(authorityName),
		"--kubelet-client-certificate=" + pki.certificate(adminName),
		"--kubelet-client-key=" + pki.key(adminName),
	}
}
