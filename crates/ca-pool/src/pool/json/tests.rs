//! Pools in JSON: what is read, what is refused, and that no message holds a key.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::super::{CaPool, PoolError};
use crate::testing::TestCa;

fn entry(id: &str, ca: &TestCa, root: &TestCa, intermediates: &Value) -> Value {
    json!({
        "ID": id,
        "SigningKeyPKCS8": STANDARD.encode(ca.key_der()),
        "RootCertificateDER": STANDARD.encode(root.der()),
        "IntermediateCertificatesDER": intermediates,
    })
}

fn pool(entries: &[Value]) -> Value {
    json!({ "CAs": entries })
}

fn read(pool: &Value) -> Result<CaPool, PoolError> {
    CaPool::from_json(pool.to_string().as_bytes())
}

/// The refusal's message, which must not hold a part of a key.
fn refusal(pool: &Value) -> String {
    refusal_of(pool.to_string().as_bytes())
}

fn refusal_of(json: &[u8]) -> String {
    let error = CaPool::from_json(json).unwrap_err();
    let text = String::from_utf8_lossy(json);
    for shown in [error.to_string(), format!("{error:?}")] {
        for start in (0..text.len().saturating_sub(24)).filter(|start| text[*start..].starts_with("MI")) {
            assert!(!shown.contains(&text[start..start + 24]), "{shown}");
        }
    }
    error.to_string()
}

#[test]
fn pool_of_the_go_original_is_read_and_written_back() {
    let root = TestCa::root("root");
    let issuing = root.issue("issuing");
    let original = pool(&[
        entry("1", &root, &root, &Value::Null),
        entry("2", &issuing, &root, &json!([STANDARD.encode(issuing.der())])),
    ]);
    let pool = read(&original).unwrap();
    let ids: Vec<&str> = pool.authorities().map(crate::CertificateAuthority::id).collect();
    assert_eq!(ids, ["1", "2"]);
    assert_eq!(pool.signing().id(), "1");
    assert_eq!(pool.roots().len(), 1, "a root that two share is published once");
    let written: Value = serde_json::from_slice(&pool.to_json().unwrap()).unwrap();
    assert_eq!(written["CAs"][0]["RootCertificateDER"], original["CAs"][0]["RootCertificateDER"]);
    assert_eq!(written["CAs"][0]["IntermediateCertificatesDER"], Value::Null);
    assert_eq!(
        written["CAs"][1]["IntermediateCertificatesDER"],
        original["CAs"][1]["IntermediateCertificatesDER"]
    );
    let again = read(&written).unwrap();
    assert_eq!(again.to_json().unwrap(), pool.to_json().unwrap());
}

#[test]
fn fields_of_later_versions_are_kept() {
    let root = TestCa::root("root");
    let mut original = pool(&[entry("1", &root, &root, &Value::Null)]);
    original["Later"] = json!({"a": [1, 2.5, null]});
    original["CAs"][0]["LaterToo"] = json!("text");
    let pool = read(&original).unwrap();
    let written: Value = serde_json::from_slice(&pool.to_json().unwrap()).unwrap();
    assert_eq!((&written["Later"], &written["CAs"][0]["LaterToo"]), (&original["Later"], &json!("text")));
    assert!(!format!("{pool:?}").contains("text"));
}

/// encoding/json finds fields in any case, takes null for absent, and base64 with line breaks.
#[test]
fn what_go_reads_is_read() {
    let root = TestCa::root("root");
    let issuing = root.issue("issuing");
    let broken = |der: &[u8]| {
        STANDARD
            .encode(der)
            .as_bytes()
            .chunks(64)
            .map(|line| String::from_utf8_lossy(line).into_owned() + "\r\n")
            .collect::<String>()
    };
    for rename in [str::to_lowercase as fn(&str) -> String, str::to_uppercase, |name| {
        name.replacen(|c: char| c.is_uppercase(), "i", 0)
    }] {
        let document = json!({ rename("CAs"): [{
            rename("ID"): null,
            rename("SigningKeyPKCS8"): broken(&issuing.key_der()),
            rename("RootCertificateDER"): broken(root.der()),
            rename("IntermediateCertificatesDER"): [broken(issuing.der())],
            rename("SignsFrom"): null,
        }], rename("Generation"): 7 });
        let pool = read(&document).unwrap();
        assert_eq!((pool.signing().issuer().subject().as_str(), pool.generation()), ("CN=issuing", 7));
        let with_mark = format!("\u{feff}{document}\n");
        assert!(CaPool::from_json(with_mark.as_bytes()).is_ok());
    }
}

