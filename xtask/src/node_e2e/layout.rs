//! Where things are: on the machine below `target/node-e2e`, and for the node at fixed places of its own
//! mount namespace.

use std::path::{Path, PathBuf};

use test_cluster::workspace_dir;

/// The node's name.
pub(super) const NODE: &str = "node";

/// The node's address, on a bridge in its own network namespace: the API server's too.
pub(super) const ADDRESS: &str = "10.89.0.1";

/// Where the node sees [`state`]. Configuration files name it.
pub(super) const STATE: &str = "/var/lib/node-e2e";

/// The node's files: images, pods' volumes, etcd, keys. Removed at the end.
pub(super) fn state() -> PathBuf {
    root().join("state")
}

/// The logs of the last run.
pub(super) fn logs() -> PathBuf {
    root().join("log")
}

/// The archive of the node's own image: pause and CoreDNS.
pub(super) fn node_image() -> PathBuf {
    root().join("node-image.tar")
}

/// The programs of the node's own image.
pub(super) fn node_image_root() -> PathBuf {
    root().join("node-image")
}

/// The archive of the project's image.
pub(super) fn image() -> PathBuf {
    root().join("image.tar")
}

/// The files of the project's image.
pub(super) fn image_root() -> PathBuf {
    crate::image::root()
}

/// What is applied as it is.
pub(super) fn manifests(folder: &str) -> PathBuf {
    workspace_dir().join(folder)
}

/// Held by a run: the machine's control groups have room for one.
pub(super) fn lock() -> PathBuf {
    root().join("lock")
}

/// Kernel settings as they were before a run, while it goes on.
pub(super) fn kernel_settings() -> PathBuf {
    root().join("kernel-settings.json")
}

pub(super) fn root() -> PathBuf {
    workspace_dir().join("target/node-e2e")
}

/// A file below [`STATE`].
pub(super) fn inside(path: &str) -> PathBuf {
    Path::new(STATE).join(path)
}
