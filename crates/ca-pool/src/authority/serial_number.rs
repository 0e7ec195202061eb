//! Serial numbers.

use std::fmt;

use der::{Tag, asn1::AnyRef};

/// A certificate's serial number: positive, and unguessable, since it is made of 128 random bits (RFC 5280
/// §4.1.2.2 allows 20 octets; CAs of the web need 64 bits of randomness).
///
/// ```
/// use ca_pool::SerialNumber;
///
/// let serial = SerialNumber::from_random([0xab; 16]);
/// assert_eq!(serial.to_string(), "abababababababababababababababab");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SerialNumber {
    /// The content of a DER INTEGER: no superfluous octet in front, and the sign bit clear.
    octets: Vec<u8>,
}

impl SerialNumber {
    /// Makes a serial number of 16 random bytes. Zero, which no serial number may be, becomes one.
    #[must_use]
    pub fn from_random(random: [u8; 16]) -> Self {
        let significant: &[u8] = match random.iter().position(|byte| *byte != 0) {
            Some(first) => &random[first..],
            None => &[1],
        };
        let sign = if significant[0] >= 0x80 { &[0][..] } else { &[] };
        Self { octets: [sign, significant].concat() }
    }

    pub(crate) fn to_asn1(&self) -> der::Result<AnyRef<'_>> {
        AnyRef::new(Tag::Integer, &self.octets)
    }
}

impl fmt::Display for SerialNumber {
    /// Lowercase hexadecimal digits, two for each octet, without the sign octet.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = match self.octets.as_slice() {
            [0, digits @ ..] => digits,
            digits => digits,
        };
        digits.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

#[cfg(test)]
mod tests;
