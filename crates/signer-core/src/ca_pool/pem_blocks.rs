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
            (Some(_), Some(Marker::Begin(_))) => return Err(bad("a block begins before the last one has ended")),
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
