//! Names as Go reads them: distinguished names, domains, mailboxes.

use super::input::{Input, SEQUENCE, SET};

/// Whether each attribute of a name has a type that Go reads, and is a string that it reads
/// (`parseASN1String`).
pub(super) fn is_distinguished_name(name: &[u8]) -> Option<bool> {
    let mut sets = Input(name).element(SEQUENCE)?;
    while !sets.is_empty() {
        let mut set = sets.element(SET)?;
        while !set.is_empty() {
            let mut attribute = set.element(SEQUENCE)?;
            attribute.oid()?;
            let (tag, value) = attribute.any()?;
            if !is_string(tag, value.0) {
                return Some(false);
            }
        }
    }
    Some(true)
}

fn is_string(tag: u8, bytes: &[u8]) -> bool {
    const UTF8: u8 = 0x0c;
    const NUMERIC: u8 = 0x12;
    const PRINTABLE: u8 = 0x13;
    const T61: u8 = 0x14;
    const IA5: u8 = 0x16;
    const BMP: u8 = 0x1e;
    match tag {
        // it is read as Latin-1
        T61 => true,
        PRINTABLE => {
            bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b" '()+,-./:=?*&".contains(byte))
        }
        UTF8 => std::str::from_utf8(bytes).is_ok(),
        IA5 => bytes.is_ascii(),
        NUMERIC => bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b' '),
        BMP => {
            let (units, rest) = bytes.as_chunks::<2>();
            let is_character = |unit: &[u8; 2]| {
                let unit = u16::from_be_bytes(*unit);
                !matches!(unit, 0xd800..=0xdfff | 0xfdd0..=0xfdef | 0xfffe | 0xffff)
            };
            rest.is_empty() && units.iter().all(is_character)
        }
        _ => false,
    }
}

/// As `domainNameValid` says of constraints.
pub(super) fn is_constraint_on_domains(domain: &[u8]) -> bool {
    domain.is_empty() || is_domain(domain.strip_prefix(b".").unwrap_or(domain))
}

/// Labels, none of them empty.
pub(super) fn is_domain(domain: &[u8]) -> bool {
    let is_label = |label: &[u8]| !label.is_empty() && label.iter().all(u8::is_ascii_graphic);
    domain.split(|byte| *byte == b'.').all(is_label)
}

/// As `parseRFC2821Mailbox` says: a quoted string or dotted atoms, an `@`, and a domain.
pub(super) fn is_mailbox(text: &[u8]) -> bool {
    let domain = match text.strip_prefix(b"\"") {
        Some(quoted) => behind_quoted_string(quoted),
        None => behind_atoms(text),
    };
    let domain = domain.and_then(|rest| rest.strip_prefix(b"@"));
    domain.is_some_and(|domain| domain.is_empty() || is_domain(domain))
}

/// What follows the closing quote.
fn behind_quoted_string(mut text: &[u8]) -> Option<&[u8]> {
    loop {
        text = match text {
            [b'"', rest @ ..] => return Some(rest),
            [b'\\', 1..=9 | 11 | 12 | 14..=127, rest @ ..] => rest,
            [1..=8 | 11 | 12 | 14..=33 | 35..=91 | 93..=127, rest @ ..] => rest,
            _ => return None,
        };
    }
}

/// What follows the atoms, if they are neither empty nor dotted at an end or twice in a row.
fn behind_atoms(text: &[u8]) -> Option<&[u8]> {
    let mut atoms = Vec::new();
    let mut rest = text;
    loop {
        rest = match rest {
            [b'\\'] => return None,
            [b'\\', escaped, rest @ ..] => {
                atoms.push(*escaped);
                rest
            }
            [byte, rest @ ..] if byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(byte) => {
                atoms.push(*byte);
                rest
            }
            _ => break,
        };
    }
    atoms.split(|byte| *byte == b'.').all(|atom| !atom.is_empty()).then_some(rest)
}
