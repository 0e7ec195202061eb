use proptest::prelude::*;

use super::*;

fn split(json: &[u8], chunk: usize) -> (Vec<String>, Result<ListHead, NotAList>) {
    let (mut splitter, mut items) = (Splitter::default(), Vec::new());
    for part in json.chunks(chunk) {
        let taken = splitter.push(part, |item| match item {
            Item::Whole(json) => items.push(String::from_utf8_lossy(json).into_owned()),
            Item::Oversized(json) => items.push(format!("oversized {}", json.len())),
        });
        if let Err(error) = taken {
            return (items, Err(error));
        }
    }
    (items, splitter.head())
}

fn head(version: &str, continue_token: Option<&str>) -> ListHead {
    let resource_version = Some(version.to_owned());
    ListHead { metadata: ListMetadata { resource_version, continue_token: continue_token.map(Into::into) } }
}

#[test]
fn items_come_one_by_one_however_the_list_is_cut() {
    let json = br#"{"kind":"L","metadata":{"resourceVersion":"7","continue":"c[]{"},"items":[{"a":"]}\\\"{"}, {"b":[1,{}]}]}"#;
    for chunk in 1..json.len() {
        let (items, head_) = split(json, chunk);
        assert_eq!(items, [r#"{"a":"]}\\\"{"}"#, r#"{"b":[1,{}]}"#], "chunks of {chunk}");
        assert_eq!(head_, Ok(head("7", Some("c[]{"))));
    }
}

#[test]
fn the_metadata_may_come_last_and_items_may_lack() {
    let (items, head_) = split(br#"{"items":[{}],"metadata":{"resourceVersion":"7"}}"#, 5);
    assert_eq!((items, head_), (vec!["{}".to_owned()], Ok(head("7", None))));
    let (items, head_) = split(br#"{"items":null,"metadata":{"resourceVersion":"7"}}"#, 5);
    assert_eq!((items, head_), (vec![], Ok(head("7", None))));
}

#[test]
fn an_item_that_is_too_large_does_not_hide_its_neighbours() {
    let large = "x".repeat(LARGEST_OBJECT);
    let json = format!(r#"{{"metadata":{{}},"items":[{{"a":1}},{{"b":"{large}"}},{{"c":1}}]}}"#);
    let (items, _) = split(json.as_bytes(), 64 * 1024);
    assert_eq!(items, [r#"{"a":1}"#, &format!("oversized {BEGINNING}"), r#"{"c":1}"#]);
}

#[test]
fn what_is_no_list_is_refused() {
    for json in ["<html>", "", "}", r#"{"metadata":1}"#, r#"{"metadata":{},"items":[{}"#, "[]"] {
        assert!(split(json.as_bytes(), 3).1.is_err(), "{json}");
    }
    let endless = format!("{{\"a\":\"{}", "x".repeat(LARGEST_ENVELOPE));
    assert_eq!(split(endless.as_bytes(), 4096).1, Err(NotAList));
}

proptest! {
    #[test]
    fn finds_the_items_that_serde_finds(texts in proptest::collection::vec(".{0,20}", 0..6), chunk in 1_usize..50) {
        let items: Vec<_> = texts.iter().map(|text| serde_json::json!({ "t": text, "n": [[text], {}] })).collect();
        let list = serde_json::json!({"kind": "L", "metadata": {"resourceVersion": "1"}, "items": items});
        let (found, head_) = split(list.to_string().as_bytes(), chunk);
        let expected: Vec<_> = items.iter().map(ToString::to_string).collect();
        prop_assert_eq!((found, head_), (expected, Ok(head("1", None))));
    }

    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), chunk in 1_usize..50) {
        drop(split(&bytes, chunk));
    }
}