#[test]
fn what_would_say_who_signs_and_is_not_ours_is_refused() {
    let (one, two) = (TestCa::root("one"), TestCa::root("two"));
    let both = || pool(&[entry("a", &one, &one, &Value::Null), entry("b", &two, &two, &Value::Null)]);
    for (field, value) in [
        ("ActiveForSigning", json!("b")),
        ("activeforsigning", json!("b")),
        ("primary", json!(1)),
        ("CurrentID", Value::Null),
        ("Chooses", json!("b")),
        ("Position", json!(1)),
        ("Sequence", json!(["b", "a"])),
        ("Shares", json!({"b": 100})),
        ("Policy", json!({"of": [{"ca": "b"}]})),
    ] {
        let mut document = both();
        document[field] = value;
        let error = refusal(&document);
        assert!(error.contains(&format!("the pool has a field {field:?} that isn't known here")), "{error}");
        assert!(error.contains("remove the field, and put the CAs in that order"), "{error}");
    }
    for (field, value) in [
        ("Active", json!(true)),
        ("State", json!("active")),
        ("Hot", json!(false)),
        ("Policy", json!([{"hot": true}])),
        ("priority", json!(3)),
    ] {
        let mut document = both();
        document["CAs"][1][field] = value;
        let error = refusal(&document);
        assert!(error.contains("CAs[1]") && error.contains(&format!("has a field {field:?}")), "{error}");
    }
    let mut document = both();
    document["x-active"] = json!("b");
    document["Count"] = json!(20);
    document["CAs"][0]["Comment"] = json!("signs");
    assert_eq!(read(&document).unwrap().signing().id(), "a");
}

/// One million bytes hold some 60,000 fields: what is done for each of them must not depend on their number.
#[test]
fn many_fields_are_read_too() {
    let root = TestCa::root("root");
    let mut document = pool(&[entry("a", &root, &root, &Value::Null)]);
    for number in 0..60_000 {
        document[format!("x-{number}")] = Value::Null;
    }
    assert!(document.to_string().len() < CaPool::MAX_INPUT_BYTES);
    assert_eq!(read(&document).unwrap().signing().id(), "a");
}

