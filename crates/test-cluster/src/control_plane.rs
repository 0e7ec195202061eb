//! A throw-away Kubernetes control plane: the program of `hack/controlplane`, built on first use and run as a
//! child process that can't outlive this one.

mod build;
mod process;
mod progress;

pub use build::{Program, build};
pub use process::{ControlPlane, Options, RealNode};
pub use progress::Progress;
