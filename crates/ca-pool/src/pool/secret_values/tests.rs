//! What is read of Secrets as other tools leave them, and what is said of the others.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::{SecretContent, SecretValues};
use crate::pool::CaPool;
use crate::testing::TestCa;

fn values(of: &[(&str, &[u8])]) -> SecretValues {
    let data: BTreeMap<&str, &[u8]> = of.iter().copied().collect();
    let keys = data.keys().map(ToString::to_string).collect();
    let value = |key: &str| Ok::<_, ()>(data.get(key).map(|value| Zeroizing::new(value.to_vec())));
    SecretValues::read(keys, value).unwrap()
}

#[test]
fn secrets_of_cert_manager_are_read_whatever_is_empty() {
    let root = TestCa::root("root");
    let lower = root.issue("lower");
    let leaf = TestCa::root("leaf").certificate().to_pem();
    let pem = |of: &[&TestCa]| of.iter().map(|ca| ca.certificate().to_pem()).collect::<String>();
    let (key, own, chain, above) = (lower.key_pem(), pem(&[&lower]), pem(&[&lower, &root]), pem(&[&root]));
    let two = leaf + &above;
    let json = CaPool::new(vec![lower.authority(&[&lower], &root)]).unwrap().to_json().unwrap();
    for (of, content, anchors) in [
        (vec![("tls.crt", chain.as_str()), ("tls.key", &key)], SecretContent::Tls, 1),
        (vec![("tls.crt", &chain), ("tls.key", &key), ("ca.crt", "")], SecretContent::Tls, 1),
        (vec![("tls.crt", &chain), ("tls.key", &key), ("ca.crt", "\n"), ("pool", "")], SecretContent::Tls, 1),
        (vec![("tls.crt", &own), ("tls.key", &key), ("ca.crt", &above)], SecretContent::Tls, 1),
        (vec![("tls.crt", &own), ("tls.key", &key), ("ca.crt", &two)], SecretContent::Tls, 2),
        (
            vec![("pool", std::str::from_utf8(&json).unwrap()), ("tls.crt", ""), ("tls.key", "")],
            SecretContent::Pool,
            1,
        ),
    ] {
        let bytes: Vec<(&str, &[u8])> = of.iter().map(|(key, value)| (*key, value.as_bytes())).collect();
        let values = values(&bytes);
        assert_eq!(values.content(), content);
        let pool = values.load(None, "ca.crt").unwrap().unwrap();
        assert_eq!(pool.signing().issuer().subject(), "CN=lower");
        assert_eq!((pool.roots().len(), pool.left_aside()), (anchors, vec![]));
    }
    let by_option = values(&[("tls.crt", own.as_bytes()), ("tls.key", key.as_bytes()), ("ca.crt", b"")]);
    let error = by_option.load(None, "--root-file").unwrap_err().to_string();
    assert!(error.contains("set --root-file to the certificate of the root"), "{error}");
    assert!(by_option.load(Some(above.as_bytes()), "--root-file").unwrap().is_some());
}

#[test]
fn a_pool_counts_and_what_stands_beside_it_is_told_of() {
    let root = TestCa::root("root");
    let json = CaPool::new(vec![root.authority(&[], &root)]).unwrap().to_json().unwrap();
    let pool =
        values(&[("pool", json.as_slice()), ("tls.crt", b"x"), ("tls.key", b"x")]).load(None, "").unwrap();
    assert!(pool.unwrap().left_aside()[0].contains("tls.crt and tls.key of the Secret"));
}

#[test]
fn other_keys_are_told_with_what_is_to_be_done() {
    for (keys, told) in [
        (
            vec!["ca-pool.json"],
            "umask 077; kubectl -n NAMESPACE get secret NAME -o go-template='{{index .data \"ca-pool.json\" | base64decode}}' > pool.json",
        ),
        (
            vec!["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"],
            "--key-file ca.key --root-file root.pem",
        ),
        (
            vec!["ca.crt", "ca.key"],
            "signerctl ca-pool import --namespace NAMESPACE --name POOL --cert-file ca.pem --key-file ca.key",
        ),
        (vec!["issuer.crt", "issuer.key", "ca.crt"], "issuer.crt and issuer.key are a CA in PEM"),
        (vec!["tls.crt"], "tls.crt and no tls.key"),
        (vec!["tls.key", "ca.crt"], "tls.key and no tls.crt"),
    ] {
        let of: Vec<(&str, &[u8])> = keys.iter().map(|key| (*key, &b"x"[..])).collect();
        let values = values(&of);
        assert_eq!(values.content(), SecretContent::Other, "{keys:?}");
        let error = values.load(None, "ca.crt").unwrap_err().to_string();
        assert!(error.contains(told) && error.contains(keys[0]), "{told}: {error}");
    }
    for of in [&[][..], &[("pool", &b""[..])], &[("note", b"x")], &[("tls.crt", b""), ("tls.key", b"")]] {
        let values = values(of);
        assert_eq!(values.content(), SecretContent::Nothing);
        assert!(values.load(None, "ca.crt").unwrap().is_none());
    }
}
