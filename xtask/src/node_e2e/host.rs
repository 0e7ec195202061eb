//! What a node changes beyond its namespaces: kernel settings, and control groups. Both are put back.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use crate::error::Error;

/// What kubelet sets when it starts (`setupKernelTunables` in its container manager).
const KERNEL_SETTINGS: [&str; 6] = [
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
];

/// How long a killed process may take to leave its control group.
const LEAVING: Duration = Duration::from_secs(10);

/// Kernel settings as they were. Put back when this is dropped, or by the next run if this one is killed.
#[derive(Debug)]
pub(super) struct KernelSettings {
    file: PathBuf,
    values: BTreeMap<PathBuf, String>,
}

impl KernelSettings {
    /// Reads them, after those in the file, which a killed run has left, have been put back.
    pub(super) fn remember(file: PathBuf) -> Result<Self, Error> {
        if let Ok(left) = fs::read(&file) {
            put_back(&serde_json::from_slice(&left).unwrap_or_default());
        }
        let read = |name: &&str| {
            let path = Path::new("/proc/sys").join(name);
            fs::read_to_string(&path).ok().map(|value| (path, value.trim().to_owned()))
        };
        let values = KERNEL_SETTINGS.iter().filter_map(read).collect();
        let text = serde_json::to_vec(&values).unwrap_or_default();
        fs::write(&file, text).map_err(Error::io("writing", &file))?;
        Ok(Self { file, values })
    }
}

impl Drop for KernelSettings {
    fn drop(&mut self) {
        put_back(&self.values);
        let _ = fs::remove_file(&self.file);
    }
}

fn put_back(values: &BTreeMap<PathBuf, String>) {
    for (path, value) in values {
        let changed = fs::read_to_string(path).is_ok_and(|now| now.trim() != value);
        if changed && let Err(error) = fs::write(path, value) {
            eprintln!("{} is no longer {value}: {error}", path.display());
        }
    }
}

/// Removes the control groups of pods that have ended. The kubelet makes them at a fixed place.
///
/// # Errors
/// [`Error::Unmet`] if processes are in one of them after 10 s: then another kubelet runs on this machine.
pub(super) fn remove_pod_groups() -> Result<(), Error> {
    let began = Instant::now();
    for group in pod_groups()? {
        while let Err(error) = remove_tree(&group) {
            if began.elapsed() > LEAVING {
                let (group, remedy) = (group.display(), "end it, or use another machine");
                let why = format!("{group} is in use ({error}), so a kubelet runs on this machine; {remedy}");
                return Err(Error::Unmet(why));
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
    Ok(())
}

/// One with cgroup v2, one for each hierarchy with v1.
fn pod_groups() -> Result<Vec<PathBuf>, Error> {
    let root = Path::new("/sys/fs/cgroup");
    let mut groups = vec![root.join("kubepods")];
    for entry in fs::read_dir(root).map_err(Error::io("listing", root))? {
        groups.push(entry.map_err(Error::io("listing", root))?.path().join("kubepods"));
    }
    groups.retain(|group| group.is_dir());
    Ok(groups)
}

/// A control group's files can't be removed; it goes with `rmdir` once it has no groups below.
fn remove_tree(group: &Path) -> io::Result<()> {
    for entry in fs::read_dir(group)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    match fs::remove_dir(group) {
        // Another name of the same hierarchy: /sys/fs/cgroup/cpu is a link to cpu,cpuacct.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
