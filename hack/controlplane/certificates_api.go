package main

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilversion "k8s.io/apimachinery/pkg/util/version"
	componentversion "k8s.io/component-base/version"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/certificates"

	"controlplane/gates"
)

// certificatesAPIs lists each version of the two kinds that this release serves, whatever it is.
func certificatesAPIs() []schema.GroupVersionResource {
	resources := map[string]string{
		"PodCertificateRequest": "podcertificaterequests",
		"ClusterTrustBundle":    "clustertrustbundles",
	}
	var served []schema.GroupVersionResource
	for kind, resource := range resources {
		for _, version := range legacyscheme.Scheme.PrioritizedVersionsForGroup(certificates.GroupName) {
			object, err := legacyscheme.Scheme.New(version.WithKind(kind))
			if err == nil && !removed(object) {
				served = append(served, version.WithResource(resource))
			}
		}
	}
	return served
}

// removed is the API server's own rule: a version of a kind outlives its removal as a Go type,
// and is left out without a word even if --runtime-config asks for it.
func removed(object runtime.Object) bool {
	mortal, ok := object.(interface{ APILifecycleRemoved() (major, minor int) })
	if !ok {
		return false
	}
	major, minor := mortal.APILifecycleRemoved()
	release := utilversion.MustParse(componentversion.DefaultKubeBinaryVersion)
	return release.AtLeast(utilversion.MajorMinor(uint(major), uint(minor)))
}

// certificatesAPIFlags turn both kinds on or off, with all that the API server does for them.
func certificatesAPIFlags(on bool) []string {
	var resources []string
	for _, api := range certificatesAPIs() {
		resources = append(resources, fmt.Sprintf("%s/%s/%s=%t", api.Group, api.Version, api.Resource, on))
	}
	return append(gates.Flags(gates.Certificates, on), "--runtime-config="+strings.Join(resources, ","))
}
