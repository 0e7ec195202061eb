// Package gates turns feature gates on or off in whatever release it is linked with.
package gates

import (
	"fmt"

	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/component-base/featuregate"
	_ "k8s.io/kubernetes/pkg/features" // makes Kubernetes' gates known
)

// Certificates are the gates of PodCertificateRequest and ClusterTrustBundle, and of the volumes
// that project them.
var Certificates = []featuregate.Feature{"PodCertificateRequest", "ClusterTrustBundle", "ClusterTrustBundleProjection"}

// Flags leaves out the gates that this release doesn't know, or refuses to have set: a locked
// one has become part of Kubernetes.
func Flags(gates []featuregate.Feature, on bool) []string {
	var flags []string
	known := utilfeature.DefaultMutableFeatureGate.GetAll()
	for _, gate := range gates {
		if spec, ok := known[gate]; ok && !spec.LockToDefault {
			flags = append(flags, fmt.Sprintf("--feature-gates=%s=%t", gate, on))
		}
	}
	return flags
}
