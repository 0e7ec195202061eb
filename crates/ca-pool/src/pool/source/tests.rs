use super::*;

fn steady_of(seen: &[&'static str]) -> Option<&'static str> {
    let mut seen = seen.iter();
    steady(|| seen.next().copied().ok_or(())).unwrap()
}

#[test]
fn a_key_that_everybody_may_use_is_told_of_by_its_path_and_mode() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let exposed = |source: &PoolSource, mode: u32| {
        let file = path(if matches!(source, PoolSource::PoolFile(_)) { "pool.json" } else { "tls.key" });
        std::fs::write(&file, "").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        source.exposed_key()
    };
    let pem = PoolSource::PemFiles { cert: path("tls.crt"), key: path("tls.key"), root: None };
    std::fs::write(path("tls.crt"), "").unwrap();
    for source in [PoolSource::PoolFile(path("pool.json")), pem] {
        for mode in [0o600, 0o640, 0o440, 0o660] {
            assert_eq!(exposed(&source, mode), None, "{mode:o}");
        }
        for mode in [0o644, 0o604, 0o602, 0o601, 0o777] {
            let problem = exposed(&source, mode).unwrap();
            assert!(problem.contains(&format!("its mode {mode:04o} lets everybody")), "{problem}");
        }
    }
    assert_eq!(PoolSource::PoolFile(path("absent")).exposed_key(), None);
}

#[test]
fn only_what_was_seen_twice_in_a_row_counts() {
    assert_eq!(steady_of(&["old", "old"]), Some("old"));
    assert_eq!(steady_of(&["old cert, new key", "new", "new"]), Some("new"));
    assert_eq!(steady_of(&["a", "b", "a", "b", "a"]), None);
}
