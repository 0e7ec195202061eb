use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use rustls_pki_types::pem::{PemObject as _, SectionKind};

use super::*;

fn read(text: &str) -> Result<Vec<(String, Vec<u8>)>, BadPem> {
    let blocks = blocks(text.as_bytes())?;
    Ok(blocks.into_iter().map(|block| (block.label.to_owned(), block.der.to_vec())).collect())
}

fn block(label: &str, content: &str) -> String {
    format!("-----BEGIN {label}-----\n{content}\n-----END {label}-----\n")
}

#[test]
fn text_around_blocks_and_odd_line_ends_are_tolerated() {
    let expected = vec![("A B".to_owned(), b"hello".to_vec()), ("C".to_owned(), b"hi".to_vec())];
    let plain = format!(
        "Bag Attributes\n    name: x\n# ---- BEGIN of roots ----\n{}subject=CN\n{}",
        block("A B", "aGVs\nbG8="),
        block("C", "aGk=")
    );
    for text in [
        plain.clone(),
        plain.replace('\n', "\r\n"),
        plain.replace('\n', "\r"),
        plain.replace('\n', " \t\n   "),
        plain.replace("aGVs\nbG8=", "\na\nGVsbG8=\n\n"),
        plain.trim_end().to_owned(),
        format!("\u{feff}\n{plain}\0\n"),
        format!("\u{feff}{}\u{feff}{}", block("A B", "aGVsbG8="), block("C", "aGk=")),
    ] {
        assert_eq!(read(&text).as_ref(), Ok(&expected), "{text}");
    }
    assert_eq!(read(""), Ok(vec![]));
}

#[test]
fn damage_is_named_by_its_line() {
    let good = block("C", "aGk=");
    let joined = format!("{}{good}", good.trim_end());
    let certificate = format!("MIIB{}", "A".repeat(60));
    for (text, line, problem) in [
        (format!("{good}-----BEGIN X-----\naGk="), 4, "has no end"),
        (format!("{good}{}", block("X", "a*k=")), 4, "isn't base64"),
        (format!("{good}{}", block("X", "aGk=aGk=")), 4, "isn't base64"),
        ("-----END X-----".to_owned(), 1, "hasn't begun"),
        ("-----BEGIN X-----\n-----END Y-----".to_owned(), 2, "hasn't begun"),
        (format!("-----BEGIN X-----\naGk=\n{good}"), 3, "before the last one has ended"),
        (block("X", "aGk=\nName: value"), 3, "a header behind the base64"),
        (joined.clone(), 3, "is a line break missing"),
        (joined.replace('\n', "\r\n"), 3, "is a line break missing"),
        (joined.replace('\n', "\r"), 3, "is a line break missing"),
        (format!("root: {good}"), 1, "is a line break missing"),
        (format!("{good}-{}", &good[2..]), 4, "or a dash"),
        (format!("{good}-----BEGIN "), 4, "or a dash"),
        (format!("{good}-----B"), 4, "or a dash"),
        (format!("{good}{}", good.replacen("C-----", "C----", 1)), 4, "or a dash"),
        (format!("{good}{}", good.replace("END C-----", "END C----")), 6, "or a dash"),
        (format!("{good}{}", good.replacen("C--", "C\u{a0}--", 1)), 4, "or a dash"),
        (format!("{good}-----begin c-----\n{certificate}\n-----end c-----"), 5, "outside of a block"),
        (format!("{good}----- BEGIN C -----\n{certificate}\n"), 5, "outside of a block"),
        (format!("{good}{certificate}\n"), 4, "outside of a block"),
    ] {
        let bad = read(&text).unwrap_err();
        assert!(bad.line == line && bad.problem.contains(problem), "{text}: {bad:?}");
    }
}

#[test]
fn encrypted_block_is_known_by_its_header_and_not_decoded() {
    let text = block("EC PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n????");
    let blocks = blocks(text.as_bytes()).unwrap();
    assert!(blocks[0].encrypted && blocks[0].der.is_empty());
    assert!(!super::blocks(block("C", "aGk=").as_bytes()).unwrap()[0].encrypted);
}

#[test]
fn content_is_never_shown() {
    let text = block("PRIVATE KEY", "c2VjcmV0");
    let shown = format!("{:?}", blocks(text.as_bytes()).unwrap());
    assert!(shown.contains("PRIVATE KEY") && !shown.contains("115"), "{shown}");
}

proptest! {
    #[test]
    fn reads_what_others_read(
        contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..4),
        width in 1_usize..80,
    ) {
        let text: String = contents.iter().map(|der| {
            let base64 = STANDARD.encode(der);
            let lines: Vec<&str> =
                base64.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
            block("CERTIFICATE", &lines.join("\n"))
        }).collect();
        let ours: Vec<Vec<u8>> = read(&text).unwrap().into_iter().map(|(_, der)| der).collect();
        let theirs: Vec<Vec<u8>> =
            <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes()).map(|block| block.unwrap().1).collect();
        prop_assert_eq!(&ours, &theirs);
        prop_assert_eq!(&ours, &contents);
    }

    /// A byte that is lost or added anywhere either changes no block, or is refused.
    #[test]
    fn no_block_is_lost_by_one_wrong_byte(
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let whole = block("C", &format!("MIIB{}", "A".repeat(60))).repeat(3);
        let mut bytes = whole.clone().into_bytes();
        let place = place.index(bytes.len());
        if cut { bytes.remove(place); } else { bytes.insert(place, byte); }
        if let Ok(read) = blocks(&bytes) {
            let der: Vec<_> = read.iter().map(|block| block.der.to_vec()).collect();
            prop_assert_eq!(der, vec![blocks(whole.as_bytes()).unwrap()[0].der.to_vec(); 3]);
        }
    }

    #[test]
    fn never_panics(text in "(-----|BEGIN |END |X|:|\n|aGk=|\\PC){0,40}") {
        let _ = blocks(text.as_bytes());
    }
}
