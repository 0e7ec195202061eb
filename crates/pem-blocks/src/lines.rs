//! Lines of a text, and what a line looks like.

/// What editors of Windows put in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The lines with their numbers from 1, without the white space around them. They end with LF, CR LF, or CR;
/// a byte order mark at the begin of a line is left out, as files that begin with one may have been joined.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut rest = Some(text);
    let mut number = 0;
    std::iter::from_fn(move || {
        let text = rest?;
        let end = text.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let line = &text[..end.unwrap_or(text.len())];
        rest = end.map(|end| match &text[end..] {
            [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => rest,
            [] => &[],
        });
        number += 1;
        let line = line.trim_ascii();
        Some((number, line.strip_prefix(BYTE_ORDER_MARK).map_or(line, <[u8]>::trim_ascii)))
    })
}

/// Whether a line that is not a marker was meant to be one: `----BEGIN X-----`,
/// `-----END X----------BEGIN X-----`, or `-----BEG` where a file was cut.
pub(crate) fn looks_like_a_marker(line: &[u8]) -> bool {
    let is_cut = |marker: &[u8]| line.len() > DASHES.len() && marker.starts_with(line);
    line.windows(7).any(|window| window == b"-BEGIN ")
        || line.windows(5).any(|window| window == b"-END ")
        || is_cut(b"-----BEGIN")
        || is_cut(b"-----END")
}

const DASHES: &[u8] = b"-----";

/// Whether a line outside of blocks is the first of a key or a certificate whose BEGIN can't be read. Those
/// begin with a SEQUENCE of more than 127 bytes, in base64 `MI`, and are too long for a word.
pub(crate) fn is_content(line: &[u8]) -> bool {
    let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    line.len() >= 40 && line.starts_with(b"MI") && line.iter().all(base64)
}
