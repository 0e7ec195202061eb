//! Annotations that nobody writes in good faith.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use signer_core::{Decision, testing::RequestBuilder};

use crate::scenario::{SIGNER, annotated, asking, config, decide, denied, granting, request};

const ITEMS: [&str; 7] = ["cn", "san", "uris", "ips", "usages", "duration", "refresh"];

/// All annotations of an object together (the API server's rule).
const LARGEST: usize = 256 * 1024;

/// The core cuts messages that are longer.
const LONGEST_MESSAGE: usize = 4096;

fn message(decision: &Decision) -> &str {
    match decision {
        Decision::Issue(_) => "",
        Decision::Deny(denial) => &denial.message,
        Decision::Wait(wait) => &wait.message,
    }
}

/// It takes milliseconds, however slow the machine. What takes time for each pair of bytes of the largest
/// annotations takes minutes.
const IN_TIME: Duration = Duration::from_secs(60);

fn assert_harmless(request: RequestBuilder) {
    let begin = Instant::now();
    let decision = decide(&granting(&["*"]), request);
    assert!(begin.elapsed() < IN_TIME, "took {:?}", begin.elapsed());
    assert!(message(&decision).len() < LONGEST_MESSAGE, "{} bytes of message", message(&decision).len());
}

#[test]
fn large_values_are_refused_in_little_time_and_few_words() {
    for item in ITEMS {
        for pattern in [
            ",",
            "a,",
            "a",
            "1h",
            "${pod.name}",
            "${pod.name},",
            "${",
            "}",
            "\u{0}",
            "\u{202e}",
            "🦀,",
            "*.",
            "a.",
            "a.shop.svc,",
            "://",
        ] {
            let value = pattern.repeat(LARGEST / pattern.len());
            assert_harmless(asking(item, &value));
            assert_harmless(annotated(item, &value));
        }
    }
}

#[test]
fn many_and_long_keys_are_refused_in_few_words() {
    assert_harmless(request().user_annotation(&"k".repeat(LARGEST), ""));
    assert_harmless(request().annotation(&format!("{SIGNER}-{}", "k".repeat(LARGEST)), ""));
    let many = (0..10_000).fold(request(), |request, i| request.annotation(&format!("{SIGNER}{i}"), "x"));
    assert_harmless(many);
}

#[test]
fn many_long_names_are_refused_in_few_words() {
    let label = "a".repeat(63);
    let names: Vec<String> = (0..99).map(|i| format!("{i}.{label}.{label}.{label}.example")).collect();
    let denial = denied(&config(), asking("san", &names.join(",")));
    assert!(
        denial.message.contains("and 94 more") && denial.message.len() < LONGEST_MESSAGE,
        "{}",
        denial.message
    );
}

#[test]
fn control_characters_never_reach_a_message() {
    for item in ITEMS {
        let denial = denied(&config(), asking(item, "a\r\n\u{1b}[31m\u{0}b"));
        assert!(!denial.message.contains(char::is_control), "{:?}", denial.message);
    }
    let denial = denied(&config(), request().user_annotation("a\n\u{1b}b", "c"));
    assert!(!denial.message.contains(char::is_control), "{:?}", denial.message);
}

proptest! {
    #[test]
    fn any_annotations_get_an_answer(
        values in proptest::collection::btree_map(
            proptest::sample::select(ITEMS.to_vec()),
            "\\PC{0,30}|[a-z0-9.:/*$,{} -]{0,60}|(\\$\\{(pod|node)\\.(name|uid|hostname)\\}|[a-z.,/]){0,20}",
            0..7,
        ),
        are_users: bool,
    ) {
        let add = |request: RequestBuilder, (item, value): (&&str, &String)| {
            let key = format!("{SIGNER}-{item}");
            if are_users { request.user_annotation(&key, value) } else { request.annotation(&key, value) }
        };
        let decision = decide(&granting(&["*"]), values.iter().fold(request(), add));
        prop_assert!(message(&decision).len() < LONGEST_MESSAGE);
        if values.values().any(String::is_empty) {
            prop_assert!(matches!(decision, Decision::Deny(_)));
        }
    }
}
