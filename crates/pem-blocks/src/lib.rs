//! Blocks of PEM (RFC 7468), and the commentary around them.
//!
//! The readers of the field pass over every line that isn't exactly a BEGIN line. A CA certificate behind a
//! missing line break is then lost, and nobody hears of it. This reader refuses whatever looks like a part of
//! a block that it can't read, and names the line.
//!
//! Private keys pass through here: all buffers are wiped, and messages give the line, never its content.

mod lines;
#[cfg(test)]
mod tests;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use lines::{is_content, lines, looks_like_a_marker};

/// A block between BEGIN and END.
pub struct Block<'a> {
    /// Such as `CERTIFICATE`.
    pub label: &'a str,
    /// The line of its BEGIN, from 1.
    pub line: usize,
    /// Whether it says that its content is encrypted (RFC 1421 §4.6.1.1), as OpenSSL's old key formats do.
    /// Such content isn't decoded.
    pub encrypted: bool,
    /// The content.
    pub der: Zeroizing<Vec<u8>>,
}

/// What is wrong with a text, and in which line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadPem {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// Reads all blocks. Text outside of blocks is commentary, unless it looks like a part of a block.
///
/// ```
/// let blocks = pem_blocks::blocks(b"the root:\n-----BEGIN X-----\naGk=\n-----END X-----\n").unwrap();
/// assert_eq!((blocks[0].label, &**blocks[0].der), ("X", &b"hi"[..]));
///
/// let bad = pem_blocks::blocks(b"-----BEGIN X-----\naGk=\n-----END X----------BEGIN X-----\naGk=\n-----END X-----\n");
/// assert_eq!(bad.err().map(|bad| bad.line), Some(3));
/// ```
///
/// # Errors
/// If a block has no end, isn't base64, or a line that belongs to a block is damaged.
pub fn blocks(text: &[u8]) -> Result<Vec<Block<'_>>, BadPem> {
    let mut blocks = Vec::new();
    let mut open: Option<OpenBlock<'_>> = None;
    for (number, line) in lines(text) {
        let bad = |problem| BadPem { line: number, problem };
        match (open.take(), marker(line).map_err(bad)?) {
            (None, Some(Marker::Begin(label))) => open = Some(OpenBlock::new(label, number)),
            (Some(block), Some(Marker::End(label))) if block.label == label => blocks.push(block.close()?),
            (None, None) if is_content(line) => {
                return Err(bad("there is base64 outside of a block; a block starts with -----BEGIN …-----"));
            }
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
    lines: Vec<&'a [u8]>,
}

impl<'a> OpenBlock<'a> {
    fn new(label: &'a str, begin: usize) -> Self {
        Self { label, begin, encrypted: false, lines: Vec::new() }
    }

    fn line(mut self, line: &'a [u8]) -> Result<Self, &'static str> {
        if line.windows(2).any(|window| window == b": ") {
            self.encrypted |= line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED");
            return if self.lines.is_empty() { Ok(self) } else { Err("there is a header behind the base64") };
        }
        if !line.is_empty() {
            self.lines.push(line);
        }
        Ok(self)
    }

    /// Each buffer gets its whole length at once, so that it never moves and leaves a copy behind.
    fn close(self) -> Result<Block<'a>, BadPem> {
        let Self { label, begin, encrypted, lines } = self;
        if encrypted {
            return Ok(Block { label, line: begin, encrypted, der: Zeroizing::default() });
        }
        let mut base64 = Zeroizing::new(Vec::with_capacity(lines.iter().map(|line| line.len()).sum()));
        for line in lines {
            base64.extend_from_slice(line);
        }
        let mut der = Zeroizing::new(vec![0; base64.len()]);
        let length = STANDARD
            .decode_slice(&*base64, &mut der)
            .map_err(|_| BadPem { line: begin, problem: "the block that begins here isn't base64" })?;
        der.truncate(length);
        Ok(Block { label, line: begin, encrypted, der })
    }
}

enum Marker<'a> {
    Begin(&'a str),
    End(&'a str),
}

fn marker(line: &[u8]) -> Result<Option<Marker<'_>>, &'static str> {
    let inner = line.strip_prefix(b"-----").and_then(|rest| rest.strip_suffix(b"-----"));
    let begin = inner.and_then(|inner| inner.strip_prefix(b"BEGIN ")).and_then(label);
    let end = inner.and_then(|inner| inner.strip_prefix(b"END ")).and_then(label);
    match (begin, end) {
        (Some(label), _) => Ok(Some(Marker::Begin(label))),
        (_, Some(label)) => Ok(Some(Marker::End(label))),
        _ if looks_like_a_marker(line) => {
            Err("a BEGIN or END line must be nothing but -----BEGIN …----- or -----END …-----; \
                 is a line break missing, or a dash?")
        }
        _ => Ok(None),
    }
}

/// RFC 7468 §3: printable, and no two hyphens in a row.
fn label(bytes: &[u8]) -> Option<&str> {
    let label = std::str::from_utf8(bytes).ok()?;
    let printable = label.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    (printable && !label.contains("--")).then_some(label)
}

impl std::fmt::Debug for Block<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { label, line, encrypted, der: _ } = self;
        f.debug_struct("Block")
            .field("label", label)
            .field("line", line)
            .field("encrypted", encrypted)
            .finish_non_exhaustive()
    }
}
