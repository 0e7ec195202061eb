use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use super::*;

const FOUND_IN_PATH: Prerequisite = prerequisite("tool", &["tool"], Origin::Debian("tools"));
const WITH_TWO_FILES: Prerequisite = prerequisite("pair", &["tool", "other"], Origin::Debian("tools"));
const FROM_A_PAGE: Prerequisite = prerequisite("go", &["go"], Origin::Page("https://go.dev/dl"));

const fn prerequisite(name: &'static str, files: &'static [&'static str], origin: Origin) -> Prerequisite {
    Prerequisite { name, origin, purpose: "is tried", files, tests_of: &[] }
}

fn file(path: &Path, mode: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "").unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_program_is_an_executable_file_in_the_search_path() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    file(&path("a/tool"), 0o755);
    file(&path("a/text"), 0o644);
    fs::create_dir(path("a/folder")).unwrap();
    symlink(path("a/nowhere"), path("a/dangling")).unwrap();
    symlink("tool", path("a/link")).unwrap();
    let places = Places::new(std::env::join_paths([path("missing"), path("a"), path("")]).unwrap());
    let cases = [
        ("tool", true),
        ("link", true),
        ("text", false),
        ("folder", false),
        ("dangling", false),
        ("no", false),
    ];
    for (name, there) in cases {
        assert_eq!(places.have(name), there, "{name}");
    }
    assert!(!Places::new("".into()).have("tool"), "an empty PATH isn't this folder");
}

#[test]
fn roots_programs_are_found_without_their_folders_in_path() {
    let there = ["/usr/sbin/chroot", "/sbin/chroot"].iter().any(|file| Path::new(file).exists());
    assert_eq!(Places::new("/nowhere".into()).have("chroot"), there);
    let search = search_path().into_string().unwrap();
    for folder in ["/usr/local/sbin", "/usr/sbin", "/sbin"] {
        assert_eq!(search.split(':').filter(|one| *one == folder).count(), 1, "{folder} in {search}");
    }
}

#[test]
fn a_star_is_any_one_folder() {
    let dir = tempfile::tempdir().unwrap();
    let places = Places::new("".into());
    let pattern = format!("{}/*/bin/initdb", dir.path().display());
    assert!(!places.have(&pattern), "no folder at all");
    file(&dir.path().join("15/lib/initdb"), 0o755);
    fs::create_dir_all(dir.path().join("16/bin/initdb")).unwrap();
    assert!(!places.have(&pattern), "other files, and a folder of that name");
    file(&dir.path().join("17/bin/initdb"), 0o755);
    assert!(places.have(&pattern));
}

#[test]
fn what_is_half_installed_is_missing_and_each_is_named_once() {
    let dir = tempfile::tempdir().unwrap();
    file(&dir.path().join("tool"), 0o755);
    let places = Places::new(dir.path().into());
    let all = [FOUND_IN_PATH, WITH_TWO_FILES, WITH_TWO_FILES];
    let missing: Vec<_> = missing(&all, &places).iter().map(|one| one.name).collect();
    assert_eq!(missing, ["pair"]);
}

#[test]
fn the_message_lists_each_with_its_purpose_and_package_and_one_command() {
    let message = report(&[&FOUND_IN_PATH, &WITH_TWO_FILES, &FROM_A_PAGE], Installer::SudoApt);
    for part in ["tool ", "pair ", "is tried (package tools)", "is tried (https://go.dev/dl)"] {
        assert!(message.contains(part), "{part:?} in {message}");
    }
    assert!(message.ends_with("&& sudo apt-get install --no-install-recommends tools"), "{message}");
    let message = report(&[&FROM_A_PAGE], Installer::SudoApt);
    assert!(!message.contains("apt-get"), "{message}");
    assert!(!report(&[&FOUND_IN_PATH], Installer::Other).contains("apt-get"));
}

#[test]
fn packages_chosen_for_cargo_test_need_what_their_tests_need() {
    let needed = |chosen: &[&str]| -> Vec<&str> {
        TESTS.iter().filter(|one| one.is_for(chosen)).map(|one| one.name).collect()
    };
    let all = ["openssl", "go", "nginx", "PostgreSQL", "faketime", "setpriv", "promtool", "chromium"];
    assert_eq!(needed(&[]), all);
    assert_eq!(needed(&["ca-pool"]), ["openssl", "go"]);
    assert_eq!(needed(&["ca-pool", "signer-manager"]), ["openssl", "go", "faketime", "chromium"]);
    assert_eq!(needed(&["pod-credentials@0.1.0"]), ["openssl", "nginx", "PostgreSQL", "setpriv"]);
    assert_eq!(needed(&["pod-*"]), all);
}
