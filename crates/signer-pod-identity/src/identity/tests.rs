use std::{io::Write as _, process::Command};

use proptest::prelude::*;

use super::*;

fn identity() -> PodIdentity {
    PodIdentity {
        namespace: "shop".into(),
        namespace_uid: "u0".into(),
        service_account_name: "web".into(),
        service_account_uid: "u1".into(),
        pod_name: "web-0".into(),
        pod_uid: "u2".into(),
        node_name: "node-1".into(),
        node_uid: "u3".into(),
    }
}

/// As written by hand from X.690 §8.1 and §8.14: each field is a primitive element of the context-specific
/// class with its number as tag.
#[test]
fn its_bytes_are_those_of_the_definition() {
    let mut expected = vec![0x30, 42];
    for (tag, text) in ["shop", "u0", "web", "u1", "web-0", "u2", "node-1", "u3"].iter().enumerate() {
        expected.extend([0x80 | u8::try_from(tag).unwrap(), u8::try_from(text.len()).unwrap()]);
        expected.extend(text.as_bytes());
    }
    assert_eq!(identity().to_der().unwrap(), expected);
}

#[test]
fn openssl_makes_and_reads_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (config, der) = (dir.path().join("asn1.cnf"), dir.path().join("identity.der"));
    let mut file = std::fs::File::create(&config).unwrap();
    writeln!(file, "asn1 = SEQUENCE:identity\n[identity]").unwrap();
    for (tag, text) in ["shop", "u0", "web", "u1", "web-0", "u2", "node-1", "u3"].iter().enumerate() {
        writeln!(file, "field{tag} = IMPLICIT:{tag},UTF8:{text}").unwrap();
    }
    let made = Command::new("openssl")
        .arg("asn1parse")
        .arg("-genconf")
        .arg(&config)
        .arg("-out")
        .arg(&der)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    assert_eq!(std::fs::read(der).unwrap(), identity().to_der().unwrap());
}

/// kubelet's own language; long texts have lengths of several bytes.
#[test]
fn go_makes_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("marshal");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/marshal.go");
    let mut go = Command::new("go");
    go.env("GO111MODULE", "off").args(["build", "-o"]).arg(&program).arg(source);
    let built = go.output().expect("this test needs Go, as the control plane does");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    for identity in [
        identity(),
        PodIdentity {
            namespace: "ä".repeat(100),
            pod_name: "p".repeat(70_000),
            node_uid: String::new(),
            ..identity()
        },
    ] {
        let made = Command::new(&program)
            .args([&identity.namespace, &identity.namespace_uid])
            .args([&identity.service_account_name, &identity.service_account_uid])
            .args([&identity.pod_name, &identity.pod_uid, &identity.node_name, &identity.node_uid])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        assert_eq!(made.stdout, identity.to_der().unwrap());
    }
}

#[test]
fn what_is_not_one_is_refused() {
    let der = identity().to_der().unwrap();
    let other_tag = |index: usize, tag: u8| {
        let mut bytes = der.clone();
        bytes[index] = tag;
        bytes
    };
    let wrong = [
        &[][..],
        &[0x30, 0],
        &der[..der.len() - 1],
        &[&der[..], &[0]].concat(),
        &other_tag(2, 0x0c),
        &other_tag(2, 0xa0),
        &other_tag(4, 0xff),
    ];
    for bytes in wrong {
        assert!(PodIdentity::from_der(bytes).is_err(), "{bytes:02x?}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(texts in proptest::array::uniform8("\\PC{0,300}")) {
        let [namespace, namespace_uid, service_account_name, service_account_uid, pod_name, pod_uid, node_name, node_uid] = texts;
        let identity = PodIdentity {
            namespace, namespace_uid, service_account_name, service_account_uid, pod_name, pod_uid, node_name, node_uid,
        };
        prop_assert_eq!(PodIdentity::from_der(&identity.to_der().unwrap()).unwrap(), identity);
    }

    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = PodIdentity::from_der(&bytes);
    }
}
