//! Builds the programs of `hack/controlplane`, once for each state of their sources.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use aws_lc_rs::digest;

use crate::{
    Error, Minor,
    minor::{source_dir, workspace_dir},
};

/// How often a build looks whether it is done, and reports.
const PULSE: Duration = Duration::from_millis(100);

/// What `hack/controlplane` builds for each Kubernetes version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// etcd, kube-apiserver and controllers in one process.
    ControlPlane,
    /// kubelet, kube-proxy, kube-scheduler and kubectl.
    Node,
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::ControlPlane => "controlplane",
            Self::Node => "node",
        }
    }
}

impl std::fmt::Display for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ControlPlane => "the control plane",
            Self::Node => "the node programs",
        })
    }
}

/// That program of that Kubernetes version. It is built if `hack/controlplane` has changed since the last
/// time.
///
/// `waiting` is called every 100 ms while a build goes on, here or in another process, with its duration so
/// far. A first build takes minutes; an unchanged tree costs a few milliseconds and no call.
pub fn build(program: Program, minor: Minor, waiting: &mut dyn FnMut(Duration)) -> Result<PathBuf, Error> {
    let (what, name) = (program, program.name());
    let dir = workspace_dir().join("target/controlplane").join(minor.to_string());
    fs::create_dir_all(&dir).map_err(io("creating", &dir))?;
    let began = Instant::now();
    let _lock = lock(&dir.join(format!("{name}.lock")), &mut || waiting(began.elapsed()))?;

    let program = dir.join(name);
    let stamp = dir.join(format!("{name}.sha256"));
    let sources = fingerprint(what, minor)?;
    if program.is_file() && fs::read_to_string(&stamp).is_ok_and(|built| built == sources) {
        return Ok(program);
    }
    // Under another name until it is whole: the old program may be running, and a build may be interrupted.
    let unfinished = dir.join(format!("{name}.unfinished"));
    run(what, minor, &unfinished, &dir.join(format!("{name}.log")), &mut || waiting(began.elapsed()))?;
    fs::rename(&unfinished, &program).map_err(io("renaming", &unfinished))?;
    fs::write(&stamp, sources).map_err(io("writing", &stamp))?;
    Ok(program)
}

/// Lets one process build while the others wait. The lock ends with the returned file, or with this process.
fn lock(path: &Path, waiting: &mut dyn FnMut()) -> Result<File, Error> {
    let file = File::create(path).map_err(io("creating", path))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {
                waiting();
                std::thread::sleep(PULSE);
            }
            Err(TryLockError::Error(source)) => return Err(io("locking", path)(source)),
        }
    }
}

fn run(
    what: Program,
    minor: Minor,
    program: &Path,
    log: &Path,
    waiting: &mut dyn FnMut(),
) -> Result<(), Error> {
    let script = source_dir().join("build");
    let output = File::create(log).map_err(io("creating", log))?;
    let both = output.try_clone().map_err(io("creating", log))?;
    let mut build = Command::new(&script)
        .arg(minor.to_string())
        .arg(program)
        .arg(what.name())
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(both)
        .spawn()
        .map_err(io("running", &script))?;
    loop {
        if let Some(status) = build.try_wait().map_err(io("running", &script))? {
            let output = || tail(log, 30);
            return status.success().then_some(()).ok_or_else(|| Error::Build {
                what,
                minor: minor.to_string(),
                output: output(),
            });
        }
        waiting();
        std::thread::sleep(PULSE);
    }
}

/// SHA-256 over the names and contents of all that the build of this version reads.
fn fingerprint(program: Program, minor: Minor) -> Result<String, Error> {
    let root = source_dir();
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.retain(|file| is_source(file.strip_prefix(&root).unwrap_or(file), program, minor));
    files.sort();
    let mut hash = digest::Context::new(&digest::SHA256);
    for file in files {
        let content = fs::read(&file).map_err(io("reading", &file))?;
        let name = file.strip_prefix(&root).unwrap_or(&file).to_string_lossy();
        hash.update(format!("{name} {}\n", content.len()).as_bytes());
        hash.update(&content);
    }
    Ok(hash.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Other versions' module files, the other program's source, the documentation and the maintainer's script
/// don't reach the program.
fn is_source(file: &Path, program: Program, minor: Minor) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    if file.starts_with("versions") {
        return name == format!("{minor}.mod") || name == format!("{minor}.sum");
    }
    let of_this = match program {
        Program::ControlPlane => !file.starts_with("node"),
        Program::Node => file.starts_with("node") || file.starts_with("gates"),
    };
    name == "build" || (of_this && name.ends_with(".go") && !name.ends_with("_test.go"))
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    for entry in fs::read_dir(dir).map_err(io("listing", dir))? {
        let path = entry.map_err(io("listing", dir))?.path();
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

/// The last lines of a file that may not exist.
pub(super) fn tail(path: &Path, lines: usize) -> String {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { doing, path, source }
}

#[cfg(test)]
mod tests;
