use std::fs;

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    find: Find,
}

const ISSUED: &str = r#"{"timestamp":"2026-11-27T10:00:00.123456Z","level":"INFO","outcome":"Issued","signer":"example.com/a","namespace":"shop","request":"r-1","pod":"web-0","pod_uid":"u-1","service_account":"web","node":"node-1","dns_names":"web.shop.svc *.web.shop.svc","uris":"spiffe://example.com/ns/shop/sa/web","usages":"digital signature, server auth","key_type":"ECDSAP256","spki_sha256":"00:AB:CD:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11","serial":"08f1a0","not_before":"2026-11-27T09:58:00Z","not_after":"2026-11-28T09:58:00Z","ca":"1","ca_sha256":"cd","target":"audit"}"#;
const DENIED: &str = r#"{"timestamp":"2026-11-27T10:00:01Z","outcome":"Denied","signer":"example.com/a","namespace":"shop","request":"r-2","pod":"web-1","pod_uid":"u-2","service_account":"web","node":"node-1","key_type":"ED25519","spki_sha256":"efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef","reason":"IdentityNotGranted","message":"nobody may have it","target":"audit"}"#;

/// What is found of both records.
fn found(criteria: &[&str]) -> Result<String, Error> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("audit.log");
    fs::write(&file, format!("{ISSUED}\nanother line\n{DENIED}\n")).unwrap();
    let mut arguments = vec!["find", file.to_str().unwrap()];
    arguments.extend(criteria);
    written(Arguments::try_parse_from(arguments).unwrap().find)
}

fn written(find: Find) -> Result<String, Error> {
    let mut output = Vec::new();
    find.write_to(&mut output, Look::PLAIN)?;
    Ok(String::from_utf8(output).unwrap())
}

fn find_in(file: &std::path::Path) -> Result<String, Error> {
    written(Arguments::try_parse_from(["find".as_ref(), file.as_os_str()]).unwrap().find)
}

#[test]
fn records_are_found_by_each_of_their_marks() {
    for (criteria, is_issued, is_denied) in [
        (&[][..], true, true),
        (&["--serial", "08f1a0"], true, false),
        (&["--serial", "8F:1A:0"], true, false),
        (&["--serial", "serial=08F1A0"], true, false),
        (
            &[
                "--key",
                "00:AB:CD:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11",
            ],
            true,
            false,
        ),
        (&["--key", "00abcd1111111111111111111111111111111111111111111111111111111111"], true, false),
        (&["--key", "efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef"], false, true),
        (&["--pod", "shop/web-1"], false, true),
        (&["--name", "WEB.shop.svc"], true, false),
        (&["--name", "spiffe://example.com/ns/shop/sa/web"], true, false),
        (&["--outcome", "denied"], false, true),
        (&["--pod", "shop/web-0", "--outcome", "Issued"], true, false),
    ] {
        let lines = found(&[criteria, &["--output", "json"]].concat()).unwrap();
        let lines: Vec<_> = lines.lines().collect();
        assert_eq!(
            (lines.contains(&ISSUED), lines.contains(&DENIED)),
            (is_issued, is_denied),
            "{criteria:?}"
        );
    }
}

#[test]
fn they_are_shown_for_people() {
    let text = found(&[]).unwrap();
    let expected = "\
2026-11-27 10:00:00Z  Issued  example.com/a
  pod       shop/web-0 (UID u-1)
  account   web, node node-1, request r-1
  names     web.shop.svc *.web.shop.svc spiffe://example.com/ns/shop/sa/web
  usages    digital signature, server auth
  serial    08f1a0
  valid     2026-11-27T09:58:00Z to 2026-11-28T09:58:00Z
  CA        1, SHA-256 cd
  key       ECDSAP256, SHA-256
            00:AB:CD:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11:11
2026-11-27 10:00:01Z  Denied  example.com/a
  pod       shop/web-1 (UID u-2)
  account   web, node node-1, request r-2
  why       IdentityNotGranted: nobody may have it
  key       ED25519, SHA-256 efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef
";
    assert_eq!(text, expected);
}

#[test]
fn a_change_of_the_deny_rules_is_shown_with_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("audit.log");
    let record = r#"{"timestamp":"2026-11-27T10:00:00Z","level":"INFO","outcome":"DenyRulesChanged","rules_before":0,"rules_after":1,"added":"namespace shop","target":"audit"}"#;
    fs::write(&file, record).unwrap();
    let text = find_in(&file);
    let expected = "2026-11-27 10:00:00Z  DenyRulesChanged
  added     namespace shop
  rules_after 1
  rules_before 0
";
    assert_eq!(text.unwrap(), expected);
}

/// Signers of others may write what they like.
#[test]
fn no_record_acts_in_a_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("audit.log");
    let record = r#"{"timestamp":"\u001b[2J","outcome":"\u001b[2J","signer":"\u001b[2J","reason":"R","message":"\u001b[2J","\u001b[2J":"\u001b[2J","target":"audit"}"#;
    fs::write(&file, record).unwrap();
    let text = find_in(&file).unwrap();
    assert!(text.contains("R: \\u{1b}[2J") && !text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn what_is_not_there_is_said() {
    let error = found(&["--serial", "77"]).unwrap_err().to_string();
    assert!(
        error.starts_with("no record in ") && error.contains("(2 were read)") && error.contains("audit.log"),
        "{error}"
    );
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("other.log");
    fs::write(&file, "2026-11-27T10:00:00Z  INFO audit: outcome=\"Issued\"\n").unwrap();
    let error = find_in(&file).unwrap_err().to_string();
    assert!(error.contains("has no audit records") && error.contains("--log-format json"), "{error}");
    let error = find_in(&dir.path().join("none")).unwrap_err().to_string();
    assert!(error.contains("none can't be read"), "{error}");
}

#[test]
fn what_is_asked_for_wrongly_is_refused() {
    for criteria in [
        &["--serial", "xyz"][..],
        &["--serial", ""],
        &["--serial", "0"],
        &["--key", ":"],
        &["--key", "ab"],
        &["--outcome", "Foo"],
        &["--pod", "web-0"],
        &["--pod", "a/b/c"],
    ] {
        let arguments = [&["find", "file"], criteria].concat();
        assert!(Arguments::try_parse_from(&arguments).is_err(), "{criteria:?}");
    }
}
