//! Blocks of PEM (RFC 7468), and whatever stands around them.
//!
//! Private keys pass through here: all buffers are wiped, which the PEM readers of the field don't do, and messages give
//! the line, never its content.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// A block between BEGIN and END.
pub(super) struct Block<'a> {
    pub(super) label: &'a str,
    /// Whether it says that its content is encrypted (RFC 1421 §4.6.1.1), as OpenSSL's old key formats do. Such content isn't
    /// decoded.
    pub(super) encrypted: bool,
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// What is wrong with a text, and in which line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadPem {
    pub(super) line: usize,
    pub(super) problem: &'static str,
}

/// Reads all blocks. Text outside of blocks is commentary.
pub(super) fn blocks(text: &[u8]) -> Result<Vec<Block<'_>>, BadPem> {
    let mut blocks = Vec::new();
    let mut open: Option<OpenBlock<'_>> = None;
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).enumerate();
    for (index, line) in lines {
        let bad = |problem| BadPem { line: index + 1, problem };
        match (open.take(), marker(line)) {
            (None, Some(Marker::Begin(label))) => open = Some(OpenBlock::new(label, index + 1, text.len())),
            (Some(block), Some(Marker::End(label))) if block.label == label => blocks.push(block.close()?),
            (None, None) => {}
            (Some(block), None) => open = Some(block.line(line).map_err(bad)?),
            (Some(_), Some(Marker::Begin(_))) => {
                return Err(bad("a block begins before the last one has ended"));
            }
            (_, Some(Marker::End(_))) => return Err(bad("a block ends that hasn't begun")),
        }
    }
    match open {
        Some(block) => Err(BadPem { line: block.begin, problem: "the block that begins here has no end" }),
        None => Ok(blocks),
    }
}

struct OpenBlock<'a> {
    label: &'a str,
    begin: usize,
    encrypted: bool,
    base64: Zeroizing<Vec<u8>>,
}

impl<'a> OpenBlock<'a> {
    /// The capacity is that of the whole text, so that the buffer never moves and leaves a copy behind.
    fn new(label: &'a str, begin: usize, capacity: usize) -> Self {
        Self { label, begin, encrypted: false, base64: Zeroizing::new(Vec::with_capacity(capacity)) }
    }

    fn line(mut self, line: &[u8]) -> Result<Self, &'static str> {
        if line.contains(&b':') {
            self.encrypted |= line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED");
            return if self.base64.is_empty() { Ok(self) } else { Err("there is a ':' in the base64") };
        }
        self.base64.extend_from_slice(line);
        Ok(self)
    }

    fn close(self) -> Result<Block<'a>, BadPem> {
        let Self { label, begin, encrypted, base64 } = self;
        let mut der = Zeroizing::new(vec![0; base64.len()]);
        if !encrypted {
            let length = STANDARD
                .decode_slice(&*base64, &mut der)
                .map_err(|_| BadPem { line: begin, problem: "the block that begins here isn't base64" })?;
            der.truncate(length);
        }
        Ok(Block { label, encrypted, der })
    }
}

enum Marker<'a> {
    Begin(&'a str),
    End(&'a str),
}

fn marker(line: &[u8]) -> Option<Marker<'_>> {
    let inner = std::str::from_utf8(line).ok()?.strip_prefix("-----")?.strip_suffix("-----")?;
    match (inner.strip_prefix("BEGIN "), inner.strip_prefix("END ")) {
        (Some(label), _) => Some(Marker::Begin(label)),
        (_, Some(label)) => Some(Marker::End(label)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
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
            "Bag Attributes\n    name: x\n{}subject=CN\n{}",
            block("A B", "aGVs\nbG8="),
            block("C", "aGk=")
        );
        for text in [
            plain.clone(),
            plain.replace('\n', "\r\n"),
            plain.replace('\n', " \t\n   "),
            plain.replace("aGVs\nbG8=", "\na\nGVsbG8=\n\n"),
            plain.trim_end().to_owned(),
            format!("\u{feff}\n{plain}\0\n"),
        ] {
            assert_eq!(read(&text).as_ref(), Ok(&expected), "{text}");
        }
        assert_eq!(read(""), Ok(vec![]));
    }

    #[test]
    fn damage_is_named_by_its_line() {
        let good = block("C", "aGk=");
        for (text, line, problem) in [
            (format!("{good}-----BEGIN X-----\naGk="), 4, "has no end"),
            (format!("{good}{}", block("X", "a*k=")), 4, "isn't base64"),
            (format!("{good}{}", block("X", "aGk=aGk=")), 4, "isn't base64"),
            ("-----END X-----".to_owned(), 1, "hasn't begun"),
            ("-----BEGIN X-----\n-----END Y-----".to_owned(), 2, "hasn't begun"),
            (format!("-----BEGIN X-----\naGk=\n{good}"), 3, "before the last one has ended"),
            (block("X", "aGk=\nName: value"), 3, "a ':' in the base64"),
        ] {
            let bad = read(&text).unwrap_err();
            assert!(bad.line == line && bad.problem.contains(problem), "{text}: {bad:?}");
        }
    }

    #[test]
    fn encrypted_block_is_known_by_its_header_and_not_decoded() {
        let text = block("EC PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n????");
        let blocks = blocks(text.as_bytes()).unwrap();
        assert!(blocks[0].encrypted);
        assert!(!super::blocks(block("C", "aGk=").as_bytes()).unwrap()[0].encrypted);
    }

    proptest! {
        #[test]
        fn reads_what_others_read(contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..4), width in 1_usize..80) {
            let text: String = contents.iter().map(|der| {
                let base64 = STANDARD.encode(der);
                let lines: Vec<&str> = base64.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
                block("CERTIFICATE", &lines.join("\n"))
            }).collect();
            let ours: Vec<Vec<u8>> = read(&text).unwrap().into_iter().map(|(_, der)| der).collect();
            let theirs: Vec<Vec<u8>> =
                <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes()).map(|block| block.unwrap().1).collect();
            prop_assert_eq!(&ours, &theirs);
            prop_assert_eq!(&ours, &contents);
        }

        #[test]
        fn never_panics(text in "(-----|BEGIN |END |X|:|\n|aGk=|\\PC){0,40}") {
            let _ = blocks(text.as_bytes());
        }
    }
}
