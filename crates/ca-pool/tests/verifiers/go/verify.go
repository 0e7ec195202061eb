// Answers what Go's crypto/x509 says of a chain and of trust anchors, as the API server, kubelet and clients
// in Go do.
//
//	verify <chain.pem> <roots.pem> (server|client)
//	verify read    (a certificate in hexadecimal a line; a line for each with what ParseCertificate says)
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
)

func read(path string) (certificates []*x509.Certificate) {
	text, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return certificates
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			fmt.Println("unreadable:", err)
			os.Exit(1)
		}
		certificates = append(certificates, certificate)
	}
}

func readEach() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		der, err := hex.DecodeString(lines.Text())
		if err != nil {
			panic(err)
		}
		if _, err = x509.ParseCertificate(der); err != nil {
			fmt.Printf("refused: %q\n", err)
		} else {
			fmt.Println("read")
		}
	}
}

func main() {
	if os.Args[1] == "read" {
		readEach()
		return
	}
	chain, roots := read(os.Args[1]), read(os.Args[2])
	options := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool()}
	options.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if os.Args[3] == "client" {
		options.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	for _, root := range roots {
		if !root.IsCA || !root.BasicConstraintsValid {
			fmt.Println("unreadable: a trust anchor isn't a CA")
			os.Exit(1)
		}
		options.Roots.AddCert(root)
	}
	for _, intermediate := range chain[1:] {
		options.Intermediates.AddCert(intermediate)
	}
	if _, err := chain[0].Verify(options); err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
}
