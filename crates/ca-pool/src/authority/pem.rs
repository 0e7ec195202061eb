//! Certificates as PEM (RFC 7468): 64 columns, LF.

use base64::{Engine as _, engine::general_purpose::STANDARD};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----\n";
const END: &str = "-----END CERTIFICATE-----\n";
const COLUMNS: usize = 64;

/// A certificate (DER) as one PEM block (RFC 7468): 64 columns, LF.
pub fn certificate(der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut pem = String::with_capacity(certificate_len(der.len()));
    pem.push_str(BEGIN);
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, remaining) = rest.split_at(rest.len().min(COLUMNS));
        pem.push_str(line);
        pem.push('\n');
        rest = remaining;
    }
    pem.push_str(END);
    pem
}

/// How long the block of a certificate of `der` bytes is.
pub(crate) fn certificate_len(der: usize) -> usize {
    let base64 = der.div_ceil(3) * 4;
    BEGIN.len() + base64 + base64.div_ceil(COLUMNS) + END.len()
}

#[cfg(test)]
mod tests;
