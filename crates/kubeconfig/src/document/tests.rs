use std::path::Path;

use super::super::document::Document;

fn parse(text: &str) -> Result<Document, String> {
    Document::parse(text.as_bytes(), Path::new("/etc/k")).map_err(|error| error.to_string())
}

fn names(entries: &[super::super::document::Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.name.as_str()).collect()
}

const SMALL: &str = "
current-context: x
clusters: [{name: c, cluster: {server: 'https://h'}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
users: [{name: u, user: {token: t}}]
";

#[test]
fn files_that_say_nothing_are_right() {
    for text in [
        "",
        " \n",
        "# only a comment\n",
        "---\n",
        "null",
        "{}",
        "clusters: null\nusers: ~\ncontexts:\ncurrent-context: \"\"\n",
        "kind: ''\napiVersion: null\n",
    ] {
        let document = parse(text).unwrap();
        assert!(document.contexts.is_empty() && document.current_context.is_none(), "{text:?}");
    }
}

#[test]
fn yaml_json_and_what_windows_editors_write_are_read() {
    let json = "\u{feff}{\n\t\"current-context\": \"x\",\n\t\"contexts\": [{\"name\": \"x\", \"context\": {\"cluster\": \"c\"}}]}";
    let utf16: Vec<u16> = format!("\u{feff}{SMALL}").encode_utf16().collect();
    let little: Vec<u8> = utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    let several = format!("{SMALL}---\nsecond: document\n--- {{broken");
    for text in [
        SMALL.as_bytes(),
        json.as_bytes(),
        &little,
        &big,
        SMALL.replace('\n', "\r\n").as_bytes(),
        several.as_bytes(),
    ] {
        let document = Document::parse(text, Path::new("/etc/k")).unwrap();
        assert_eq!(document.current_context.as_deref(), Some("x"));
        assert_eq!(names(&document.contexts), ["x"]);
    }
}

#[test]
fn what_is_no_kubeconfig_is_refused_with_file_and_line_and_without_a_secret() {
    for (text, says) in [
        ("users:\n- name: u\n  user: {token: s3cret\nx", "/etc/k:"),
        ("a: b\n  c: s3cret: d\n", "/etc/k:2: this is neither YAML nor JSON"),
        ("s3cret", "must be a mapping"),
        ("- s3cret", "must be a mapping"),
        ("kind: Pod\napiVersion: v1\n", "its `kind` must be Config"),
        ("apiVersion: v2\n", "its `apiVersion` must be v1"),
        ("clusters: {c: s3cret}\n", "`clusters` must be a list"),
        (
            "users: [{name: u}, {name: u, user: {token: s3cret}}]\n",
            "`users` has two entries with the name \"u\"",
        ),
        ("contexts: s3cret\n", "`contexts` must be a list"),
        ("{\"a\": s3cret\" : }", "/etc/k"),
    ] {
        let error = parse(text).err().unwrap();
        assert!(
            error.starts_with("/etc/k") && error.contains(says) && !error.contains("s3cret"),
            "{text:?}: {error}"
        );
    }
    for text in [&b"\xff"[..], b"\xff\xfe\x00\xd8", b"\xef\xbb\xbf\xff"] {
        assert!(
            Document::parse(text, Path::new("/etc/k"))
                .err()
                .unwrap()
                .to_string()
                .contains("/etc/k: this is no text")
        );
    }
}

#[test]
fn bombs_cost_nothing() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let alias = format!("*a{}", level - 1);
        text += &format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 10].join(", "));
    }
    assert!(parse(&text).is_err());
    assert!(parse(&"[".repeat(100_000)).is_err());
    assert!(parse(&format!("{{\"a\":{}", "[".repeat(100_000))).is_err());
}

#[test]
fn broken_entries_spoil_no_other() {
    let document = parse(
        "contexts: [7, null, {}, {name: null}, {name: 7}, {name: a, context: 7}, {name: b}, {name: c, context: null}, {name: d, context: {cluster: 7}}]",
    )
    .unwrap();
    assert_eq!(names(&document.contexts), ["b", "c", "d"]);
}

#[test]
fn the_first_file_that_says_something_wins() {
    let first =
        parse("current-context: \"\"\nusers: [{name: u, user: {token: first}}]\ncontexts: null\n").unwrap();
    let second = parse(SMALL).unwrap();
    let third =
        parse("current-context: y\ncontexts: [{name: x, context: {cluster: other}}, {name: y}]\n").unwrap();
    let merged = first.merge(second).merge(third);
    assert_eq!(merged.current_context.as_deref(), Some("x"));
    assert_eq!(names(&merged.contexts), ["x", "y"]);
    assert_eq!(merged.contexts[0].fields["cluster"], "c");
    assert_eq!(merged.users[0].fields["token"], "first");
    assert_eq!(merged.known_contexts(), "x, y");
}
