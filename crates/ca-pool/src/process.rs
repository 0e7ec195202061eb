//! The process that holds CA keys.

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Keeps the memory of this process, in which there are CA keys, out of core dumps, and out of the reach of
/// other processes of the same user (ptrace). To be called before a key is read.
///
/// # Errors
/// If the system doesn't allow it.
pub fn forbid_core_dumps() -> io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

#[cfg(test)]
mod tests;
