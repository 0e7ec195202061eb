//! `cargo xtask image`: the container image of all programs, without a container engine.

mod buildah;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use test_cluster::workspace_dir;

pub(crate) use self::buildah::{Contents, write_archive};
use crate::{
    cargo,
    error::Error,
    prerequisites::{self, IMAGE},
    program,
};

/// What the image holds.
const PROGRAMS: [&str; 3] = ["signer-manager", "signerctl", "mtls-demo"];

/// By this name manifests ask for it.
pub(crate) const NAME: &str = concat!("localhost/pod-certificate-signers:", env!("CARGO_PKG_VERSION"));

/// Nobody's user: it owns no file.
const USER: &str = "65532:65532";

/// How the programs are compiled.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Optimised {
    /// As users get them, which takes minutes for each program.
    Yes,
    /// As tests have them.
    No,
}

/// Build the container image of all programs, on a machine without Docker.
///
/// It is an archive that `docker load`, `kind load image-archive`, `podman load` and `ctr images import`
/// take. Needs buildah (in Debian).
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where to write the archive [default: target/image/pod-certificate-signers.tar].
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Builds it, and says what is in it.
pub(crate) fn run(arguments: Arguments) -> Result<(), Error> {
    prerequisites::require(IMAGE)?;
    let output = arguments.output.unwrap_or_else(archive);
    let root = build(&output, Optimised::Yes)?;
    println!("{NAME}");
    let mut total = 0;
    for (path, size) in contents(&root)? {
        println!("  {:>5.1} MiB  {path}", mebibytes(size));
        total += size;
    }
    println!("  {:>5.1} MiB  in all, for user {USER}", mebibytes(total));
    let shown = output.strip_prefix(workspace_dir()).unwrap_or(&output).display();
    println!(
        "in {shown}, for: kind load image-archive FILE, docker load --input FILE, ctr images import FILE"
    );
    Ok(())
}

/// Where the archive is by default.
fn archive() -> PathBuf {
    workspace_dir().join("target/image/pod-certificate-signers.tar")
}

/// The directory that the image is a copy of.
pub(crate) fn root() -> PathBuf {
    workspace_dir().join("target/image/rootfs")
}

/// Builds the programs and writes the archive; returns the directory that the image is a copy of.
pub(crate) fn build(output: &Path, optimised: Optimised) -> Result<PathBuf, Error> {
    let built = match optimised {
        Optimised::Yes => cargo::build_release(&PROGRAMS)?,
        Optimised::No => cargo::build(&PROGRAMS)?,
    };
    let root = root();
    clear(&root)?;
    let script = workspace_dir().join("hack/image/rootfs");
    let program = |name: &&str| {
        built.get(*name).ok_or_else(|| Error::Unmet(format!("cargo built no program named {name}")))
    };
    let programs = PROGRAMS.iter().map(program).collect::<Result<Vec<_>, _>>()?;
    program::output(Command::new(script).arg(&root).args(programs))?;
    write_archive(&Contents { root: &root, name: NAME, user: USER, command: None }, output)?;
    Ok(root)
}

/// Removes a directory that may not exist.
fn clear(dir: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("clearing", dir)(error)),
        _ => Ok(()),
    }
}

/// Each file below that directory, as the image names it, with its size in bytes.
fn contents(root: &Path) -> Result<Vec<(String, u64)>, Error> {
    let (mut files, mut dirs) = (Vec::new(), vec![root.to_owned()]);
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).map_err(Error::io("listing", &dir))? {
            let path = entry.map_err(Error::io("listing", &dir))?.path();
            let metadata = path.metadata().map_err(Error::io("reading", &path))?;
            if metadata.is_dir() {
                dirs.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap_or(&path).display();
                files.push((format!("/{name}"), metadata.len()));
            }
        }
    }
    files.sort();
    Ok(files)
}

#[expect(clippy::cast_precision_loss, reason = "a size to read, of far less than 2^52 bytes")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
