//! Which programs and libraries there are, and which command needs which.

use super::{Origin, Prerequisite};

/// What a control plane is built with.
pub(crate) const CONTROL_PLANE: &[Prerequisite] = &[GO, BASH];
/// What verifies the demo's certificates.
pub(crate) const DEMO: &[Prerequisite] = &[OPENSSL];
/// What writes the container image.
pub(crate) const IMAGE: &[Prerequisite] = &[BUILDAH];
/// What a node consists of.
pub(crate) const NODE: &[Prerequisite] =
    &[BUILDAH, CONTAINERD, RUNC, PTP, IPTABLES, IP, MOUNT, UNSHARE, OPENSSL];
/// What tests run.
pub(crate) const TESTS: &[Prerequisite] =
    &[OPENSSL, GO_VERIFIER, NGINX, POSTGRESQL, FAKETIME, SETPRIV, PROMTOOL, CHROMIUM];

const BASH: Prerequisite = debian("bash", "bash", "runs the build script of the control plane", &["bash"]);
const BUILDAH: Prerequisite = debian("buildah", "buildah", "writes container images", &["buildah"]);
const CHROMIUM: Prerequisite = Prerequisite {
    tests_of: &["signer-manager"],
    ..debian("chromium", "chromium", "looks at the status page", &["chromium"])
};
const CONTAINERD: Prerequisite =
    debian("containerd", "containerd", "runs the node's containers", &["containerd", "ctr"]);
const FAKETIME: Prerequisite = Prerequisite {
    tests_of: &["signer-manager"],
    ..debian(
        "faketime",
        "faketime",
        "gives replicas a wrong clock",
        &["/usr/lib/*/faketime/libfaketime.so.1"],
    )
};
const GO: Prerequisite = Prerequisite {
    name: "go",
    origin: Origin::Page("https://go.dev/dl"),
    purpose: "builds the control plane; README.md says from which version on",
    files: &["go"],
    tests_of: &[],
};
const GO_VERIFIER: Prerequisite = Prerequisite {
    purpose: "verifies certificates, and builds the control plane",
    tests_of: &["ca-pool"],
    ..GO
};
const IP: Prerequisite = debian("ip", "iproute2", "makes the node's interfaces", &["ip"]);
const IPTABLES: Prerequisite = debian("iptables", "iptables", "filters the node's packets", &["iptables"]);
const MOUNT: Prerequisite = debian("mount", "mount", "makes the node's file systems", &["mount"]);
const NGINX: Prerequisite = Prerequisite {
    tests_of: &["pod-credentials"],
    ..debian("nginx", "nginx-light", "follows the recipe of docs/using-certificates.md", &["nginx"])
};
const OPENSSL: Prerequisite = debian("openssl", "openssl", "makes and verifies certificates", &["openssl"]);
const POSTGRESQL: Prerequisite = Prerequisite {
    tests_of: &["pod-credentials"],
    ..debian(
        "PostgreSQL",
        "postgresql",
        "follows the recipe of docs/using-certificates.md",
        &[
            "/usr/lib/postgresql/*/bin/initdb",
            "/usr/lib/postgresql/*/bin/postgres",
            "/usr/lib/postgresql/*/bin/psql",
        ],
    )
};
const PROMTOOL: Prerequisite = Prerequisite {
    tests_of: &["xtask"],
    ..debian("promtool", "prometheus", "tests the alerts of monitoring/rules.yaml", &["promtool"])
};
const PTP: Prerequisite =
    debian("ptp", "containernetworking-plugins", "connects the node's pods", &["/usr/lib/cni/ptp"]);
const RUNC: Prerequisite = debian("runc", "runc", "starts the node's containers", &["runc"]);
const SETPRIV: Prerequisite = Prerequisite {
    tests_of: &["pod-credentials"],
    ..debian("setpriv", "util-linux", "runs servers as another user than root", &["setpriv"])
};
const UNSHARE: Prerequisite = debian("unshare", "util-linux", "makes the node's namespaces", &["unshare"]);

const fn debian(
    name: &'static str,
    package: &'static str,
    purpose: &'static str,
    files: &'static [&'static str],
) -> Prerequisite {
    Prerequisite { name, origin: Origin::Debian(package), purpose, files, tests_of: &[] }
}
