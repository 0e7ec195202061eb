// Command go-spiffe judges bundle endpoints and their clients by SPIFFE's own library for Go.
//
//	go-spiffe fetch TRUST_DOMAIN URL web CA_FILE              prints the bundle, as the library writes it
//	go-spiffe fetch TRUST_DOMAIN URL spiffe ID BUNDLE_FILE
//	go-spiffe serve TRUST_DOMAIN CERT_FILE KEY_FILE BUNDLE_FILE    prints the address, and serves until it is killed
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/federation"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	domain, err := spiffeid.TrustDomainFromString(args[1])
	if err != nil {
		return err
	}
	switch {
	case args[0] == "fetch" && args[3] == "web":
		pem, err := os.ReadFile(args[4])
		if err != nil {
			return err
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		return fetch(domain, args[2], federation.WithWebPKIRoots(roots))
	case args[0] == "fetch" && args[3] == "spiffe":
		id, err := spiffeid.FromString(args[4])
		if err != nil {
			return err
		}
		bundle, err := x509bundle.Load(domain, args[5])
		if err != nil {
			return err
		}
		return fetch(domain, args[2], federation.WithSPIFFEAuth(bundle, id))
	case args[0] == "serve":
		return serve(domain, args[2], args[3], args[4])
	}
	return fmt.Errorf("unknown: %v", args)
}

func fetch(domain spiffeid.TrustDomain, url string, option federation.FetchOption) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	bundle, err := federation.FetchBundle(ctx, domain, url, option)
	if err != nil {
		return err
	}
	json, err := bundle.Marshal()
	if err != nil {
		return err
	}
	fmt.Println(string(json))
	return nil
}

func serve(domain spiffeid.TrustDomain, certFile, keyFile, bundleFile string) error {
	anchors, err := x509bundle.Load(domain, bundleFile)
	if err != nil {
		return err
	}
	bundle := spiffebundle.FromX509Bundle(anchors)
	bundle.SetSequenceNumber(42)
	bundle.SetRefreshHint(time.Minute)
	handler, err := federation.NewHandler(domain, bundle)
	if err != nil {
		return err
	}
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	server := http.Server{Handler: handler, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}}
	return server.ServeTLS(listener, "", "")
}
