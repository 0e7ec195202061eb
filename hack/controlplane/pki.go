package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	adminName             = "admin"
	apiServerName         = "kube-apiserver"
	controllerManagerName = "system:kube-controller-manager"
	serviceAccountName    = "service-account"
	authorityName         = "ca"
	superuserGroup        = "system:masters"
)

// pki is the directory with the cluster's keys and certificates. All keys are ECDSA P-256:
// RSA keys would cost a noticeable part of the start.
type pki string

func (p pki) certificate(name string) string { return filepath.Join(string(p), fileName(name)+".crt") }
func (p pki) key(name string) string         { return filepath.Join(string(p), fileName(name)+".key") }

// fileName drops the "system:" of a user name, and has no colons.
func fileName(name string) string {
	return strings.ReplaceAll(strings.TrimPrefix(name, "system:"), ":", "-")
}

// ensurePKI makes the keys once: clients of a control plane that is started again on the same
// directory go on with the kubeconfig they have. A half-made set never gets the final name.
func ensurePKI(dir string, node node) (pki, error) {
	if _, err := os.Stat(dir); err == nil {
		return pki(dir), nil
	}
	unfinished := dir + ".unfinished"
	if err := os.RemoveAll(unfinished); err != nil {
		return "", err
	}
	if err := os.Mkdir(unfinished, 0o700); err != nil {
		return "", err
	}
	if err := pki(unfinished).generate(node); err != nil {
		return "", fmt.Errorf("generating keys: %w", err)
	}
	return pki(dir), os.Rename(unfinished, dir)
}

func (p pki) generate(node node) error {
	authority, err := p.newAuthority()
	if err != nil {
		return err
	}
	serving := &x509.Certificate{
		Subject:     pkix.Name{CommonName: apiServerName},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 96, 0, 1)},
	}
	if node.exists() {
		serving.IPAddresses = append(serving.IPAddresses, node.address)
	}
	if err := authority.issue(apiServerName, serving); err != nil {
		return err
	}
	// The controller manager is a superuser too: the role that bootstrap RBAC gives to its user
	// expects each controller to act through a service account of its own, a detour not needed here.
	users := map[string][]string{adminName: {superuserGroup}, controllerManagerName: {superuserGroup}}
	maps.Copy(users, node.users())
	for user, groups := range users {
		err := authority.issue(user, &x509.Certificate{
			Subject:     pkix.Name{CommonName: user, Organization: groups},
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		})
		if err != nil {
			return err
		}
	}
	if node.exists() {
		if err := authority.issue(kubeletServingName, node.kubeletServing()); err != nil {
			return err
		}
	}
	_, err = p.newKey(serviceAccountName)
	return err
}

// authority is the one CA: it vouches for the API server and for its clients.
type authority struct {
	pki         pki
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func (p pki) newAuthority() (*authority, error) {
	key, err := p.newKey(authorityName)
	if err != nil {
		return nil, err
	}
	template := withValidity(&x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "controlplane-ca"},
		KeyUsage:              x509.KeyUsageCertSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
	})
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{p, certificate, key}, writePEM(p.certificate(authorityName), "CERTIFICATE", der)
}

// issue makes a key and a certificate for it, and writes both.
func (a *authority) issue(name string, template *x509.Certificate) error {
	key, err := a.pki.newKey(name)
	if err != nil {
		return err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, withValidity(template), a.certificate, key.Public(), a.key)
	if err != nil {
		return err
	}
	return writePEM(a.pki.certificate(name), "CERTIFICATE", der)
}

// withValidity begins in the past, for a test that turns its own clock back a little.
func withValidity(template *x509.Certificate) *x509.Certificate {
	now := time.Now()
	template.NotBefore, template.NotAfter = now.Add(-time.Hour), now.AddDate(1, 0, 0)
	return template
}

func (p pki) newKey(name string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writePEM(p.key(name), "EC PRIVATE KEY", der)
}

func writePEM(path, blockType string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der}), 0o600)
}