#[test]
fn fields_that_are_there_twice_are_refused() {
    let root = TestCa::root("root");
    let entry = entry("1", &root, &root, &Value::Null).to_string();
    for (json, message) in [
        (format!("{{\"CAs\":[{entry}],\"cas\":[{entry}]}}"), "the pool has the field \"cas\" more than once"),
        (
            format!("{{\"CAs\":[{}]}}", entry.replacen('{', "{\"id\":\"2\",", 1)),
            "CAs[0] has the field \"ID\" more than once",
        ),
        (format!("{{\"CAs\":[{}]}}", entry.replacen('{', "{\"later\":1,\"Later\":2,", 1)), "more than once"),
    ] {
        let error = refusal_of(json.as_bytes());
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn documents_of_other_tools_are_named() {
    let key = TestCa::root("root").key_pem();
    let quoted = json!(key).to_string();
    for (json, message) in [
        (format!("{{\"cert\":\"x\",\"csr\":\"x\",\"key\":{quoted}}}"), "cfssljson -bare ca"),
        (
            format!("{{\"data\":{{\"certificate\":\"x\",\"issuing_ca\":\"x\",\"private_key\":{quoted}}}}}"),
            "answer of Vault",
        ),
        (
            format!("{{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"data\":{{\"pool\":{quoted}}}}}"),
            "object of Kubernetes in JSON",
        ),
        ("{\"certificates\":[1]}".to_owned(), "it isn't empty: it has \"certificates\""),
        ("{\"Generation\":3,\"CAs\":[]}".to_owned(), "it isn't empty: it has \"Generation\""),
        (key, "it is PEM, which is given as `certFile`"),
        ("apiVersion: v1".to_owned(), "a manifest of Kubernetes"),
        ("[]".to_owned(), "it is a list; a pool is an object"),
        ("{} {}".to_owned(), "something stands behind the document"),
    ] {
        let error = refusal_of(json.as_bytes());
        assert!(error.contains(message) && !error.contains("ca-pool create"), "{message}: {error}");
    }
    let utf_16: Vec<u8> = "\u{feff}{\"CAs\":[]}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(CaPool::from_json(&utf_16).unwrap_err().to_string().contains("UTF-16"));
}

#[test]
fn entry_without_an_id_is_taken_as_the_original_writes_it() {
    let root = TestCa::root("root");
    assert_eq!(read(&pool(&[entry("", &root, &root, &Value::Null)])).unwrap().signing().id(), "");
}

#[test]
fn refusals_name_entry_and_field() {
    let (root, other) = (TestCa::root("root"), TestCa::root("other"));
    let good = entry("1", &root, &root, &Value::Null);
    let with = |field: &str, value: Value| {
        let mut entry = entry("blue", &other, &other, &Value::Null);
        entry[field] = value;
        pool(&[good.clone(), entry])
    };
    let many = json!(vec![STANDARD.encode(root.der()); 33]);
    for (pool, message) in [
        (pool(&[]), "the pool holds no CA; make one with `signerctl ca-pool create`"),
        (json!({"CAs": null}), "the pool holds no CA"),
        (json!({}), "the pool holds no CA"),
        (pool(&vec![good.clone(); 33]), "the pool holds 33 CAs; 32 are the most"),
        (with("ID", json!("1")), "CAs[0] (ID \"1\") and CAs[1] (ID \"1\") have the same ID"),
        (
            with("LongestLeafSeconds", json!(60)),
            "LongestLeafSeconds of CAs[1] (ID \"blue\") is 60; the API lets a certificate live for 3600 to 7862400",
        ),
        (
            with("SignsFrom", json!("tomorrow")),
            "SignsFrom of CAs[1] (ID \"blue\") is not a valid time; write it like \"2026-11-22T10:00:00Z\"",
        ),
        (with("SignsFrom", json!(1_795_341_600)), "SignsFrom of CAs[1] (ID \"blue\") is not a valid time"),
        (with("SignsUntil", json!("")), "SignsUntil of CAs[1] (ID \"blue\") is not a valid time"),
        (
            with("TrustedUntil", json!("2026-11-22T10:00:00Z")),
            "CAs[1] (ID \"blue\") has TrustedUntil and no SignsUntil; write both, or neither",
        ),
        (
            with("ID", json!(1)),
            "ID of CAs[1] is a value of the wrong type: a number. It must be text in quotes",
        ),
        (
            with("IntermediateCertificatesDER", json!("x")),
            "IntermediateCertificatesDER of CAs[1] is a value of the wrong type: text. It must be a list",
        ),
        (
            with("SigningKeyPKCS8", json!([1, 2])),
            "SigningKeyPKCS8 of CAs[1] is a value of the wrong type: a list. It must be text",
        ),
        (
            with("LongestLeafSeconds", json!("1")),
            "LongestLeafSeconds of CAs[1] is a value of the wrong type: text. It must be a whole number",
        ),
        (
            with("IntermediateCertificatesDER", json!([null])),
            "CAs[1] (ID \"blue\") has no IntermediateCertificatesDER[0]",
        ),
        (pool(&[Value::Null]), "CAs[0] is a value of the wrong type: null. It must be an object"),
        (with("ID", json!("a\nb")), "CAs[1].ID must be 64 printable characters at most"),
        (with("SigningKeyPKCS8", json!("")), "CAs[1] (ID \"blue\") has no SigningKeyPKCS8"),
        (with("SigningKeyPKCS8", json!("MI*=")), "SigningKeyPKCS8 of CAs[1] (ID \"blue\") is not base64"),
        (
            with("SigningKeyPKCS8", json!("AAAA")),
            "SigningKeyPKCS8 of CAs[1] (ID \"blue\"): the private key is not valid DER",
        ),
        (
            with("SigningKeyPKCS8", json!(STANDARD.encode(TestCa::root("x").key_der()))),
            "CAs[1] (ID \"blue\"): the signing key (type ECDSAP256) belongs to none of the certificates: RootCertificateDER (CN=other)",
        ),
        (
            with("RootCertificateDER", json!("AAAA")),
            "CAs[1] (ID \"blue\"): RootCertificateDER is not a valid DER-encoded X.509 certificate",
        ),
        (with("RootCertificateDER", Value::Null), "CAs[1] (ID \"blue\") has no RootCertificateDER"),
        (
            with("IntermediateCertificatesDER", json!(["AAAA"])),
            "IntermediateCertificatesDER[0] is not a valid DER",
        ),
        (
            with("IntermediateCertificatesDER", many),
            "IntermediateCertificatesDER of CAs[1] (ID \"blue\") has 33 certificates",
        ),
    ] {
        let error = refusal(&pool);
        assert!(error.contains(message), "{message}: {error}");
    }
    let mut newer = pool(std::slice::from_ref(&good));
    newer["Format"] = json!(2);
    newer["CAs"][0]["SigningKeyPKCS8"] = json!({"elsewhere": true});
    assert!(refusal(&newer).contains("the pool has format 2, and this version reads 1"));
    newer = pool(std::slice::from_ref(&good));
    newer["Format"] = json!(1);
    assert!(read(&newer).is_ok());
    let mut twice = pool(&[good.clone(), good]);
    twice["CAs"][1]["ID"] = json!("2");
    assert!(refusal(&twice).contains("have the same signing key"));
}

#[test]
fn what_is_no_json_is_refused_without_quoting_it() {
    let key = STANDARD.encode(TestCa::root("root").key_der());
    for (json, message) in [
        (String::new(), "it ends too early at line 1, column 0"),
        (format!("{{\"CAs\": [{{\"SigningKeyPKCS8\": \"{key}"), "it ends too early"),
        (
            format!("{{\"CAs\": \"{key}\"}}"),
            "CAs of the pool is a value of the wrong type: text. It must be a list",
        ),
        (key.clone(), "a syntax error at line 1"),
        (format!("{{\"CAs\": [\n{{\"ID\": \"1\", \"{key}\": 1 x"), "a syntax error at line 2"),
    ] {
        let error = refusal_of(json.as_bytes());
        assert!(error.contains(message), "{message}: {error}");
    }
    let error = refusal_of(&vec![b' '; CaPool::MAX_INPUT_BYTES + 1]);
    assert_eq!(error, "the pool has 1048577 bytes; 1048576 are the most");
}

#[test]
fn pool_shows_no_key() {
    let root = TestCa::root("root");
    let pool = read(&pool(&[entry("1", &root, &root, &Value::Null)])).unwrap();
    let shown = format!("{pool:?}");
    assert!(shown.contains("CN=root") && shown.contains("EcdsaP256") && shown.len() < 400, "{shown}");
}
