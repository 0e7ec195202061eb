//! Distinguished names as text, for people. Nothing is decided by these texts: names are compared as bytes.

use std::fmt::Write as _;

use der::{
    Decode, Reader, Tag,
    asn1::{AnyRef, ObjectIdentifier},
};

use super::asn1::elements;

const LONGEST: usize = 400;

/// Writes a DER-encoded `Name` as `C=DE, O=Example, CN=root` in the order in which it stands in the
/// certificate, as `openssl x509 -subject` does, with the escapes of RFC 4514 §2.4. Whatever can't be read is
/// shown in hexadecimal.
pub(super) fn to_text(name: &[u8]) -> String {
    let text = match rdn_sequence(name) {
        Ok(text) if text.is_empty() => "(empty)".to_owned(),
        Ok(text) => text,
        Err(_) => format!("#{}", hex(name)),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn rdn_sequence(name: &[u8]) -> der::Result<String> {
    let mut rdns = Vec::new();
    for rdn in elements(AnyRef::from_der(name)?.value())? {
        let attributes =
            elements(rdn.value())?.into_iter().map(attribute).collect::<der::Result<Vec<_>>>()?;
        rdns.push(attributes.join("+"));
    }
    Ok(rdns.join(", "))
}

fn attribute(attribute: AnyRef<'_>) -> der::Result<String> {
    let (oid, value): (ObjectIdentifier, AnyRef<'_>) =
        attribute.sequence(|reader| Ok::<_, der::Error>((reader.decode()?, reader.decode()?)))?;
    let name = short_name(oid).map_or_else(|| oid.to_string(), ToOwned::to_owned);
    let value = string(value).map_or_else(|| format!("#{}", hex(value.value())), |text| escape(&text));
    Ok(format!("{name}={value}"))
}

fn string(value: AnyRef<'_>) -> Option<String> {
    let bytes = value.value();
    match value.header().tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString | Tag::VisibleString => {
            std::str::from_utf8(bytes).ok().map(ToOwned::to_owned)
        }
        // T.61 has a reading of its own that nobody implements; Latin-1 is what is meant.
        Tag::TeletexString => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
        Tag::BmpString => {
            let units: Vec<u16> =
                bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            String::from_utf16(&units).ok()
        }
        _ => None,
    }
}

fn short_name(oid: ObjectIdentifier) -> Option<&'static str> {
    use const_oid::db::{rfc3280, rfc4519};
    Some(match oid {
        rfc4519::CN => "CN",
        rfc4519::C => "C",
        rfc4519::O => "O",
        rfc4519::OU => "OU",
        rfc4519::ST => "ST",
        rfc4519::L => "L",
        rfc4519::DC => "DC",
        rfc4519::UID => "UID",
        rfc4519::SERIAL_NUMBER => "serialNumber",
        rfc3280::EMAIL_ADDRESS => "emailAddress",
        _ => return None,
    })
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (position, character) in text.chars().enumerate() {
        match character {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' => escaped.extend(['\\', character]),
            '#' | ' ' if position == 0 => escaped.extend(['\\', character]),
            // they would let a subject repaint the line that it stands in
            c if bounded_text::acts_in_terminal(c) => {
                for byte in c.to_string().bytes() {
                    let _ = write!(escaped, "\\{byte:02X}");
                }
            }
            c => escaped.push(c),
        }
    }
    escaped
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests;
