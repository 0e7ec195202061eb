use super::*;

#[test]
fn has_the_names_of_kubernetes_but_for_those_of_authorities() {
    for (name, usage) in NAMES {
        assert_eq!(name.parse(), Ok(usage));
        assert_eq!(usage.name().parse(), Ok(usage));
    }
    for name in NEVER {
        assert_eq!(name.parse::<Usage>(), Err(UsageError::Never(name)));
        assert!(name.parse::<UsagePattern>().is_err(), "{name}");
    }
    for name in
        ["", "Server Auth", "serverAuth", "server  auth", "digital-signature", "any extended key usage"]
    {
        let error = name.parse::<Usage>().unwrap_err().to_string();
        assert!(error.contains("is not a usage; the usages are server auth, client auth"), "{error}");
    }
}

#[test]
fn a_grant_covers_all_names_of_its_usage() {
    let pattern: UsagePattern = "s/mime".parse().unwrap();
    assert!(pattern.matches("email protection".parse().unwrap()));
    assert!(!pattern.matches("code signing".parse().unwrap()));
    let everything: UsagePattern = "*".parse().unwrap();
    assert!(NAMES.iter().all(|(_, usage)| everything.matches(*usage)));
}
