//! The configuration file that the demo gives to signer-manager: what an operator would write.

use std::path::Path;

/// The signer whose certificates carry the names of the Services that select the pod.
pub(super) const SERVICE_DNS: &str = "row-major.net/service-dns";
/// The signer whose certificates carry the SPIFFE ID of the pod's service account.
pub(super) const SPIFFE: &str = "row-major.net/spiffe";
/// The signer whose certificates carry what the pod's annotations ask for and the operator has granted.
pub(super) const ANNOTATION: &str = "coolcert.example.com/foo";

/// All of them.
pub(super) const SIGNER_NAMES: [&str; 3] = [SERVICE_DNS, SPIFFE, ANNOTATION];

/// The public name that one service account may have.
pub(super) const GRANTED_NAME: &str = "pay.example.com";

/// A signer's CA pool, as `signerctl` is told to make it in the demo's directory.
pub(super) struct Pool {
    pub(super) signer_name: &'static str,
    pub(super) file: &'static str,
    pub(super) key_type: &'static str,
}

/// One for each signer: two signers never share a CA.
pub(super) const POOLS: [Pool; 3] = [
    Pool { signer_name: SERVICE_DNS, file: "service-dns-pool.json", key_type: "ECDSAP256" },
    Pool { signer_name: SPIFFE, file: "spiffe-pool.json", key_type: "ED25519" },
    Pool { signer_name: ANNOTATION, file: "foo-pool.json", key_type: "ECDSAP384" },
];

/// The file's text, with pools in `dir` and a grant for the service account `gateway` of that namespace.
pub(super) fn configuration(dir: &Path, payments: &str) -> String {
    let [service_dns, spiffe, annotation] = POOLS.map(|pool| dir.join(pool.file).display().to_string());
    format!(
        "\
clusterDomain: cluster.local
signers:
  - name: {SERVICE_DNS}
    kind: service-dns
    podNames: true
    caPool: {{file: {service_dns}}}
  - name: {SPIFFE}
    kind: spiffe
    trustDomain: cluster.local
    caPool: {{file: {spiffe}}}
  - name: {ANNOTATION}
    kind: annotation
    caPool: {{file: {annotation}}}
    grants:
      - namespaces: [{payments}]
        serviceAccounts: [gateway]
        dnsNames: [{GRANTED_NAME}]
"
    )
}
