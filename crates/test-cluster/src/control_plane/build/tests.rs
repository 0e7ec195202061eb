use super::*;

#[test]
fn only_what_a_version_is_built_from_counts() {
    let minor = Minor::newest().unwrap();
    let counts = |file: &str| is_source(Path::new(file), Program::ControlPlane, minor);
    assert!(counts("main.go") && counts("build") && counts(&format!("versions/{minor}.mod")));
    assert!(!counts("README.md") && !counts("plane_test.go") && !counts("versions/1.1.mod"));
    assert!(counts("gates/gates.go") && !counts("node/main.go"));
    let counts = |file: &str| is_source(Path::new(file), Program::Node, minor);
    assert!(counts("gates/gates.go") && counts("node/main.go") && !counts("main.go"));
}

#[test]
fn the_fingerprint_follows_from_the_sources_alone() {
    let (newest, oldest) = (Minor::newest().unwrap(), Minor::named("oldest").unwrap());
    let of = |program, minor| fingerprint(program, minor).unwrap();
    assert_eq!(of(Program::Node, newest), of(Program::Node, newest));
    assert_ne!(of(Program::Node, newest), of(Program::Node, oldest));
    assert_ne!(of(Program::Node, newest), of(Program::ControlPlane, newest));
}
