//! The documentation is whole: links lead somewhere, the book has each page, and tables have what the code
//! has.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(repository().join(path)).unwrap()
}

fn pages() -> Vec<String> {
    let docs = fs::read_dir(repository().join("docs")).unwrap();
    let names = docs.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut pages: Vec<String> =
        names.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}")).collect();
    pages.extend(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(str::to_owned));
    pages
}

/// What stands between `](` and `)`.
fn links(text: &str) -> Vec<String> {
    let ends = text.split("](").skip(1).filter_map(|behind| behind.split_once(')'));
    ends.map(|(link, _)| link.to_owned()).collect()
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| -> String {
        let plain = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = plain.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn each_link_leads_somewhere() {
    let mut count = 0;
    for page in pages() {
        let text = read(&page);
        for link in links(&text).into_iter().filter(|link| !link.starts_with("http")) {
            let (path, anchor) =
                link.split_once('#').map_or((link.as_str(), None), |(path, anchor)| (path, Some(anchor)));
            let target = match path {
                "" => repository().join(&page),
                path => repository().join(&page).parent().unwrap().join(path),
            };
            assert!(target.exists(), "{page}: {link}");
            if let Some(anchor) = anchor {
                let there = anchors(&fs::read_to_string(target).unwrap());
                assert!(there.contains(anchor), "{page}: {link}");
            }
            count += 1;
        }
    }
    assert!(count > 50, "{count}");
}

#[test]
fn the_book_has_each_page_and_readme_is_short() {
    let summary: BTreeSet<String> = links(&read("docs/SUMMARY.md")).into_iter().collect();
    let pages = pages().into_iter().filter_map(|page| page.strip_prefix("docs/").map(str::to_owned));
    let pages: BTreeSet<String> = pages.filter(|page| page != "SUMMARY.md").collect();
    assert_eq!(summary, pages);
    assert!(read("README.md").lines().count() <= 150);
}

/// The texts in quotes behind each of these words in a source file.
fn quoted(text: &str, behind: &str) -> BTreeSet<String> {
    let quotes = text.split(behind).skip(1).filter_map(|rest| rest.split('"').nth(1));
    quotes.map(ToOwned::to_owned).collect()
}

#[test]
fn troubleshooting_has_each_reason() {
    let page = read("docs/troubleshooting.md");
    let reasons = quoted(&read("crates/signer-core/src/reasons.rs"), "Reason::from_static(");
    assert!(reasons.len() > 10);
    for reason in reasons.iter().filter(|reason| *reason != "Issued") {
        assert!(page.contains(&format!("`{reason}`")), "{reason}");
    }
}

#[test]
fn configuration_has_each_field() {
    let page = read("docs/configuration.md");
    let config = repository().join("cmd/signer-manager/src/config");
    let kinds =
        ["annotation", "pod_identity", "service_dns", "spiffe"].map(|kind| format!("kinds/{kind}.rs"));
    let files = kinds.into_iter().chain(["policy.rs", "secret_pool.rs"].map(str::to_owned));
    let mut count = 0;
    for file in files {
        let text = fs::read_to_string(config.join(&file)).unwrap();
        let list = text.split("FIELDS").nth(1).unwrap().split_once('=').unwrap().1.split_once(';').unwrap().0;
        for field in list.split('"').skip(1).step_by(2) {
            assert!(
                page.contains(&format!("`{field}`")) || page.contains(&format!("{field}:")),
                "{file}: {field}"
            );
            count += 1;
        }
    }
    assert!(count > 10, "{count}");
}
