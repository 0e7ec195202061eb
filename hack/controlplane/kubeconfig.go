package main

import (
	"os"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// writeKubeconfig embeds the keys, so that the file alone is all that a client needs. It is
// written anew at every start, since the port may be another.
func (p pki) writeKubeconfig(path, server, user string) error {
	authority, err := os.ReadFile(p.certificate(authorityName))
	if err != nil {
		return err
	}
	certificate, err := os.ReadFile(p.certificate(user))
	if err != nil {
		return err
	}
	key, err := os.ReadFile(p.key(user))
	if err != nil {
		return err
	}
	const name = "controlplane"
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: authority}
	config.AuthInfos[user] = &clientcmdapi.AuthInfo{ClientCertificateData: certificate, ClientKeyData: key}
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: user}
	config.CurrentContext = name
	return clientcmd.WriteToFile(*config, path)
}
