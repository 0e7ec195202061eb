//! A signer outside of this repository, as docs/writing-a-signer.md begins one.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

use std::{fs, path::Path, process::Command};

/// The first block of this language in a page.
fn block<'a>(page: &'a str, language: &str) -> &'a str {
    page.split(&format!("```{language}\n")).nth(1).unwrap().split("```").next().unwrap()
}

/// `cargo new` makes the crate; manifest and program are those of the page, but for where signer-core comes
/// from.
#[test]
fn a_signer_begins_with_cargo_new_and_compiles_as_the_page_has_it() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(repository.join("docs/writing-a-signer.md")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let cargo = |directory: &Path, arguments: &[&str]| {
        // apart from the build of the repository, whose lock it would wait for
        let target = repository.join("target/outside");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(directory).env("CARGO_TARGET_DIR", target).args(arguments);
        let output = cargo.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let new: Vec<&str> = block(&page, "sh").split_whitespace().skip(1).collect();
    cargo(directory.path(), &[&new[..], &["--vcs", "none"]].concat());
    let signer = directory.path().join("team-signer");
    let manifest = signer.join("Cargo.toml");
    let dependencies = block(&page, "toml");
    let git = "git = \"https://git.example.com/pod-certificate-signers\"";
    assert!(dependencies.contains(git), "{dependencies}");
    let path = format!("path = {:?}", repository.join("crates/signer-core"));
    let made =
        fs::read_to_string(&manifest).unwrap().replace("[dependencies]\n", &dependencies.replace(git, &path));
    fs::write(&manifest, made).unwrap();
    fs::write(signer.join("src/main.rs"), block(&page, "rust")).unwrap();
    // the versions that are here already
    fs::copy(repository.join("Cargo.lock"), signer.join("Cargo.lock")).unwrap();
    cargo(&signer, &["check", "--offline"]);
}
