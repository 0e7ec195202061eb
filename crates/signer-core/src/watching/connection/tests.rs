use super::*;
use crate::cluster::Pod;

fn lines(chunks: &[&[u8]]) -> Vec<Line> {
    let mut lines = Lines::default();
    let mut all = Vec::new();
    for chunk in chunks {
        lines.push(bytes::Bytes::copy_from_slice(chunk));
        while let Some(line) = lines.next() {
            all.push(line);
        }
    }
    all
}

#[test]
fn a_deletion_of_nothing_is_not_a_watchs() {
    let line = Line::Whole(br#"{"type":"DELETED","object":{}}"#.to_vec());
    assert!(parse::<crate::cluster::Pod>(&line).is_err());
}

#[test]
fn lines_come_whole_however_they_are_cut() {
    let whole = |text: &str| Line::Whole(text.as_bytes().to_vec());
    assert_eq!(lines(&[b"a\nb", b"", b"c\n\n", b"d\n", b"rest"]), [whole("a"), whole("bc"), whole("d")]);
}

#[test]
fn a_line_that_is_too_long_is_cut_and_does_not_hide_the_next() {
    let long = vec![b'x'; LARGEST_OBJECT];
    assert_eq!(
        lines(&[b"xx", &long, &long, b"\nnext\n"]),
        [Line::Oversized(vec![b'x'; BEGINNING]), Line::Whole(b"next".to_vec())]
    );
}

fn parsed(json: &str) -> Result<WatchEvent<Pod>, Failure> {
    parse(&Line::Whole(json.as_bytes().to_vec()))
}

#[test]
fn metadata_that_cannot_be_read_costs_its_object_alone() {
    for metadata in [
        r#"{"name":"a","namespace":"b","resourceVersion":"7","labels":{"canary":7}}"#,
        r#"{"name":"a","namespace":"b","resourceVersion":"7","annotations":"canary"}"#,
        r#"{"name":"a","namespace":"b","resourceVersion":"7","uid":["canary"]}"#,
        r#"{"name":"a","namespace":"b","resourceVersion":"7","name":"canary"}"#,
    ] {
        let line = format!(r#"{{"type":"MODIFIED","object":{{"kind":"Pod","metadata":{metadata}}}}}"#);
        let Ok(WatchEvent::Applied(version, Err(unreadable))) = parsed(&line) else { panic!("{metadata}") };
        assert_eq!(version, "7");
        let text = unreadable.to_string();
        assert!(text.starts_with("Pod b/") && text.contains("can't be read"), "{text}");
        assert!(!text.contains("canary") || unreadable.name.name == "canary", "{text}");
    }
    // not even a name
    for object in [r#"{"metadata":7}"#, "7", "{}x", r#"{"metadata":{"name":{}}}"#] {
        let line = format!(r#"{{"type":"ADDED","object":{object}}}"#);
        assert!(
            matches!(parsed(&line), Ok(WatchEvent::Applied(_, Err(_))) | Err(_)),
            "{object} can't be a pod"
        );
    }
}

#[test]
fn what_nobody_reads_may_be_anything() {
    let line = r#"{"object":{"metadata":{"name":"a","namespace":"b","resourceVersion":"8","managedFields":[{"time":"9999-12-31T00:00:00Z"}, 7]},"spec":{"containers":7}},"type":"ADDED"}"#;
    let Ok(WatchEvent::Applied(version, Ok(pod))) = parsed(line) else { panic!("must be read") };
    assert_eq!((version.as_str(), pod.name.as_str()), ("8", "a"));
    let line =
        r#"{"type":"DELETED","object":{"metadata":{"name":"a","resourceVersion":"9","labels":7},"spec":7}}"#;
    let Ok(WatchEvent::Deleted(version, identity)) = parsed(line) else { panic!("must be read") };
    assert_eq!((version.as_str(), identity.name.as_deref()), ("9", Some("a")));
    let line =
        r#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"10","creationTimestamp":null}}}"#;
    assert!(matches!(parsed(line), Ok(WatchEvent::Bookmark(version)) if version == "10"));
}

#[test]
fn what_is_too_long_is_named() {
    let beginning =
        br#"{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"a","namespace":"b","resourceVersion":"7","annotations":{"k":"canary"#;
    let Ok(WatchEvent::Applied(version, Err(unreadable))) =
        parse::<Pod>(&Line::Oversized(beginning.to_vec()))
    else {
        panic!("must be unreadable")
    };
    assert_eq!((version.as_str(), unreadable.name.to_string()), ("7", "b/a".to_owned()));
    assert!(unreadable.reason.contains("larger than 4 MiB") && !unreadable.reason.contains("canary"));
}

#[test]
fn what_is_no_watch_is_a_failure_without_its_text() {
    for line in ["canary", "{}", r#"{"type":"canary","object":{}}"#, r#"{"type":"ERROR","object":"canary"}"#]
    {
        let failure = parsed(line).err().unwrap();
        assert!(!failure.text().contains("canary"), "{}", failure.text());
    }
    let expired = r#"{"type":"ERROR","object":{"kind":"Status","status":"Failure","reason":"Expired","message":"too old","code":410}}"#;
    assert!(parsed(expired).err().unwrap().is_status(410));
}
