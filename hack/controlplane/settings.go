package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strconv"
)

// settings is the command line.
type settings struct {
	dir           string
	log           string
	auditLog      string
	port          int
	controllers   bool
	withoutPCRAPI bool
	parentPipe    bool
	node          node
	version       bool
}

func parseSettings(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("controlplane", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.dir, "dir", "", "state `directory`, kept at the end and usable again; default: a temporary one, removed at the end")
	flags.StringVar(&s.log, "log", "", "`file` for the components' logs; default: controlplane.log in the state directory")
	flags.StringVar(&s.auditLog, "audit-log", "", "`file` that gets one JSON line for each completed API call; default: none")
	flags.IntVar(&s.port, "port", 0, "the API server's `port` on 127.0.0.1, or on the node's address; default: a free one")
	flags.BoolVar(&s.controllers, "controllers", true, "run the controllers for namespaces, service accounts, garbage and old requests")
	flags.BoolVar(&s.withoutPCRAPI, "without-pcr-api", false, "serve neither PodCertificateRequest nor ClusterTrustBundle")
	flags.Var(&s.node, "node", "serve a real node, `NAME=ADDRESS`, on this machine: listen at that address, and run all controllers")
	flags.BoolVar(&s.parentPipe, "parent-pipe", false, "end when standard input reaches its end, so when the starter is gone")
	flags.BoolVar(&s.version, "version", false, "print the Kubernetes version and exit")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		err := fmt.Errorf("controlplane takes flags only, got %q", flags.Arg(0))
		fmt.Fprintln(stderr, err)
		return s, err
	}
	return s, s.makePathsAbsolute()
}

// listenAddress is a node's own address if there is one: pods don't reach this machine's loopback.
func (s *settings) listenAddress() string {
	address := "127.0.0.1"
	if s.node.exists() {
		address = s.node.address.String()
	}
	return net.JoinHostPort(address, strconv.Itoa(s.port))
}

// makePathsAbsolute, because the kubeconfig and the JSON line are read from other directories.
func (s *settings) makePathsAbsolute() error {
	for _, path := range []*string{&s.dir, &s.log, &s.auditLog} {
		if *path == "" {
			continue
		}
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		*path = absolute
	}
	return nil
}
